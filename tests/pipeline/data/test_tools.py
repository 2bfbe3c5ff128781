"""What annotation tools write: a small file of each, as the tool's documentation shows it, with literal results."""

import base64
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mrcnn import Instances
from mrcnn.results.documents import labelme_document, yolo_document
from pipeline.data import prepare
from pipeline.data.dataset import CocoDataset
from pipeline.data.report import next_command
from tests.drawn import draw
from tests.pipeline.data.test_formats import image, read, voc

ROOT = Path(__file__).parents[3]
SQUARE = [[10, 10], [30, 10], [30, 20], [10, 20]]
SQUARE_ROW = ("cup", [10, 10, 20, 10], 200, 0)
FLAT = [value for point in SQUARE for value in point]


def run(*given, **options):
    """Prepares a folder; returns the report of its only part."""
    (report,) = prepare.prepare(*given, progress=False, tell=print, **options).values()
    return report


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def via_region(name, attributes, **shape):
    return {"shape_attributes": {"name": name, **shape}, "region_attributes": attributes}


def via_entry(name, regions):
    return {
        "fileref": "",
        "size": 1000,
        "filename": name,
        "base64_img_data": "",
        "file_attributes": {},
        "regions": regions,
    }


def test_via_1_regions_by_number_and_without_a_class(tmp_path, capsys):
    image(tmp_path / "toys/a.jpg")
    polygon = via_region("polygon", {}, all_points_x=[10, 30, 30, 10], all_points_y=[10, 10, 20, 20])
    write(tmp_path / "toys/via_region_data.json", {"a.jpg1000": via_entry("a.jpg", {"0": polygon})})
    run(tmp_path / "toys")
    assert read(tmp_path / "toys.json") == {"a.jpg": [("object", *SQUARE_ROW[1:])]}
    assert "1 VIA file of 1 photos, classes: object\n" in capsys.readouterr().out
    run(tmp_path / "toys", class_names=["cup"])
    assert read(tmp_path / "toys.json") == {"a.jpg": [SQUARE_ROW]}


def test_a_via_2_project_with_every_shape(tmp_path):
    image(tmp_path / "toys/a.jpg")
    image(tmp_path / "toys/b.jpg")
    cup, plate = {"type": "cup", "note": ""}, {"type": {"plate": True, "bowl": False}}
    regions = [
        via_region("rect", cup, x=10, y=10, width=20, height=10),
        via_region("circle", plate, cx=30, cy=20, r=10),
        via_region("ellipse", cup, cx=30, cy=20, rx=20, ry=5, theta=np.pi / 2),
        via_region("polyline", cup, all_points_x=[10, 30, 30, 10], all_points_y=[10, 10, 20, 20]),
    ]
    entries = {
        "a.jpg1": via_entry("a.jpg", regions),
        "b.jpg1": via_entry("b.jpg", [via_region("point", cup, cx=1, cy=1)]),
    }
    project = {"_via_settings": {}, "_via_img_metadata": entries, "_via_attributes": {"region": {}, "file": {}}}
    write(tmp_path / "toys/project.json", project)
    report = run(tmp_path / "toys")
    rows = read(tmp_path / "toys.json")
    assert rows["a.jpg"][0] == rows["a.jpg"][3] == SQUARE_ROW
    (circle, ellipse) = rows["a.jpg"][1:3]
    assert circle[:2] == ("plate", [20, 10, 20, 20])
    assert ellipse[:2] == ("cup", [25, 0, 10, 40])
    assert (circle[2], ellipse[2]) == pytest.approx((np.pi * 100, np.pi * 100), rel=0.03)
    assert rows["b.jpg"] == [("cup", [0, 0, 17, 17], 289, 1)], "a point has no outline: no negative, ignored around it"
    assert report["problem_files"] == {"b.jpg": ["a VIA point has no outline"]}


def labelme(photo, shapes, size=(40, 60), data=None):
    return {
        "version": "5.5.0",
        "flags": {},
        "shapes": [{"group_id": None, "description": "", "flags": {}, "mask": None, **shape} for shape in shapes],
        "imagePath": photo,
        "imageData": data,
        "imageHeight": size[0],
        "imageWidth": size[1],
    }


def png(array):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode("ascii")


