"""Which annotations a photo gets where names fit several: never those of another photo, and none twice."""

import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from PIL import Image

from pipeline.data.formats import open_reader
from pipeline.data.prepare import prepare
from tests.pipeline.data.test_formats import image, read, voc
from tests.pipeline.data.test_tools import CVAT, SQUARE, SQUARE_ROW, coco, labelme, via_entry, via_region, write

HERE, ELSEWHERE = (1, 1, 10, 10), (30, 20, 39, 29)


def annotate(form, folder, number, box):
    """Annotates `NUMBER.jpg` of a part, of 60 x 40 pixels, with a box x1, y1, x2, y2 in one of the formats."""
    x1, y1, x2, y2 = box
    if form == "yolo":
        line = f"0 {(x1 + x2) / 120} {(y1 + y2) / 80} {(x2 - x1) / 60} {(y2 - y1) / 40}\n"
        write(folder / f"labels/{number}.txt", line)
    elif form == "voc":
        voc(folder / f"annotations/{number}.xml", ("cup", x1, y1, x2 - 1, y2 - 1, 0))
    elif form == "coco":
        write(folder / "_annotations.coco.json", coco([f"{number}.jpg"], shape={"bbox": [x1, y1, x2 - x1, y2 - y1]}))
    elif form == "cvat":
        shape = f'<box label="cup" xtl="{x1}" ytl="{y1}" xbr="{x2}" ybr="{y2}"/>'
        photo = f'<image name="{number}.jpg" width="60" height="40">{shape}</image>'
        write(folder / "annotations.xml", f"<annotations>{photo}</annotations>")


@pytest.mark.parametrize("form", ["yolo", "voc", "coco", "cvat"])
def test_annotations_of_a_missing_photo_do_not_go_to_another_part(tmp_path, form):
    for part in ("train", "valid"):
        image(tmp_path / f"toys/{part}/images/{part}.jpg")
    image(tmp_path / "toys/valid/images/2.jpg")
    annotate(form, tmp_path / "toys/train", 2, HERE)
    annotate(form, tmp_path / "toys/valid", 2, ELSEWHERE)
    reports = prepare(tmp_path / "toys", progress=False, format_name=form)
    rows = read(tmp_path / "toys-val.json")
    assert rows["../toys/valid/images/2.jpg"] == [("cup" if form != "yolo" else "class 0", [30, 20, 9, 9], 81, 0)]
    (dropped,) = (
        name
        for report in reports.values()
        for name, reason in report["dropped_files"].items()
        if reason == "image file is missing"
    )
    assert "/train/" in dropped and dropped.endswith("2.jpg")


@pytest.mark.parametrize("folders", [("masks",), ("SegmentationObject", "SegmentationClass")])
def test_masks_of_a_missing_photo_do_not_go_to_another_part(tmp_path, folders):
    pixels = np.zeros((40, 60), np.uint8)
    lefts, kept = {"train": 0, "valid": 30}, {"train": ["1", "3"], "valid": ["2", "4"]}
    for part, left in lefts.items():
        pixels[:] = 0
        pixels[5:15, left : left + 10] = 1
        for name in kept[part]:
            image(tmp_path / f"toys/{part}/images/{name}.jpg")
        for path in (tmp_path / f"toys/{part}/{folder}/{name}.png" for folder in folders for name in "123"):
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(pixels).save(path)
    prepare(tmp_path / "toys", progress=False)
    for out, part, name in (("train", "train", "1"), ("train", "train", "3"), ("val", "valid", "2")):
        (row,) = read(tmp_path / f"toys-{out}.json")[f"../toys/{part}/images/{name}.jpg"]
        assert row[1] == [lefts[part], 5, 10, 10]


def test_a_photo_named_with_its_part_is_not_that_of_another(tmp_path):
    image(tmp_path / "toys/train/1.jpg")
    image(tmp_path / "toys/val/2.jpg")
    write(tmp_path / "toys/all.json", coco(["train/1.jpg", "train/2.jpg"]))
    reader = open_reader("auto", tmp_path / "toys")
    assert reader.images == [tmp_path / "toys/train/1.jpg", tmp_path / "toys/train/2.jpg"]


def test_a_photo_of_another_ending_in_the_same_part_goes_before_one_of_the_name_in_another(tmp_path):
    for name in ("train/images/1.jpg", "val/images/1.png"):
        image(tmp_path / "toys" / name)
    write(tmp_path / "toys/train/some.json", coco(["1.png"]))
    assert open_reader("auto", tmp_path / "toys").images == [tmp_path / "toys/train/images/1.jpg"]


def test_a_file_named_for_a_part_may_name_photos_of_a_folder_of_all(tmp_path):
    image(tmp_path / "toys/train2017/1.jpg")
    write(tmp_path / "files/instances_val2017.json", coco(["1.jpg"]))
    reader = open_reader("auto", tmp_path / "toys", tmp_path / "files")
    assert reader.images == [tmp_path / "toys/train2017/1.jpg"]
    image(tmp_path / "toys/val2017/2.jpg")  # now the parts have folders
    reader = open_reader("auto", tmp_path / "toys", tmp_path / "files")
    assert reader.images == [tmp_path / "toys/1.jpg"], "which is missing"


