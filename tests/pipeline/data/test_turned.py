"""Photos that EXIF turns without changing their size: whether the annotation tool turned them is told by the others."""

import json

import numpy as np
import pytest
from PIL import Image, ImageOps

from pipeline.data.dataset import CocoDataset
from pipeline.data.doctor import dropped
from pipeline.data.prepare import prepare
from tests.pipeline.data.test_formats import read
from tests.pipeline.data.test_tools import coco, write

BOX = [10, 5, 20, 10]  # x, y, width and height as stored, in 60 x 40 pixels
WHITE = np.zeros((40, 60, 3), np.uint8)
WHITE[5:15, 10:30] = 255


def toys(folder, **orientations):
    """Photos by EXIF's orientation, each with its white box annotated as stored. Returns the COCO content."""
    (folder / "toys").mkdir(parents=True)
    for name, orientation in orientations.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(WHITE).save(folder / f"toys/{name}.jpg", exif=exif, quality=95)
    content = coco([f"{name}.jpg" for name in orientations], shape={"bbox": BOX})
    write(folder / "toys.json", content)
    return content


def upright_box(path):
    """x, y, width and height of what is white in the upright photo."""
    with Image.open(path) as file:
        ys, xs = np.nonzero(np.asarray(ImageOps.exif_transpose(file).convert("L")) > 128)
    return [xs.min(), ys.min(), xs.max() + 1 - xs.min(), ys.max() + 1 - ys.min()]


@pytest.mark.parametrize("orientation", [2, 3, 4])
def test_they_are_as_stored_if_the_others_are(tmp_path, orientation):
    toys(tmp_path, turned=orientation, quarter=6)
    said = []
    (report,) = prepare(
        tmp_path / "toys", tmp_path / "toys.json", tmp_path / "out/toys.json", progress=False, tell=said.append
    ).values()
    for name, [row] in read(tmp_path / "out/toys.json").items():
        assert row[1] == upright_box(tmp_path / "out/toys" / name)
    assert "1 photos held upside down or mirrored are taken to be annotated as stored, too" in said[-1]
    assert not report["problems"]
    for dataset in (CocoDataset(tmp_path / "toys"), CocoDataset(tmp_path / "toys").subset([0])):
        assert np.abs(dataset.load_image(0).astype(int) - WHITE).mean() < 5
        assert dataset.boxes(0).tolist() == [[5, 10, 15, 30]]


def test_they_are_upright_if_the_others_are(tmp_path):
    content = toys(tmp_path, turned=3, quarter=6)
    content["images"][1] |= {"width": 40, "height": 60}
    write(tmp_path / "toys.json", content)
    (report,) = prepare(tmp_path / "toys", tmp_path / "toys.json", tmp_path / "out/toys.json", progress=False).values()
    assert read(tmp_path / "out/toys.json")["../../toys/turned.jpg"][0][1] == BOX
    assert not report["problems"]
    assert np.abs(CocoDataset(tmp_path / "toys").load_image(0).astype(int) - WHITE[::-1, ::-1]).mean() < 5


def test_where_the_others_do_not_tell_that_is_said_once(tmp_path):
    content = toys(tmp_path, a=3, b=2, plain=1, empty=4)
    content["annotations"].pop()
    write(tmp_path / "toys.json", content)
    (report,) = prepare(tmp_path / "toys", tmp_path / "toys.json", tmp_path / "out/toys.json", progress=False).values()
    assert report["problems"] == {"held upside down or mirrored, look at it": 2}
    assert list(report["problem_files"]) == ["../../toys/a.jpg", "../../toys/b.jpg"], (
        "nothing is drawn on the empty one"
    )
    (finding,) = dropped(report)
    assert finding.kind == "upside_down" and "2 annotated photos" in finding.what
    assert "held upside down" in json.dumps(report)
