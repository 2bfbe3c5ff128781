"""The annotation formats that users bring, on drawn cases with literal results."""

import argparse
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageOps

from pipeline.commands import prepare
from pipeline.data.dataset import CocoDataset
from pipeline.data.formats import default_annotations, fill_box, fit_mask
from pipeline.data.formats.coco import decode_rle, encode_rle


def run(*options):
    parser = argparse.ArgumentParser()
    prepare.add_arguments(parser)
    arguments = parser.parse_args(["--quiet", *map(str, options)])
    assert prepare.main(arguments) == 0
    return json.loads((arguments.out or default_annotations(arguments.data)).with_suffix(".report.json").read_text())


def image(path, width=60, height=40, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), (90, 120, 150)).save(path, **how)
    return path


def read(path):
    """Prepared rows by image name, as (class, bbox, area, iscrowd)."""
    content = json.loads(path.read_text())
    names = {row["id"]: row["name"] for row in content["categories"]}
    rows = {image["file_name"]: [] for image in content["images"]}
    files = {image["id"]: image["file_name"] for image in content["images"]}
    for row in content["annotations"]:
        rows[files[row["image_id"]]].append((names[row["category_id"]], row["bbox"], row["area"], row["iscrowd"]))
    return rows


def voc(path, *objects, size=(60, 40)):
    """Writes VOC XML; objects are (name, xmin, ymin, xmax, ymax, difficult)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    items = "".join(
        f"<object><name>{name}</name><difficult>{difficult}</difficult><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin>"
        f"<xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>"
        for name, x1, y1, x2, y2, difficult in objects
    )
    dimensions = f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>"
    path.write_text(f"<annotation>{dimensions}{items}</annotation>")


def test_voc_boxes(tmp_path):
    photos, xml = tmp_path / "photos", tmp_path / "xml"
    for name in ("a", "b", "c", "d", "e", "f", "g", "h"):
        image(photos / f"{name}.jpg")
    voc(xml / "a.xml", ("cup", 10, 5, 19, 14, 0), ("spoon", 0, 0, 59, 39, 0), ("cup", 1, 1, 2, 2, 1))
    voc(xml / "b.xml")  # looked at, nothing there: a negative
    voc(xml / "c.xml", ("cup", 50, 30, 80, 70, 0))  # reaches out of the image
    turned, letters, endless = ("cup", 20, 20, 10, 30, 0), ("cup", "x", 1, 5, 5, 0), ("cup", 1, 1, "inf", 5, 0)
    voc(xml / "d.xml", turned, letters, endless, ("cup", 0, 0, 4, 4, 0))
    voc(xml / "e.xml", ("cup", 20, 10, 39, 29, 0), size=(120, 80))  # annotated at twice the size
    voc(xml / "f.xml", ("cup", 20, 10, 39, 29, 0), size=(60, 60))
    (xml / "g.xml").write_text("<annotation><object>")
    report = run("--data", photos, "--annotations", xml)
    assert read(tmp_path / "photos.json") == {
        "a.jpg": [
            ("cup", [10, 5, 10, 10], 100, 0),
            ("spoon", [0, 0, 60, 40], 2400, 0),
            ("cup", [1, 1, 2, 2], 4, 1),
        ],
        "b.jpg": [],
        "c.jpg": [("cup", [50, 30, 10, 10], 100, 0)],
        "d.jpg": [
            ("cup", [10, 20, 11, 11], 121, 1),
            ("cup", [0, 0, 60, 40], 2400, 1),  # somewhere in the photo
            ("cup", [0, 0, 60, 40], 2400, 1),
            ("cup", [0, 0, 5, 5], 25, 0),
        ],
        "e.jpg": [("cup", [10, 5, 10, 10], 100, 0)],
    }
    assert report["dropped_files"] == {
        "f.jpg": "annotation of another size: 60x60, the image has 60x40",
        "g.jpg": "annotation file is not readable XML",
        "h.jpg": "not in the annotations",
    }
    assert report["problem_files"] == {"d.jpg": ["box turned inside out", *["box without four numbers"] * 2]}
    assert (report["box_only"], report["filled_boxes"]) == (5, 0)
    assert run("--data", photos, "--annotations", xml, "--boxes", "fill")["filled_boxes"] == 5


@pytest.mark.parametrize(
    ("database", "corner", "box"),
    [
        ("The VOC2007 Database", 1, [0, 0, 10, 10]),
        ("The VOC2007 Database", 0, [0, 0, 11, 11]),  # by a tool that only says so
        ("Unknown", 1, [1, 1, 10, 10]),  # LabelImg
    ],
)
def test_files_of_pascal_voc_itself_count_from_1(tmp_path, database, corner, box):
    image(tmp_path / "photos/a.jpg")
    voc(tmp_path / "photos/a.xml", ("cup", corner, corner, 10, 10, 0))
    text = (tmp_path / "photos/a.xml").read_text()
    source = f"<annotation><source><database>{database}</database></source>"
    (tmp_path / "photos/a.xml").write_text(text.replace("<annotation>", source))
    run("--data", tmp_path / "photos")
    assert read(tmp_path / "photos.json") == {"a.jpg": [("cup", box, box[2] * box[3], 0)]}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_annotations_in_either_orientation_of_a_photo_that_exif_turns(tmp_path, orientation):
    """Told by the size that they state; an upright mask is where Pillow turns the stored one to."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    drawn = np.zeros((40, 60), np.uint8)
    drawn[5:15, 10:40] = 255
    for name in ("upright", "stored"):
        path = image(tmp_path / "photos" / f"{name}.jpg", 60, 40, exif=exif)
    with Image.open(path) as file:
        turned = Image.fromarray(drawn)
        turned.getexif()[0x0112] = file.getexif()[0x0112]
        expected = np.asarray(ImageOps.exif_transpose(turned)) > 0
    top, left = (int(edge) for edge in np.argwhere(expected).min(axis=0))
    bottom, right = (int(edge) for edge in np.argwhere(expected).max(axis=0))
    voc(tmp_path / "xml/upright.xml", ("cup", left, top, right, bottom, 0), size=expected.shape[::-1])
    if orientation >= 5:  # else both sizes are the same, and annotations are taken to be upright
        voc(tmp_path / "xml/stored.xml", ("cup", 10, 5, 39, 14, 0), size=(60, 40))
    else:
        voc(tmp_path / "xml/stored.xml", ("cup", left, top, right, bottom, 0), size=(60, 40))
    run("--data", tmp_path / "photos", "--annotations", tmp_path / "xml")
    row = ("cup", [left, top, right + 1 - left, bottom + 1 - top], 300, 0)
    assert read(tmp_path / "photos.json") == {"stored.jpg": [row], "upright.jpg": [row]}
    content = json.loads((tmp_path / "photos.json").read_text())
    assert {(entry["height"], entry["width"]) for entry in content["images"]} == {expected.shape}