def test_of_two_files_of_one_photo_the_likelier_counts_and_the_other_is_named(tmp_path):
    image(tmp_path / "toys/b/images/2.jpg")
    write(tmp_path / "toys/a/labels/2.txt", "0 0.1 0.1 0.1 0.1\n")
    write(tmp_path / "toys/b/labels/2.txt", "0 0.5 0.5 0.5 0.25\n")
    (report,) = prepare(tmp_path / "toys", progress=False).values()
    assert read(tmp_path / "toys.json") == {"b/images/2.jpg": [("class 0", [15, 15, 30, 10], 300, 0)]}
    assert report["dropped_files"] == {"a/labels/2.jpg": "image file is missing"}
    assert any("1 annotation files fit a photo that another file fits better" in note for note in report["notes"])


def test_of_two_rows_of_one_photo_the_one_with_its_path_counts(tmp_path):
    image(tmp_path / "toys/b/2.jpg")
    for folder, left in (("a", 1), ("b", 30)):
        write(tmp_path / f"toys/{folder}/some.json", coco(["2.jpg"], shape={"bbox": [left, 1, 9, 9]}))
    (report,) = prepare(tmp_path / "toys", progress=False).values()
    assert read(tmp_path / "toys.json") == {"b/2.jpg": [("cup", [30, 1, 9, 9], 81, 0)]}
    assert report["dropped_files"] == {"2.jpg": "image file is missing"}


def test_files_that_differ_and_fit_a_photo_alike_are_an_error_and_copies_are_none(tmp_path):
    image(tmp_path / "toys/images/1.jpg")
    for folder in ("new", "old"):
        voc(tmp_path / f"toys/{folder}/1.xml", ("cup", 0, 0, 9, 9, 0))
    reader = open_reader("auto", tmp_path / "toys")
    assert reader.images == [tmp_path / "toys/images/1.jpg"]
    assert reader.notes == ["1 annotation files are copies of others: each photo has its annotations once"]
    voc(tmp_path / "toys/old/1.xml", ("cup", 0, 0, 19, 9, 0))
    with pytest.raises(ValueError, match=r"new/1.xml and .*old/1.xml differ, and both are of .*--annotations"):
        open_reader("auto", tmp_path / "toys")


def test_a_labelme_file_that_names_the_photo_of_another_one(tmp_path):
    shape = {"label": "cup", "shape_type": "polygon", "points": SQUARE}
    for name in ("a", "b"):
        image(tmp_path / f"toys/{name}.jpg")
        write(tmp_path / f"toys/{name}.json", labelme("a.jpg", [shape] * (1 + (name == "b"))))
    (report,) = prepare(tmp_path / "toys", progress=False).values()
    assert read(tmp_path / "toys.json") == {"a.jpg": [SQUARE_ROW]}
    assert report["dropped_files"] == {"b.jpg": "not in the annotations", "b.json.jpg": "image file is missing"}
    assert any(note.endswith("b.json beside " + str(tmp_path / "toys/a.json")) for note in report["notes"])


def test_a_via_project_and_its_export_count_once(tmp_path):
    image(tmp_path / "toys/a.jpg")
    polygon = via_region("polygon", {"name": "cup"}, all_points_x=[10, 30, 30, 10], all_points_y=[10, 10, 20, 20])
    entries = {"a.jpg1000": via_entry("a.jpg", [polygon])}
    write(tmp_path / "toys/export.json", entries)
    write(tmp_path / "toys/project.json", {"_via_settings": {}, "_via_img_metadata": entries})
    (report,) = prepare(tmp_path / "toys", progress=False).values()
    assert read(tmp_path / "toys.json") == {"a.jpg": [SQUARE_ROW]}
    assert report["notes"] == ["1 photos are named more than once: 1 objects that repeat count once"]


def test_two_coco_files_of_one_photo(tmp_path):
    """What repeats counts once; what differs counts, and that is said, as one may be an older state."""
    image(tmp_path / "toys/a.jpg")
    content = coco(["a.jpg"])
    write(tmp_path / "toys/annotations.json", content)
    content["annotations"].append({"id": 9, "image_id": 0, "category_id": 0, "bbox": [1, 1, 9, 9]})
    write(tmp_path / "toys/annotations_old.json", content)
    (report,) = prepare(tmp_path / "toys", progress=False).values()
    assert read(tmp_path / "toys.json") == {"a.jpg": [SQUARE_ROW, ("cup", [1, 1, 9, 9], 81, 0)]}
    assert report["notes"] == [
        "1 photos are named more than once: 1 objects that repeat count once",
        "for 1 of these photos the entries differ, and the objects of all count (a.jpg): if one file is an older "
        "state, take it away",
    ]
    content["images"][0] |= {"width": 120, "height": 80}
    write(tmp_path / "toys/annotations_old.json", content)
    with pytest.raises(ValueError, match="annotated at different sizes in different files"):
        prepare(tmp_path / "toys", progress=False)


def test_two_jobs_of_cvat_with_one_photo(tmp_path):
    image(tmp_path / "toys/a.jpg")
    image(tmp_path / "toys/b.jpg")
    for job in range(2):
        root = ElementTree.fromstring(CVAT)
        for shape in root.find("image"):
            shape.set("z_order", str(job))
        write(tmp_path / f"toys/job_{job}.xml", ElementTree.tostring(root, "unicode"))
    (report,) = prepare(tmp_path / "toys", progress=False).values()
    assert len(read(tmp_path / "toys.json")["a.jpg"]) == 8
    assert json.dumps(report["notes"]).count("2 photos are named more than once: 9 objects") == 1
