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
from pipeline.data.prepare import prepare

ROOT = Path(__file__).resolve().parents[2]


ASCII = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}  # a terminal of few letters


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "mrcnn", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
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
        (["cat.jpg", "--out", "results", "--limit", "0"], "from 1 to 1000, but is 0"),
        (["cat.jpg", "--out", "results", "--limit", "1001"], "from 1 to 1000, but is 1001"),
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


@pytest.mark.parametrize("form", ["labelme", "yolo"])
def test_labels_beside_their_photos_bring_no_further_photos(tmp_path, form):
    (tmp_path / "cats").mkdir()
    for name, pixels in (("chelsea", data.chelsea()), ("coffee", data.coffee())):
        Image.fromarray(pixels).resize((300, 200)).save(tmp_path / f"cats/{name}.jpg")
    photos = sorted((tmp_path / "cats").iterdir())
    done = run(*photos, "--out", tmp_path / "cats", "--labels", form, "--engine", "onnx")
    assert done.returncode == 0, done.stderr
    written = {path.name for path in (tmp_path / "cats").iterdir()} - {path.name for path in photos}
    assert (
        written
        == {
            "labelme": {"chelsea.json", "coffee.json"},
            "yolo": {"chelsea.txt", "coffee.txt", "classes.txt"},
        }[form]
    )
    (report,) = prepare(tmp_path / "cats", progress=False).values()
    assert (report["images"], report["images_with_instances"], report["dropped_files"]) == (2, 1, {})


def test_names_that_the_terminal_cannot_show(tmp_path):
    photo = tmp_path / "Zoë.png"
    Image.fromarray(data.chelsea()).save(photo)
    done = run(photo, tmp_path / "Noë.png", "--out", tmp_path / "results", "--engine", "onnx", PYTHONIOENCODING="ascii")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert r"Zo\xeb.png: 1 cat in" in done.stdout and "[2/2]" in done.stderr
    assert (tmp_path / "results/Zoë.json").is_file()


@pytest.mark.parametrize("form", ["coco", "labelme", "yolo"])
def test_files_are_utf_8_whatever_the_terminal_speaks(tmp_path, form):
    code = f"""
from pathlib import Path
import numpy as np
from mrcnn import Instances
from mrcnn.__main__ import write_results
name = "K\\xe4tzchen"
found = Instances.from_masks(np.ones((1, 40, 60), bool), [1], [0.9], [name])
write_results(Path({str(tmp_path)!r}), "a", "a.jpg", np.zeros((40, 60, 3), np.uint8), found, [name], 1.0, {form!r})
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **ASCII}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    text = (tmp_path / ("classes.txt" if form == "yolo" else "a.json")).read_text(encoding="utf-8")
    assert "Kätzchen" in (text if form == "yolo" else str(json.loads(text)))
