import csv
import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from pycocotools.coco import COCO
from skimage import data

from interface.downloads import EVERYTHING, download_choices, write_download
from interface.settings import Settings
from mrcnn.results import drawing


@pytest.fixture
def folder(analysis, tmp_path):
    """The files of the ZIP, unpacked."""
    Image.fromarray(data.chelsea()).save(tmp_path / "my cat.png")
    path = write_download(tmp_path / "cache", tmp_path / "my cat.png", analysis, Settings(confidence=0.2))
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "unpacked")
    return tmp_path / "unpacked" / "my cat"


def test_files(folder):
    assert sorted(path.name for path in folder.iterdir()) == [
        "coco-polygons.json",
        "coco.json",
        "cutout-01-cat.png",
        "cutout-02-dog.png",
        "cutout-all.png",
        "instances-16bit.png",
        "labelme.json",
        "objects.csv",
        "overlay.png",
        "semantic-classes.png",
    ]


def test_images_have_the_photos_own_size_and_agree(analysis, folder):
    found = analysis.detections.instances(0.2)
    images = {}
    for path in folder.glob("*.png"):
        with Image.open(path) as image:
            images[path.stem] = image.mode, np.array(image)
    mode, overlay = images["overlay"]
    assert mode == "RGB" and overlay.shape == (300, 451, 3)
    mode, instances = images["instances-16bit"]
    assert mode == "I;16"
    np.testing.assert_array_equal(instances, found.instance_map())
    with Image.open(folder / "semantic-classes.png") as image:
        colours = np.array(image.getpalette()).reshape(-1, 3)
    np.testing.assert_array_equal(colours[:3], [drawing.class_colour(class_id) for class_id in range(3)])
    mode, semantic = images["semantic-classes"]
    assert mode == "P"
    np.testing.assert_array_equal(semantic, found.semantic_map())
    mode, everything = images["cutout-all"]
    assert mode == "RGBA" and everything.shape == (300, 451, 4)
    union = found.masks.any(axis=0)
    assert ((everything[..., 3] > 127) & union).sum() > 0.95 * ((everything[..., 3] > 127) | union).sum()
    mode, cat = images["cutout-01-cat"]
    assert mode == "RGBA" and max(cat.shape[:2]) <= 225
    assert (cat[..., 3] > 127).sum() == pytest.approx(found.areas[0], rel=0.05)


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


def overlap(mask, other):
    """Intersection over union."""
    return (mask & other).sum() / (mask | other).sum()


def test_coco_polygons(analysis, folder):
    document = COCO(folder / "coco-polygons.json")
    found = analysis.detections.instances(0.2)
    assert len(document.anns) == len(found) == 2
    for row, annotation in enumerate(document.anns.values()):
        assert all(len(polygon) >= 6 for polygon in annotation["segmentation"])
        assert overlap(document.annToMask(annotation).astype(bool), found.masks[row]) > 0.98


@pytest.mark.parametrize("name, least", [("coco.json", 1.0), ("coco-polygons.json", 0.95)])
def test_supervision_reads_them(analysis, folder, name, least):
    supervision = pytest.importorskip("supervision")
    shutil.copy(folder.parent.parent / "my cat.png", folder)
    data_set = supervision.DetectionDataset.from_coco(str(folder), str(folder / name), force_masks=True)
    assert data_set.classes == ["cat", "<dog>"]
    ((path, photo, read),) = data_set
    assert path.endswith("my cat.png") and photo.shape == (300, 451, 3)
    assert read.class_id.tolist() == [0, 1]
    np.testing.assert_allclose(read.xyxy, [[50, 60, 230, 240], [258, 105, 392, 195]], atol=1)
    for mask, expected in zip(read.mask, analysis.detections.instances(0.2).masks, strict=True):
        assert overlap(mask, expected) >= least


def test_labelme(analysis, folder):
    """The keys are those that labelme's LabelFile reads, and the masks are filled as its utils do: by Pillow."""
    document = json.loads((folder / "labelme.json").read_text())
    assert set(document) >= {"version", "flags", "shapes", "imagePath", "imageData", "imageHeight", "imageWidth"}
    assert document["imagePath"] == "my cat.png" and document["imageData"] is None
    found = analysis.detections.instances(0.2)
    filled = np.zeros((2, 300, 451), bool)
    for shape in document["shapes"]:
        assert set(shape) >= {"label", "points", "group_id", "description", "shape_type", "flags", "mask"}
        assert shape["shape_type"] == "polygon" and shape["label"] == found.class_names[shape["group_id"] - 1]
        canvas = Image.new("1", (451, 300))
        ImageDraw.Draw(canvas).polygon([tuple(point) for point in shape["points"]], fill=1)
        filled[shape["group_id"] - 1] |= np.array(canvas)
    for mask, expected in zip(filled, found.masks, strict=True):
        assert overlap(mask, expected) > 0.95


def test_single_files_are_those_of_the_archive(analysis, folder, tmp_path):
    photo = tmp_path / "my cat.png"
    offered = dict(download_choices(["cat", "<dog>"]))
    assert offered.pop("All results (ZIP)") == EVERYTHING
    assert offered["Cut-out 2, <dog> (PNG)"] == "cutout-02-dog.png"
    animations = {offered.pop(f"Before and after (animated {kind})") for kind in ("WebP", "GIF")}
    assert sorted(offered.values()) == sorted(path.name for path in folder.iterdir())
    for name in animations:
        path = write_download(tmp_path / "single", photo, analysis, Settings(confidence=0.2), name)
        with Image.open(path) as image:
            assert image.n_frames > 20 and image.size == (451, 300)
    for name in offered.values():
        path = Path(write_download(tmp_path / "single", photo, analysis, Settings(confidence=0.2), name))
        assert path.name == f"my cat-{name}"
        assert path.read_bytes() == (folder / name).read_bytes()


def test_a_file_that_is_not_offered_any_more(analysis, folder, tmp_path):
    photo = tmp_path / "my cat.png"
    for name in ("cutout-02-dog.png", "../../secret", "objects"):
        with pytest.raises(ValueError, match="There is no .* for what is shown now"):
            write_download(tmp_path / "single", photo, analysis, Settings(confidence=0.5), name)
    assert not list((tmp_path / "single").iterdir())


def test_table(analysis, folder):
    rows = list(csv.DictReader(io.StringIO((folder / "objects.csv").read_text())))
    assert [row["class"] for row in rows] == ["cat", "<dog>"]
    assert [float(row["score"]) for row in rows] == pytest.approx([0.9, 0.3])
    assert [int(row["area_px"]) for row in rows] == analysis.detections.instances(0.2).areas.tolist()
    assert [float(rows[0][edge]) for edge in ("x1", "y1", "x2", "y2")] == [50, 60, 230, 240]


def test_files_cannot_be_guessed(analysis, tmp_path):
    Image.fromarray(data.chelsea()).save(tmp_path / "cat.png")
    paths = {write_download(tmp_path, tmp_path / "cat.png", analysis, Settings()) for _ in range(2)}
    assert len(paths) == 2