def test_labelme_shapes(tmp_path, capsys):
    image(tmp_path / "toys/a.jpg")
    mask = np.zeros((5, 8), np.uint8)
    mask[1:4, 2:6] = 255
    shapes = [
        {"label": "cup", "shape_type": "polygon", "points": SQUARE},
        {"label": "cup", "shape_type": "rectangle", "points": [[30, 20], [10, 10]]},
        {"label": "plate", "shape_type": "circle", "points": [[30, 20], [30, 30]]},
        {"label": "cup", "shape_type": "mask", "points": [[20, 12], [27, 16]], "mask": png(mask)},
        {"label": "cup", "shape_type": "polygon", "points": [[0, 0], [4, 0], [4, 4], [0, 4]], "group_id": 7},
        {"label": "cup", "shape_type": "polygon", "points": [[8, 0], [12, 0], [12, 4], [8, 4]], "group_id": 7},
        {"label": "spoon", "shape_type": "line", "points": [[1, 30], [9, 38]]},
        {"label": "spoon", "shape_type": "point", "points": [[30, 20]]},
    ]
    write(tmp_path / "toys/a.json", labelme("..\\photos\\A.JPG", shapes))
    report = run(tmp_path / "toys")
    assert "1 labelme file, classes: cup, plate, spoon\n" in capsys.readouterr().out
    (rows,) = read(tmp_path / "toys.json").values()
    assert rows[:2] == [SQUARE_ROW, SQUARE_ROW]
    assert rows[2][:2] == ("plate", [20, 10, 20, 20])
    assert rows[3] == ("cup", [22, 13, 4, 3], 12, 0)
    assert rows[4] == ("cup", [0, 0, 12, 4], 32, 0), "two polygons of one group are one object"
    assert rows[5] == ("spoon", [1, 30, 8, 8], 64, 1), "its box, ignored"
    assert rows[6] == ("spoon", [14, 4, 32, 32], 1024, 1), "around it"
    assert report["problem_files"] == {"a.jpg": ["a labelme line has no outline", "a labelme point has no outline"]}


def test_a_photo_within_its_labelme_file(tmp_path):
    pixels = draw(np.random.default_rng(0), 64, 1)[0]
    shape = {"label": "cup", "shape_type": "polygon", "points": SQUARE}
    write(tmp_path / "labels/a.json", labelme("gone.png", [shape], (64, 64), png(pixels)))
    run(tmp_path / "labels")
    dataset = CocoDataset(tmp_path / "labels")
    assert (dataset.load_image(1) == pixels).all()
    run(tmp_path / "labels")  # which now finds it written
    assert read(tmp_path / "labels.json") == {"a.png": [SQUARE_ROW]}


def test_a_file_that_labelme_wrote(tmp_path):
    """`sample_labelme.json` was written by `labelme._label_file.LabelFile.save` of labelme 6.3.1."""
    sample = json.loads((Path(__file__).parent / "sample_labelme.json").read_text())
    image(tmp_path / "toys" / sample["imagePath"])
    write(tmp_path / "toys/a.json", sample)
    run(tmp_path / "toys")
    rows = read(tmp_path / "toys.json")[sample["imagePath"]]
    assert rows == [SQUARE_ROW, ("plate", [20, 5, 15, 10], 150, 0), ("cup", [22, 13, 4, 3], 12, 0)]


@pytest.mark.parametrize("form", ["labelme", "yolo"])
def test_predictions_that_a_person_corrects_come_back_as_the_same_masks(tmp_path, form):
    pixels, masks = draw(np.random.default_rng(1), 128, 2)
    masks[0, 40:60, :] &= False  # two parts
    y, x = np.argwhere(masks[1]).mean(axis=0).astype(int)
    masks[1, y - 3 : y + 3, x - 3 : x + 3] = False  # and a hole
    found = Instances.from_masks(masks, [1, 2], [0.9, 0.8], ["cup", "plate"])
    (tmp_path / "toys").mkdir()
    Image.fromarray(pixels).save(tmp_path / "toys/a.png")
    if form == "labelme":
        write(tmp_path / "toys/a.json", labelme_document(found, "a.png"))
    else:
        write(tmp_path / "toys/a.txt", yolo_document(found))
        write(tmp_path / "toys/classes.txt", "cup\nplate\n")
    run(tmp_path / "toys")
    dataset = CocoDataset(tmp_path / "toys")
    again, class_ids = dataset.load_mask(1)
    assert [dataset.class_names[class_id - 1] for class_id in class_ids] == ["cup", "plate"]
    for row in range(2):
        shared = (again[..., row] & masks[row]).sum() / (again[..., row] | masks[row]).sum()
        assert shared > 0.97  # outlines keep half a pixel