def test_what_lies_outside_of_the_photo_is_no_region_and_what_is_narrower_than_a_pixel_is_a_small_one(tmp_path):
    image(tmp_path / "photos/a.jpg")
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 60, "height": 40}],
        "categories": [{"id": 1, "name": "cup"}],
        "annotations": [
            {"id": number, "image_id": 1, "category_id": 1, **shape}
            for number, shape in enumerate(
                [
                    {"bbox": [10, 10, 20, 10]},
                    {"bbox": [70, 10, 20, 10]},
                    {"bbox": [60, 10, 20, 10]},
                    {"segmentation": [[-30, 10, -10, 10, -10, 20]], "bbox": [-30, 10, 20, 10]},
                    {"bbox": [10.6, 10, 0, 10]},
                    {"bbox": [30, 20, -20, -10]},
                ]
            )
        ],
    }
    (tmp_path / "photos.coco.json").write_text(json.dumps(content))
    report = run("--data", tmp_path / "photos", "--annotations", tmp_path / "photos.coco.json")
    assert read(tmp_path / "photos.json") == {
        "a.jpg": [
            ("cup", [10, 10, 20, 10], 200, 0),
            ("cup", [10, 10, 1, 10], 10, 1),
            ("cup", [10, 10, 20, 10], 200, 1),
        ]
    }
    assert report["problem_files"] == {
        "a.jpg": [*["box outside of the image"] * 2, "mask outside of the image", *["empty box"] * 2]
    }


