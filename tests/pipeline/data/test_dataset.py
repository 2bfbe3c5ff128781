"""The data set interface on a COCO file small enough to read."""

import json

import numpy as np
import pytest
from PIL import Image

from pipeline.data.dataset import IGNORE, CocoDataset


@pytest.fixture
def folder(tmp_path):
    """Two images of 32 x 40: one with RLE, polygon, crowd and empty rows, one without instances."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        Image.new("RGB", (40, 32), (10, 20, 30)).save(folder / name)
    # uncompressed RLE, columns first: rows 1 and 2 of column 0, all of column 1
    rle = {"size": [32, 40], "counts": [1, 2, 29, 32, 1216]}
    crowd = {"size": [32, 40], "counts": [1248, 32]}
    rows = [
        {"id": 1, "image_id": 7, "category_id": 17, "iscrowd": 0, "segmentation": rle},
        {"id": 2, "image_id": 7, "category_id": 3, "iscrowd": 0, "segmentation": [[4, 2, 8, 2, 8, 5, 4, 5]]},
        {"id": 3, "image_id": 7, "category_id": 3, "iscrowd": 1, "segmentation": crowd},
        {"id": 4, "image_id": 7, "category_id": 3, "iscrowd": 0, "segmentation": {"size": [32, 40], "counts": [1280]}},
    ]
    content = {
        "images": [
            {"id": 7, "file_name": "a.png", "height": 32, "width": 40},
            {"id": 9, "file_name": "b.png", "height": 32, "width": 40},
        ],
        "categories": [{"id": 17, "name": "cat"}, {"id": 3, "name": "ant"}],
        "annotations": rows,
    }
    (tmp_path / "photos.json").write_text(json.dumps(content))
    return folder


def test_classes_are_numbered_by_category_id(folder):
    dataset = CocoDataset(folder)
    assert dataset.class_names == ("ant", "cat")
    assert dataset.category_ids == (3, 17)
    assert dataset.image_ids == [7, 9]
    assert [dataset.has_instances(image_id) for image_id in dataset.image_ids] == [True, False]


def test_masks_are_exact(folder):
    masks, class_ids = CocoDataset(folder).load_mask(7)
    assert masks.dtype == bool
    assert masks.shape == (32, 40, 2), "the crowd row and the empty row are not instances"
    assert class_ids.tolist() == [2, 1]
    expected = np.zeros((32, 40), bool)
    expected[1:3, 0] = expected[:, 1] = True
    assert (masks[:, :, 0] == expected).all()
    expected = np.zeros((32, 40), bool)
    expected[2:5, 4:8] = True
    assert (masks[:, :, 1] == expected).all()


def test_a_image_without_instances_has_an_empty_mask(folder):
    masks, class_ids = CocoDataset(folder).load_mask(9)
    assert masks.shape == (32, 40, 0)
    assert class_ids.shape == (0,)
    assert class_ids.dtype == np.int32


def test_crowd_rows_are_ignore_regions(folder):
    windows, class_ids, _ = CocoDataset(folder).windows(7)
    assert class_ids.tolist() == [2, 1, IGNORE]
    assert (windows[2].top, windows[2].left, windows[2].mask.shape) == (0, 39, (32, 1))


def test_load_image(folder):
    assert CocoDataset(folder).load_image(7).tolist()[0][0] == [10, 20, 30]


def test_a_image_keeps_the_orientation_of_its_annotations(folder):
    """Annotations of 32 x 40 belong to the stored pixels, whatever the camera's rotation flag says."""
    image = Image.new("RGB", (40, 32))
    rotated = image.getexif()
    rotated[0x0112] = 6  # turn by 90 degrees
    image.save(folder / "a.png", exif=rotated)
    assert CocoDataset(folder).load_image(7).shape == (32, 40, 3)
    image.resize((41, 32)).save(folder / "a.png")
    with pytest.raises(ValueError, match="its annotations are for"):
        CocoDataset(folder).load_image(7)


def test_problems_are_said_in_one_sentence(folder):
    with pytest.raises(ValueError, match="is not a folder"):
        CocoDataset(folder / "nowhere")
    (folder / "b.png").unlink()
    with pytest.raises(ValueError, match=r"1 images of .* are missing, the first is 'b.png'"):
        CocoDataset(folder)
    for text in ("[]", "{", "\xff"):
        folder.with_suffix(".json").write_bytes(text.encode("latin-1"))
        with pytest.raises(ValueError, match="is not COCO instance JSON"):
            CocoDataset(folder)
    folder.with_suffix(".json").unlink()
    with pytest.raises(ValueError, match="is missing: it should hold the COCO annotations"):
        CocoDataset(folder)


@pytest.mark.parametrize(
    ("part", "change", "reason"),
    [
        ("images", {"height": None}, "image 7 has no size in whole pixels"),
        ("images", {"file_name": 3}, "expected str, bytes or os.PathLike"),
        ("annotations", {"image_id": 8}, "annotation 1 is of image 8, which is not listed"),
        ("annotations", {"segmentation": []}, "annotation 1 has neither segmentation nor bbox"),
        ("annotations", {"segmentation": None, "bbox": [1, 2, 3]}, r"bbox is \[1, 2, 3\], expected x, y, width"),
    ],
)
def test_wrong_entries_are_named(folder, part, change, reason):
    path = folder.with_suffix(".json")
    content = json.loads(path.read_text())
    content[part][0] |= change
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=f"is not COCO instance JSON: .*{reason}"):
        CocoDataset(folder)


