import csv
import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO
from skimage import data

from interface.downloads import write_archive
from interface.settings import Settings


@pytest.fixture
def folder(analysis, tmp_path):
    """The files of the ZIP, unpacked."""
    Image.fromarray(data.chelsea()).save(tmp_path / "my cat.png")
    path = write_archive(tmp_path / "cache", tmp_path / "my cat.png", analysis, Settings(confidence=0.2))
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "unpacked")
    return tmp_path / "unpacked" / "my cat"


def test_files(folder):
    assert sorted(path.name for path in folder.iterdir()) == [
        "coco.json",
        "cutout-01-cat.png",
        "cutout-02-dog.png",
        "cutout-all.png",
        "instances-16bit.png",
        "objects.csv",
        "overlay.png",
        "semantic-classes.png",
    ]


def test_pictures_have_the_photos_own_size_and_agree(analysis, folder):
    found = analysis.detections.instances(0.2)
    pictures = {}
    for path in folder.glob("*.png"):
        with Image.open(path) as image:
            pictures[path.stem] = image.mode, np.array(image)
    mode, overlay = pictures["overlay"]
    assert mode == "RGB" and overlay.shape == (300, 451, 3)
    mode, instances = pictures["instances-16bit"]
    assert mode == "I;16"
    np.testing.assert_array_equal(instances, found.instance_map())
    mode, semantic = pictures["semantic-classes"]
    assert mode == "P"
    np.testing.assert_array_equal(semantic, found.semantic_map())
    mode, everything = pictures["cutout-all"]
    assert mode == "RGBA" and everything.shape == (300, 451, 4)
    np.testing.assert_array_equal(everything[..., 3] > 0, found.masks.any(axis=0))
    mode, cat = pictures["cutout-01-cat"]
    assert max(cat.shape[:2]) <= 200 and (cat[..., 3] > 0).sum() == found.areas[0]


def test_coco(analysis, folder):
    document = COCO(folder / "coco.json")
    found = analysis.detections.instances(0.2)
    assert [document.loadCats(row["category_id"])[0]["name"] for row in document.anns.values()] == [
        "cat",
        "<dog>",
    ]
    for row, annotation in enumerate(document.anns.values()):
        np.testing.assert_array_equal(document.annToMask(annotation), found.masks[row])
    text = json.loads((folder / "coco.json").read_text())
    assert text["images"] == [{"id": 1, "file_name": "my cat.png", "width": 451, "height": 300}]
    assert text["info"]["milliseconds"] == 12.3


def test_table(analysis, folder):
    rows = list(csv.DictReader(io.StringIO((folder / "objects.csv").read_text())))
    assert [row["class"] for row in rows] == ["cat", "<dog>"]
    assert [float(row["score"]) for row in rows] == pytest.approx([0.9, 0.3])
    assert [int(row["area_px"]) for row in rows] == analysis.detections.instances(0.2).areas.tolist()
    assert [float(rows[0][edge]) for edge in ("x1", "y1", "x2", "y2")] == [40, 50, 240, 250]


def test_archives_cannot_be_guessed(analysis, tmp_path):
    Image.fromarray(data.chelsea()).save(tmp_path / "cat.png")
    paths = {write_archive(tmp_path, tmp_path / "cat.png", analysis, Settings()) for _ in range(2)}
    assert len(paths) == 2