def test_xml_beside_the_images_is_found(tmp_path):
    image(tmp_path / "both/deep/a.png")
    voc(tmp_path / "both/deep/a.xml", ("cup", 0, 0, 9, 9, 0))
    run("--data", tmp_path / "both")
    assert read(tmp_path / "both.json") == {"deep/a.png": [("cup", [0, 0, 10, 10], 100, 0)]}


def test_photos_are_seen_by_every_ending_that_they_have(tmp_path):
    for ending in (".jfif", ".gif", ".JPEG", ".webp", ".bmp", ".tiff"):
        image(tmp_path / "photos" / f"{ending[1:]}{ending}")
        voc(tmp_path / f"photos/{ending[1:]}.xml", ("cup", 0, 0, 9, 9, 0))
    assert run("--data", tmp_path / "photos")["images"] == 6


def test_images_may_lie_elsewhere(tmp_path):
    image(tmp_path / "photos/a.jpg")
    voc(tmp_path / "photos/a.xml", ("cup", 0, 0, 9, 9, 0))
    run("--data", tmp_path / "photos", "--out", tmp_path / "data/cups/train.json")
    (name,) = read(tmp_path / "data/cups/train.json")
    assert name == "../../../photos/a.jpg"
    assert (tmp_path / "data/cups/train" / name).is_file()  # counted from NAME/, as training does


def test_the_json_file_lies_beside_its_folder_whatever_that_is_called(tmp_path, monkeypatch):
    for name in ("cups.v2", "here"):
        image(tmp_path / name / "a.jpg")
        voc(tmp_path / name / "a.xml", ("cup", 0, 0, 9, 9, 0))
    (tmp_path / "link").symlink_to(tmp_path / "here", target_is_directory=True)
    run("--data", tmp_path / "cups.v2")
    run("--data", tmp_path / "link")
    monkeypatch.chdir(tmp_path / "here")
    run("--data", ".")
    assert {path.name for path in tmp_path.glob("*.json")} >= {"cups.v2.json", "link.json", "here.json"}
    for folder in (tmp_path / "cups.v2", tmp_path / "link", "."):
        assert CocoDataset(folder).class_names == ("cup",)
    assert [path.name for path in sorted((tmp_path / "here").iterdir())] == ["a.jpg", "a.xml"]


def test_a_name_for_the_output_that_is_no_json_file(tmp_path):
    image(tmp_path / "photos/a.jpg")
    voc(tmp_path / "photos/a.xml", ("cup", 0, 0, 9, 9, 0))
    with pytest.raises(ValueError, match=r"--out is .*cups; it must end in .json"):
        run("--data", tmp_path / "photos", "--out", tmp_path / "cups")


@pytest.fixture
def coco(tmp_path):
    """Four images, every kind of segmentation, and ids with gaps."""
    for name in ("a", "b", "c"):
        image(tmp_path / "photos" / f"{name}.jpg")
    mask = np.zeros((40, 60), bool)
    mask[4:8, 10:20] = True
    encoded, _, _ = encode_rle(mask)
    counts = [10 * 40 + 4] + [4, 36] * 9 + [4, 32 + 40 * 40]  # column by column
    content = {
        "images": [
            {"id": 7, "file_name": "a.jpg", "width": 60, "height": 40},
            {"id": 9, "file_name": "b.jpg", "width": 60, "height": 40},
            {"id": 12, "file_name": "c.jpg", "width": 60, "height": 40},
            {"id": 13, "file_name": "gone.jpg", "width": 60, "height": 40},
        ],
        "categories": [{"id": 44, "name": "spoon"}, {"id": 18, "name": "cup"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 18, "segmentation": [[10, 10, 30, 10, 30, 20, 10, 20]]},
            {"id": 2, "image_id": 7, "category_id": 44, "segmentation": encoded},
            {
                "id": 3,
                "image_id": 7,
                "category_id": 18,
                "segmentation": {"size": [40, 60], "counts": counts},
                "iscrowd": 1,
            },
            {"id": 4, "image_id": 7, "category_id": 18, "segmentation": [], "bbox": [0, 30, 5, 5]},
            {"id": 5, "image_id": 7, "category_id": 18, "segmentation": [[1, 2, 3, 4]]},
            {
                "id": 6,
                "image_id": 9,
                "category_id": 18,
                "segmentation": [],
                "bbox": [2, 3, 10, 20],
                "iscrowd": 0,
            },
        ],
    }
    (tmp_path / "instances.json").write_text(json.dumps(content))
    return tmp_path