@pytest.mark.parametrize("part, key", [("images", "width"), ("annotations", "category_id"), ("categories", "name")])
def test_missing_entries_are_named(folder, part, key):
    path = folder.with_suffix(".json")
    content = json.loads(path.read_text())
    del content[part][0][key]
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=f"is not COCO instance JSON: an entry lacks '{key}'"):
        CocoDataset(folder)


def test_a_mask_that_cannot_be_decoded_is_named(folder):
    path = folder.with_suffix(".json")
    content = json.loads(path.read_text())
    content["annotations"][1]["segmentation"] = [[4, 2, float("nan"), 2, 8, 5]]
    path.write_text(json.dumps(content))
    dataset = CocoDataset(folder)
    with pytest.raises(ValueError, match=r"photos.json: annotation 2 cannot be decoded: a polygon lies outside"):
        dataset.load_mask(7)


def test_area_and_box_are_worked_out_where_the_file_has_none(folder):
    path = folder.with_suffix(".json")
    content = json.loads(path.read_text())
    content["annotations"][0].pop("iscrowd")
    path.write_text(json.dumps(content))
    rows = {row["id"]: row for row in CocoDataset(folder).to_coco()["annotations"]}
    assert (rows[1]["area"], rows[1]["bbox"], rows[1]["iscrowd"]) == (34, [0, 0, 2, 32], 0)
    assert (rows[2]["area"], rows[2]["bbox"]) == (12, [4, 2, 4, 3])
    assert (rows[3]["iscrowd"], rows[4]["area"]) == (1, 0)


def test_an_instance_with_a_box_alone_is_a_filled_box_of_unknown_outline(folder):
    path = folder.with_suffix(".json")
    content = json.loads(path.read_text())
    del content["annotations"][1]["segmentation"]
    content["annotations"][1]["bbox"] = [3.6, 2, 8.4, 40]
    path.write_text(json.dumps(content))
    dataset = CocoDataset(folder)
    windows, class_ids, outlined = dataset.windows(7)
    assert outlined.tolist() == [True, False, True]
    assert class_ids.tolist() == [2, 1, IGNORE]
    box = windows[1]
    assert (box.top, box.left, box.mask.shape) == (2, 4, (30, 8)), "whole pixels, cut to the image"
    assert box.mask.all()
    row = next(row for row in dataset.to_coco()["annotations"] if row["id"] == 2)
    assert row["box_only"]
    assert dataset.count_box_only() == 1
    assert (row["bbox"], row["area"]) == ([3.6, 2, 8.4, 40], 240)


def test_no_images_at_all(folder):
    folder.with_suffix(".json").write_text('{"images": [], "annotations": [], "categories": []}')
    with pytest.raises(ValueError, match="names no images"):
        CocoDataset(folder)


def change(folder, part, row, **entries):
    path = folder.with_suffix(".json")
    content = json.loads(path.read_text())
    content[part][row] |= entries
    path.write_text(json.dumps(content))
    return folder


def test_annotations_are_numbered_from_1_whatever_the_file_has(folder):
    change(folder, "annotations", 0, id=0)
    assert [row["id"] for row in CocoDataset(folder).to_coco()["annotations"]] == [1, 2, 3, 4]


def test_two_images_of_one_id_are_refused(folder):
    change(folder, "images", 1, id=7)
    with pytest.raises(ValueError, match="is not COCO instance JSON: two images have the id 7"):
        CocoDataset(folder)


@pytest.mark.parametrize(
    "nothing", [{"bbox": None, "area": None}, {"bbox": []}, {"bbox": [4, 2, None, 3], "area": "x"}]
)
def test_a_box_and_an_area_that_are_none_are_worked_out_from_the_outline(folder, nothing):
    dataset = CocoDataset(change(folder, "annotations", 1, **nothing))
    row = dataset.to_coco()["annotations"][1]
    assert (row["area"], row["bbox"]) == (12, [4, 2, 4, 3])
    assert dataset.boxes(7)[1].tolist() == [2, 4, 5, 8]


def test_an_area_that_is_none_is_worked_out_from_a_box_alone(folder):
    change(folder, "annotations", 1, segmentation=[], bbox=[4, 2, 4, 3], area=None)
    row = CocoDataset(folder).to_coco()["annotations"][1]
    assert (row["area"], row["bbox"], row["box_only"]) == (12, [4, 2, 4, 3], True)


@pytest.mark.parametrize("box", [None, []])
def test_neither_an_outline_nor_a_box_is_refused(folder, box):
    change(folder, "annotations", 1, segmentation=None, bbox=box)
    with pytest.raises(ValueError, match="annotation 2 has neither segmentation nor bbox"):
        CocoDataset(folder)