LAYOUTS = {
    "Ultralytics": ("images/train/a.b.jpg", "labels/train/a.b.txt"),
    "Roboflow": ("train/images/a.b.jpg", "train/labels/a.b.txt"),
    "Darknet": ("a.b.jpg", "a.b.txt"),
}


@pytest.mark.parametrize("names", ["names: [plate, cup]", "names:\n  0: plate\n  1: cup\n"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_yolo_polygons_and_boxes(tmp_path, layout, names):
    photo, labels = LAYOUTS[layout]
    image(tmp_path / "toys" / photo)
    bare = image((tmp_path / "toys" / photo).with_name("bare.jpg"))
    polygon = " ".join(f"{x / 60:.6f} {y / 40:.6f}" for x, y in SQUARE)
    write(tmp_path / "toys" / labels, f"1 {polygon}\n0 0.5 0.5 0.5 0.25\n1 0.1 nonsense\n")
    write(tmp_path / "toys/data.yaml", f"train: ../train/images\nnc: 2\n{names}\n")
    report = run(tmp_path / "toys")
    assert read(tmp_path / "toys.json") == {
        photo: [SQUARE_ROW, ("plate", [15, 15, 30, 10], 300, 0), ("cup", [0, 0, 60, 40], 2400, 1)],
        str(bare.relative_to(tmp_path / "toys")): [],
    }
    assert report["box_only"] == 1
    assert "1 photos have no text file: as YOLO has it, there is no object in them" in report["notes"]


def test_yolo_labels_are_recognised_behind_many_photos_without_objects(tmp_path):
    for number in range(30):
        image(tmp_path / f"toys/{number:02d}.jpg")
        write(tmp_path / f"toys/{number:02d}.txt", "0 0.5 0.5 0.5 0.25\n" if number == 29 else "\n" * (number % 2))
    report = run(tmp_path / "toys")
    assert (report["format"], report["images"], report["images_with_instances"]) == ("yolo", 30, 1)


def test_one_part_of_a_yolo_export_has_its_names_above_it(tmp_path):
    image(tmp_path / "toys/train/images/a.jpg")
    write(tmp_path / "toys/train/labels/a.txt", "0 0.5 0.5 0.5 0.25\n")
    for paths in ("train: ../train/images", "path: /content/toys\ntrain: [train/images]", "path: .\nval: train"):
        write(tmp_path / "toys/data.yaml", f"{paths}\nnames: [cup]\n")
        run(tmp_path / "toys/train")
        assert read(tmp_path / "toys/train.json") == {"images/a.jpg": [("cup", [15, 15, 30, 10], 300, 0)]}


@pytest.mark.parametrize("paths", ["", "train: images/train\n", "path: ../coco\ntrain: train/images\n"])
def test_names_above_that_are_of_other_data(tmp_path, paths):
    image(tmp_path / "toys/a.jpg")
    write(tmp_path / "toys/a.txt", "0 0.5 0.5 0.5 0.25\n")
    write(tmp_path / "other.yaml", f"{paths}names: [person, bicycle]\n")
    report = run(tmp_path / "toys")
    assert list(report["instances"]) == ["class 0"]
    assert any("called by their numbers" in note for note in report["notes"])
    write(tmp_path / "toys/classes.txt", "cup\n")
    assert run(tmp_path / "toys")["instances"] == {"cup": 1}


def test_names_within_the_data_go_before_those_above(tmp_path):
    image(tmp_path / "toys/a.jpg")
    write(tmp_path / "toys/a.txt", "0 0.5 0.5 0.5 0.25\n")
    write(tmp_path / "toys/classes.txt", "cup\n")
    write(tmp_path / "data.yaml", "train: toys\nnames: [person, bicycle]\n")
    assert run(tmp_path / "toys")["instances"] == {"cup": 1}


POSES = {
    "stated": ("0.4 0.4 0.5 0.5 0.6 0.4", "kpt_shape: [3, 2]\n"),
    "odd": ("0.4 0.4 1 0.5 0.5 0 0.6 0.4 1", ""),
    "seen": ("0.4 0.4 2.000000 0.5 0.5 0", ""),
}


@pytest.mark.parametrize("case", POSES)
def test_yolo_poses_are_boxes(tmp_path, case):
    keypoints, yaml = POSES[case]
    image(tmp_path / "toys/images/a.jpg")
    write(tmp_path / "toys/labels/a.txt", f"0 0.5 0.5 0.5 0.25 {keypoints}\n0 0.5 0.5 0.1 0.1\n0 x\n")
    write(tmp_path / "toys/data.yaml", f"{yaml}names: [cup]\n")
    report = run(tmp_path / "toys")
    rows = [("cup", [15, 15, 30, 10], 300, 0), ("cup", [27, 18, 6, 4], 24, 0), ("cup", [0, 0, 60, 40], 2400, 1)]
    assert read(tmp_path / "toys.json") == {"images/a.jpg": rows}
    assert any("poses" in note for note in report["notes"])


def test_a_yolo_polygon_along_the_edges_is_no_pose(tmp_path):
    image(tmp_path / "toys/images/a.jpg")
    polygon = "0 0 0.5 0 0.5 0.5 1 1 0 1"  # at the places where poses have 0, 1 or 2
    write(tmp_path / "toys/labels/a.txt", f"0 {polygon}\n")
    assert run(tmp_path / "toys")["box_only"] == 0


def coco(photos, categories=("cup",), shape=None):
    shape = shape or {"segmentation": [FLAT], "bbox": [10, 10, 20, 10]}
    return {
        "images": [{"id": n, "file_name": name, "width": 60, "height": 40} for n, name in enumerate(photos)],
        "categories": [{"id": n, "name": name} for n, name in enumerate(categories)],
        "annotations": [{"id": n, "image_id": n, "category_id": 0, **shape} for n in range(len(photos))],
    }


def test_roboflow_coco_in_parts_with_its_dummy_class(tmp_path, capsys):
    for part in ("train", "valid", "test"):
        image(tmp_path / "toys" / part / "a_jpg.rf.0.jpg")  # of the same name in each
        content = coco(["a_jpg.rf.0.jpg"])
        content["categories"] = [
            {"id": 0, "name": "toys", "supercategory": "none"},
            {"id": 1, "name": "cup", "supercategory": "toys"},
        ]
        content["annotations"][0]["category_id"] = 1
        write(tmp_path / "toys" / part / "_annotations.coco.json", content)
    reports = prepare.prepare(tmp_path / "toys", progress=False, tell=print)
    out = capsys.readouterr().out
    assert "COCO JSON of 3 photos in 3 files, classes: cup\n" in out
    assert "the class 'toys' has no objects and stands over the others" in out
    expected = f"next: python -m pipeline train --data {tmp_path}/toys-train --val {tmp_path}/toys-val "
    assert next_command(reports).startswith(expected)
    for part in ("train", "val", "test"):
        folder = "valid" if part == "val" else part
        assert read(tmp_path / f"toys-{part}.json") == {f"../toys/{folder}/a_jpg.rf.0.jpg": [SQUARE_ROW]}
        assert CocoDataset(tmp_path / f"toys-{part}").class_names == ("cup",)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == [
        "toys",
        "toys-test",
        "toys-train",
        "toys-val",
    ]


def test_cvat_coco(tmp_path):
    image(tmp_path / "toys/images/default/a.jpg")
    write(tmp_path / "toys/annotations/instances_default.json", coco(["a.jpg"]))
    write(tmp_path / "toys/annotations/captions_default.json", {"images": [], "annotations": []})
    run(tmp_path / "toys")
    assert read(tmp_path / "toys.json") == {"images/default/a.jpg": [SQUARE_ROW]}


@pytest.mark.parametrize(
    "name", ["C:\\Users\\me\\A.JPG", "/home/me/photos/a.jpg", "deep/a.jpg", "./A.jpg", "a.png", "photos/DEEP/a.jpg"]
)
def test_photos_are_found_by_whatever_path_a_tool_wrote(tmp_path, name):
    image(tmp_path / "toys/deep/a.jpg")
    image(tmp_path / "toys/b.jpg")
    write(tmp_path / "toys/some.json", coco([name, "lost.jpg"]))
    report = run(tmp_path / "toys")
    assert read(tmp_path / "toys.json") == {"deep/a.jpg": [SQUARE_ROW]}
    assert report["dropped_files"] == {"b.jpg": "not in the annotations", "lost.jpg": "image file is missing"}


CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><job><labels><label><name>cup</name></label><label><name>plate</name></label></labels></job></meta>
  <image id="0" name="a.jpg" width="60" height="40">
    <polygon label="cup" source="manual" occluded="0" points="10.0,10.0;30.0,10.0;30.0,20.0;10.0,20.0" z_order="0"/>
    <box label="cup" source="manual" occluded="0" xtl="10.0" ytl="10.0" xbr="30.0" ybr="20.0" z_order="0"/>
    <box label="plate" xtl="20.0" ytl="10.0" xbr="40.0" ybr="30.0" rotation="90.0" z_order="0"/>
    <ellipse label="plate" cx="30.0" cy="20.0" rx="10.0" ry="10.0" z_order="0"/>
    <mask label="cup" rle="10, 4, 4, 4, 4, 4, 10" left="20" top="12" width="8" height="5" z_order="0"/>
    <polygon label="cup" points="0,0;4,0;4,4;0,4" group_id="3"/>
    <polygon label="cup" points="8,0;12,0;12,4;8,4" group_id="3"/>
    <points label="plate" points="5,5"/>
    <skeleton label="plate"><points label="1" points="4,4"/><points label="2" points="50,30"/></skeleton>
  </image>
  <image id="1" name="b.jpg" width="60" height="40"/>
</annotations>"""


def test_cvat_xml(tmp_path):
    image(tmp_path / "toys/images/a.jpg")
    image(tmp_path / "toys/images/b.jpg")
    write(tmp_path / "toys/annotations.xml", CVAT)
    report = run(tmp_path / "toys")
    rows = read(tmp_path / "toys.json")
    assert rows["images/b.jpg"] == []
    rows = rows["images/a.jpg"]
    assert rows[:3] == [SQUARE_ROW, SQUARE_ROW, ("plate", [20, 10, 20, 20], 400, 0)]
    assert rows[3][:2] == ("plate", [20, 10, 20, 20]) and rows[3][2] == pytest.approx(np.pi * 100, rel=0.03)
    assert rows[4:] == [
        ("cup", [22, 13, 4, 3], 12, 0),
        ("cup", [0, 0, 12, 4], 32, 0),
        ("plate", [0, 0, 21, 21], 441, 1),
        ("plate", [4, 4, 46, 26], 1196, 1),
    ]
    problems = ["a CVAT points has no outline", "a CVAT skeleton has no outline"]
    assert report["problem_files"] == {"images/a.jpg": problems}
    assert report["box_only"] == 1


def test_tracks_of_cvat_are_refused_with_what_to_export(tmp_path):
    image(tmp_path / "toys/a.jpg")
    write(tmp_path / "toys/annotations.xml", "<annotations><track id='0' label='cup'/></annotations>")
    with pytest.raises(ValueError, match="tracks of a video: export it from CVAT as CVAT for images"):
        run(tmp_path / "toys")


def test_a_format_can_be_forced(tmp_path):
    """Data of two kinds in one folder."""
    image(tmp_path / "toys/a.jpg")
    write(tmp_path / "toys/a.json", labelme("a.jpg", [{"label": "cup", "shape_type": "polygon", "points": SQUARE}]))
    voc(tmp_path / "toys/a.xml", ("plate", 0, 0, 9, 9, 0))
    assert run(tmp_path / "toys")["instances"] == {"cup": 1}
    assert run(tmp_path / "toys", format_name="voc")["instances"] == {"plate": 1}
    with pytest.raises(ValueError, match="holds no labels of YOLO"):
        run(tmp_path / "toys", format_name="yolo")


def test_a_data_set_without_objects_is_an_error(tmp_path):
    image(tmp_path / "toys/a.jpg")
    content = coco(["a.jpg"])
    content["annotations"] = []
    write(tmp_path / "toys/some.json", content)
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "prepare", "--data", str(tmp_path / "toys"), "--quiet"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 1
    assert "show no object that could be learned (none is annotated)" in done.stderr
    assert not (tmp_path / "toys.json").exists()


def test_a_folder_that_cannot_be_written():
    code = (
        "import os, sys\nfrom pipeline.data.prepare import prepare\n"
        "prepare(sys.argv[1], out=sys.argv[2], progress=False)\n"  # loads all that it needs
        "if not os.geteuid(): os.seteuid(65534)\n"  # root may write everywhere
        "try: prepare(sys.argv[1], progress=False)\nexcept OSError as error: print(error)"
    )
    with tempfile.TemporaryDirectory() as scratch:  # pytest's own folder is closed to others
        kept, out = Path(scratch) / "kept", Path(scratch) / "out/toys.json"
        image(kept / "toys/a.jpg")
        write(kept / "toys/some.json", coco(["a.jpg"]))
        for folder in (kept / "toys", kept, Path(scratch)):
            folder.chmod(0o755 if folder == Path(scratch) else 0o555)
        command = [sys.executable, "-c", code, str(kept / "toys"), str(out)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180)
        assert f"{kept} cannot be written (Permission denied): add --out NAME.json" in done.stdout, done.stderr
        assert read(out) == {"../../kept/toys/a.jpg": [SQUARE_ROW]}
        for folder in (kept, kept / "toys"):
            folder.chmod(0o755)


def test_what_is_read_is_not_written_over(tmp_path):
    image(tmp_path / "cups/a.jpg")
    for name in ("train/a.jpg", "valid/b.jpg"):
        image(tmp_path / "toys" / name)
    cups = write(tmp_path / "cups.json", coco(["a.jpg"]))
    toys = write(tmp_path / "toys.json", coco(["train/a.jpg", "valid/b.jpg"]))
    parts = prepare.prepare(tmp_path / "toys", toys, progress=False)
    assert [path.name for path in parts] == ["toys-train.json", "toys-val.json"], "these are other files"
    train, val = parts
    before = {path: path.read_bytes() for path in (cups, train, val)}
    for path, options in ((cups, {}), (train, {}), (val, {"split": 0.5})):
        with pytest.raises(ValueError, match=rf"{path.name} is what is read.*add --out NAME.json"):
            prepare.prepare(tmp_path / path.stem.partition("-")[0], path, progress=False, **options)
    assert before == {path: path.read_bytes() for path in before}
    assert not list(tmp_path.glob("*.progress"))
    assert run(tmp_path / "cups", cups, tmp_path / "again/cups.json")["images"] == 1


def test_a_split_keeps_near_duplicates_together_and_depends_on_its_seed_alone(tmp_path):
    random = np.random.default_rng(0)
    (tmp_path / "toys").mkdir()
    names = []
    for number in range(12):
        pixels = np.kron(random.integers(0, 255, (8, 8, 3), dtype=np.uint8), np.ones((8, 8, 1), np.uint8))
        for copy in range(2):  # the second a little darker and in another format
            name = f"{number}_{copy}.{('png', 'jpg')[copy]}"
            Image.fromarray((pixels * (1 - 0.1 * copy)).astype(np.uint8)).save(tmp_path / "toys" / name)
            names.append(name)
    content = coco(names)
    for row in content["images"]:
        row |= {"width": 64, "height": 64}
    write(tmp_path / "toys/some.json", content)
    parts = []
    for seed in (0, 0, 1):
        prepare.prepare(tmp_path / "toys", split=0.25, seed=seed, progress=False)
        parts.append([set(read(tmp_path / f"toys-{part}.json")) for part in ("train", "val")])
    assert parts[0] == parts[1] != parts[2]
    train, val = parts[0]
    assert (len(train), len(val)) == (18, 6)
    scenes = [{Path(name).stem.split("_")[0] for name in part} for part in (train, val)]
    assert not scenes[0] & scenes[1]
    with pytest.raises(ValueError, match="--split is 0, expected a share"):
        prepare.prepare(tmp_path / "toys", split=0, progress=False)


def test_a_fixed_camera_is_divided_with_a_note(tmp_path, capsys):
    names = [f"{number}.jpg" for number in range(10)]
    for name in names:
        image(tmp_path / "toys" / name)
    write(tmp_path / "toys/some.json", coco(names))
    reports = prepare.prepare(tmp_path / "toys", split=0.3, progress=False, tell=print)
    assert list(read(tmp_path / "toys-val.json")) == ["../toys/7.jpg", "../toys/8.jpg", "../toys/9.jpg"]
    assert "WILL FLATTER" in capsys.readouterr().out
    assert all("WILL FLATTER" in report["notes"][-1] for report in reports.values())