def test_coco_json(coco):
    report = run("--data", coco / "photos", "--annotations", coco / "instances.json")
    assert read(coco / "photos.json") == {
        "a.jpg": [
            ("cup", [10, 10, 20, 10], 200, 0),
            ("spoon", [10, 4, 10, 4], 40, 0),
            ("cup", [10, 4, 10, 4], 40, 1),
            ("cup", [0, 30, 5, 5], 25, 0),
            ("cup", [0, 0, 60, 40], 2400, 1),  # something that cannot be decoded is somewhere
        ],
        "b.jpg": [("cup", [2, 3, 10, 20], 200, 0)],
        "c.jpg": [],
    }
    rows = json.loads((coco / "photos.json").read_text())["annotations"]
    assert [row["bbox"] for row in rows if "segmentation" not in row] == [[0, 30, 5, 5], [2, 3, 10, 20]]
    assert report["dropped_files"] == {"gone.jpg": "image file is missing"}
    assert report["problem_files"] == {"a.jpg": ["segmentation cannot be decoded"]}
    categories = json.loads((coco / "photos.json").read_text())["categories"]
    assert categories == [{"id": 1, "name": "cup"}, {"id": 2, "name": "spoon"}]


def test_boxes_are_filled_where_a_image_has_no_masks_and_ignored_beside_masks(coco):
    run("--data", coco / "photos", "--annotations", coco / "instances.json", "--boxes", "fill")
    rows = json.loads((coco / "photos.json").read_text())["annotations"]
    assert [(row["bbox"], row["iscrowd"]) for row in rows if row["source"] == "box"] == [
        ([0, 30, 5, 5], 1),
        ([0, 0, 60, 40], 1),  # the one that cannot be decoded
        ([2, 3, 10, 20], 0),
    ]
    assert all("segmentation" in row for row in rows)


