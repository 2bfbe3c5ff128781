"""The command line `python -m mrcnn`."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO
from skimage import data

from mrcnn.__main__ import parse_arguments

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "mrcnn", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )


def test_help_does_not_wait_for_tensorflow():
    done = run("--help")
    assert done.returncode == 0 and "--confidence" in done.stdout
    modules = subprocess.run(
        [sys.executable, "-c", "import sys, mrcnn.__main__; print('tensorflow' in sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert modules.stdout.strip() == "False"


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["cat.jpg"], "--out"),
        (["--out", "results"], "PHOTO"),
        (["cat.jpg", "--out", "results", "--confidence", "50"], "between 0 and 1, but is 50"),
        (["cat.jpg", "--out", "results", "--limit", "0"], "at least 1, but is 0"),
    ],
)
def test_wrong_arguments(arguments, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        parse_arguments(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_several_photos_of_which_one_is_bad(tmp_path):
    Image.fromarray(data.chelsea()).save(tmp_path / "chelsea.png")
    Image.fromarray(data.coffee()).resize((300, 200)).save(tmp_path / "coffee.jpg")
    (tmp_path / "broken.jpg").write_text("not an image")
    out = tmp_path / "new" / "results"
    done = run(tmp_path / "chelsea.png", tmp_path / "broken.jpg", tmp_path / "coffee.jpg", "--out", out)

    assert done.returncode == 1
    assert "[1/3]" in done.stdout and "cat in" in done.stdout
    assert "[3/3]" in done.stdout and "nothing in" in done.stdout
    complaints = [line for line in done.stderr.splitlines() if "broken" in line]
    assert len(complaints) == 1 and "is not an image in a known format" in complaints[0]
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in out.iterdir()) == sorted(
        f"{stem}.{kind}"
        for stem in ("chelsea", "coffee")
        for kind in ("cutout.png", "json", "overlay.png", "semantic.png")
    )

    cats = COCO(out / "chelsea.json")
    masks = [cats.annToMask(row).astype(bool) for row in cats.anns.values()]
    assert len(masks) >= 1
    with Image.open(out / "chelsea.semantic.png") as image:
        np.testing.assert_array_equal(np.array(image), np.any(masks, axis=0))
    with Image.open(out / "chelsea.cutout.png") as image:
        alpha, union = np.array(image)[..., 3], np.any(masks, axis=0)
        assert ((alpha > 127) & union).sum() > 0.95 * ((alpha > 127) | union).sum()
        assert len(np.unique(alpha)) > 2, "edges are soft"
    with Image.open(out / "chelsea.overlay.png") as image:
        assert image.size == (451, 300)
    coffee = json.loads((out / "coffee.json").read_text())
    assert coffee["annotations"] == [] and coffee["categories"] == [{"id": 1, "name": "cat"}]


def test_unknown_weights(tmp_path):
    done = run("cat.jpg", "--out", tmp_path / "results", "--weights", "unicorn")
    assert done.returncode == 1
    assert "unicorn" in done.stderr and "Traceback" not in done.stderr
    assert not os.path.exists(tmp_path / "results")


def test_a_good_photo_ends_with_zero(tmp_path):
    Image.fromarray(data.chelsea()).save(tmp_path / "chelsea.png")
    start = time.perf_counter()
    done = run(tmp_path / "chelsea.png", "--out", tmp_path, "--confidence", "0.3")
    assert done.returncode == 0, done.stderr
    scores = [row["score"] for row in json.loads((tmp_path / "chelsea.json").read_text())["annotations"]]
    assert scores and min(scores) >= 0.3
    milliseconds = json.loads((tmp_path / "chelsea.json").read_text())["info"]["milliseconds"]
    assert 0 < milliseconds < 1000 * (time.perf_counter() - start)