def test_what_was_prepared_can_be_prepared_again(coco):
    run("--data", coco / "photos", "--annotations", coco / "instances.json")
    run("--data", coco / "photos", "--annotations", coco / "photos.json", "--out", coco / "again/photos.json")
    first, second = (json.loads(path.read_text()) for path in (coco / "photos.json", coco / "again/photos.json"))
    assert [row.get("segmentation") for row in first["annotations"]] == [
        row.get("segmentation") for row in second["annotations"]
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "Expecting property name"),
        ("\xff", "can't decode"),
        ('{"images": []}', "an entry lacks 'categories'"),
        ('{"images": [{"id": 1}], "annotations": [], "categories": []}', "an entry lacks 'file_name'"),
        (
            '{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [{"id": 1}], "categories": []}',
            "an entry lacks 'image_id'",
        ),
        (
            '{"images": [{"id": 1, "file_name": "a.jpg", "height": "x", "width": 9}], "annotations": [], '
            '"categories": []}',
            "invalid literal",
        ),
        (
            '{"images": [{"id": 1, "file_name": "a.jpg"}, {"id": 1, "file_name": "b.jpg"}], "annotations": [], '
            '"categories": []}',
            "two images have the id 1",
        ),
    ],
)
def test_a_json_file_of_another_kind(tmp_path, text, reason):
    image(tmp_path / "photos/a.jpg")
    (tmp_path / "some.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=rf"some\.json is not COCO instance JSON: .*{reason}"):
        run("--data", tmp_path / "photos", "--annotations", tmp_path / "some.json")


def test_a_json_file_without_images(tmp_path):
    image(tmp_path / "photos/a.jpg")
    (tmp_path / "some.json").write_text('{"images": [], "annotations": [], "categories": []}')
    with pytest.raises(ValueError, match=r"some\.json names no images"):
        run("--data", tmp_path / "photos", "--annotations", tmp_path / "some.json")


def test_a_shape_that_is_none_costs_only_itself(tmp_path):
    """In a process of little memory: pycocotools would follow a polygon to infinity."""
    undecodable = [
        [[float("nan"), 1, 20, 1, 20, 20]],
        [[float("inf"), 1, 20, 1, 20, 20]],
        [[1e12, 1, 20, 1, 20, 20]],
        [["a", "b", "c", "d", "e", "f"]],
        [[]],
        {"size": [400_000, 400_000], "counts": "0"},
        {"size": [40, 60], "counts": [-1, 2401]},
        {"counts": "0"},
        5,
    ]
    shapes = {f"{number}.jpg": {"segmentation": shape} for number, shape in enumerate(undecodable)}
    problems = {name: ["segmentation cannot be decoded"] for name in shapes}
    for name, number in (("nan.jpg", float("nan")), ("inf.jpg", float("inf"))):
        shapes[name], problems[name] = {"bbox": [0, 0, number, 5]}, ["box without four numbers"]
    shapes["none.jpg"], problems["none.jpg"] = {}, ["neither outline nor box"]
    good = {"segmentation": [[10, 10, 30, 10, 30, 20, 10, 20]]}
    content = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "cup"}]}
    for image_id, (name, shape) in enumerate(shapes.items()):
        image(tmp_path / "photos" / name)
        content["images"].append({"id": image_id, "file_name": name, "width": None, "height": None})
        content["annotations"] += [{"image_id": image_id, "category_id": 1, **each} for each in (shape, good)]
    (tmp_path / "some.json").write_text(json.dumps(content))
    code = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30));"
        "sys.argv[0] = 'pipeline'; runpy.run_module('pipeline', run_name='__main__')"
    )
    options = ["--data", tmp_path / "photos", "--annotations", tmp_path / "some.json", "--quiet"]
    command = [sys.executable, "-c", code, "prepare", *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    lost, kept = ("cup", [0, 0, 60, 40], 2400, 1), ("cup", [10, 10, 20, 10], 200, 0)
    assert read(tmp_path / "photos.json") == {name: [lost, kept] for name in shapes}
    assert json.loads((tmp_path / "photos.report.json").read_text())["problem_files"] == problems


def label_image(values, mode):
    labels = np.zeros((40, 60), np.uint16 if mode == "I;16" else np.uint8)
    for value, (top, left, height, width) in values:
        labels[top : top + height, left : left + width] = value
    if mode == "1":
        return Image.fromarray(labels > 0)
    image = Image.fromarray(labels)
    if mode == "P":
        image.putpalette([channel for value in range(256) for channel in (255 - value, value, 7)])
    return image


FIRST, SECOND = (5, 10, 4, 8), (20, 30, 10, 10)


@pytest.mark.parametrize(
    ("mode", "values", "options", "expected"),
    [
        # each value an instance
        (
            "L",
            [(1, FIRST), (2, SECOND)],
            [],
            [("cup", [10, 5, 8, 4], 32, 0), ("cup", [30, 20, 10, 10], 100, 0)],
        ),
        ("P", [(3, SECOND)], [], [("cup", [30, 20, 10, 10], 100, 0)]),
        ("I;16", [(300, FIRST)], [], [("cup", [10, 5, 8, 4], 32, 0)]),
        ("1", [(1, FIRST)], [], [("cup", [10, 5, 8, 4], 32, 0)]),
        # black and white
        ("L", [(255, FIRST)], [], [("cup", [10, 5, 8, 4], 32, 0)]),
        # 255 beside others is void
        (
            "L",
            [(255, SECOND), (1, FIRST)],
            [],
            [("cup", [10, 5, 8, 4], 32, 0), ("cup", [30, 20, 10, 10], 100, 1)],
        ),
        ("L", [], [], []),
        # each value a class, each piece an instance
        (
            "L",
            [(2, FIRST), (2, SECOND)],
            ["--class", "saucer", "--values", "classes"],
            [("saucer", [10, 5, 8, 4], 32, 0), ("saucer", [30, 20, 10, 10], 100, 0)],
        ),
    ],
)
def test_label_masks(tmp_path, mode, values, options, expected):
    image(tmp_path / "photos/a.jpg")
    (tmp_path / "labels").mkdir()
    label_image(values, mode).save(tmp_path / "labels/a.png")
    for name, value in (("b", 1), ("c", 2)):  # not black and white, as a whole
        image(tmp_path / f"photos/{name}.jpg")
        label_image([(value, FIRST)], "L").save(tmp_path / f"labels/{name}.png")
    run("--data", tmp_path / "photos", "--annotations", tmp_path / "labels", "--class", "cup", *options)
    assert read(tmp_path / "photos.json")["a.jpg"] == expected


def test_label_masks_in_colours_and_at_another_size(tmp_path):
    image(tmp_path / "photos/a.jpg")
    (tmp_path / "labels").mkdir()
    labels = np.zeros((80, 120, 3), np.uint8)
    labels[10:18, 20:36] = 0, 0, 255
    labels[40:60, 60:80] = 200, 10, 0
    Image.fromarray(labels).save(tmp_path / "labels/a.png")
    run("--data", tmp_path / "photos", "--annotations", tmp_path / "labels", "--class", "cup")
    assert read(tmp_path / "photos.json") == {
        "a.jpg": [("cup", [10, 5, 8, 4], 32, 0), ("cup", [30, 20, 10, 10], 100, 0)]
    }


def test_label_masks_do_not_name_their_classes(tmp_path, capsys):
    image(tmp_path / "photos/a.jpg")
    (tmp_path / "labels").mkdir()
    label_image([(1, FIRST), (2, SECOND)], "L").save(tmp_path / "labels/a.png")
    options = ["--data", tmp_path / "photos", "--annotations", tmp_path / "labels"]
    assert run(*options)["instances"] == {"object": 2}
    assert "it is called 'object'; --class NAME names it" in capsys.readouterr().out
    with pytest.raises(ValueError, match="cannot tell 2 classes apart"):
        run(*options, "--class", "cup", "--class", "saucer")


def test_a_folder_without_annotations(tmp_path):
    image(tmp_path / "photos/a.jpg")
    with pytest.raises(ValueError) as caught:
        run("--data", tmp_path / "photos")
    sentence = str(caught.value)
    assert f"no annotations were found in {tmp_path / 'photos'}: it holds 1 .jpg file. " in sentence
    for name in ("images, annotations and categories", "via_region_data.json", "data.yaml", "NAME_mask.png"):
        assert name in sentence


def test_two_images_of_one_name(tmp_path):
    """The one beside the annotation is meant; where none is, nothing is guessed."""
    image(tmp_path / "photos/a.jpg")
    image(tmp_path / "photos/deep/a.png")
    voc(tmp_path / "photos/a.xml", ("cup", 0, 0, 9, 9, 0))
    assert run("--data", tmp_path / "photos")["dropped_files"] == {"deep/a.png": "not in the annotations"}
    voc(tmp_path / "xml/a.xml", ("cup", 0, 0, 9, 9, 0))
    with pytest.raises(ValueError, match="have the same name"):
        run("--data", tmp_path / "photos", "--annotations", tmp_path / "xml")


def test_fit_mask_takes_the_nearest_pixel():
    mask = np.array([[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 0]], bool)
    assert fit_mask(mask, (2, 2)).tolist() == [[True, False], [False, False]]  # pixels (1, 1) to (3, 3), no mean
    assert fit_mask(mask[1:2, 1:3], (2, 4)).tolist() == [[True, True, False, False]] * 2
    with pytest.raises(ValueError, match="mask of another shape: 4x4, the image has 4x3"):
        fit_mask(mask, (3, 4))


def test_fill_box_is_clipped():
    assert fill_box((-3, 1, 2, 9), (3, 4)).tolist() == [[False, True, True, True]] * 2 + [[False] * 4]
    with pytest.raises(ValueError, match="box without four numbers"):
        fill_box((0, 0, float("inf"), 2), (3, 4))


def test_rle_round_trip():
    mask = np.random.default_rng(0).random((37, 53)) > 0.5
    encoded, box, area = encode_rle(mask)
    assert (decode_rle(encoded) == mask).all()
    assert (box, area) == ([0, 0, 53, 37], mask.sum())
