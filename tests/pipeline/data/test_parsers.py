"""Whatever stands in an annotation file: it is read, or refused in a sentence; by hypothesis.

Each format begins with a good file, of which hypothesis exchanges parts for anything that JSON, XML or a line of text
can say. All that a reader may raise is `ValueError`.
"""

import copy
import io
import json
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline.data.formats import FORMATS, Annotation, Options, format_class, open_reader
from pipeline.data.formats.coco import decode_segmentation
from pipeline.data.open_images.tables import BOX_COLUMNS, find_classes, read_rows
from pipeline.resume import ProgressLog
from pipeline.training.config import load_config

SIZE = 40, 60
ODD_NUMBERS = st.sampled_from([0, -1, 1, 7, 2**31, -(2**63), 10**30, 0.5, 1e308, float("nan"), float("inf")])
ODD_TEXTS = st.sampled_from(["", " ", "a", "0", "-1", "1e999", "nan", "²", "\0", "a\nb", "猫", "x" * 300, "../a.jpg"])
ODD_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    ODD_NUMBERS,
    ODD_TEXTS,
    st.recursive(ODD_NUMBERS, lambda inner: st.lists(inner, max_size=3), max_leaves=8),
    st.dictionaries(ODD_TEXTS, ODD_NUMBERS, max_size=3),
)
GOOD = {
    "coco": {
        "images": [{"id": 1, "file_name": "a.jpg", "height": 40, "width": 60}],
        "categories": [{"id": 1, "name": "cup", "supercategory": "things"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[10, 10, 30, 10, 30, 20]], "iscrowd": 0},
            {"id": 2, "image_id": 1, "category_id": 1, "bbox": [1, 2, 10, 10]},
            {"id": 3, "image_id": 1, "category_id": 1, "segmentation": {"size": [40, 60], "counts": [0, 10, 2390]}},
        ],
    },
    "via": {
        "a.jpg123": {
            "filename": "a.jpg",
            "size": 123,
            "regions": [
                {
                    "shape_attributes": {"name": "polygon", "all_points_x": [1, 9, 9], "all_points_y": [1, 1, 9]},
                    "region_attributes": {"class": "cup"},
                },
                {
                    "shape_attributes": {"name": "ellipse", "cx": 9, "cy": 9, "rx": 4, "ry": 3, "theta": 0.5},
                    "region_attributes": {"class": "cup"},
                },
                {
                    "shape_attributes": {"name": "rect", "x": 9, "y": 9, "width": 4, "height": 3},
                    "region_attributes": {},
                },
            ],
        }
    },
    "labelme": {
        "imagePath": "a.jpg",
        "imageData": None,
        "imageHeight": 40,
        "imageWidth": 60,
        "shapes": [
            {"label": "cup", "points": [[1, 1], [9, 1], [9, 9]], "shape_type": "polygon", "group_id": 1},
            {"label": "cup", "points": [[1, 1], [9, 9]], "shape_type": "rectangle", "group_id": None},
            {"label": "cup", "points": [[9, 9], [12, 9]], "shape_type": "circle", "group_id": None},
            {"label": "cup", "points": [[9, 9], [12, 12]], "shape_type": "mask", "mask": "AAAA", "group_id": 1},
        ],
    },
}
CVAT = """<annotations><meta><task><labels><label><name>cup</name></label></labels></task></meta>
<image id="0" name="a.jpg" width="60" height="40">
<polygon label="cup" points="1,1;9,1;9,9" group_id="1"/><box label="cup" xtl="1" ytl="1" xbr="9" ybr="9"/>
<box label="cup" xtl="1" ytl="1" xbr="9" ybr="9" rotation="30"/><ellipse label="cup" cx="9" cy="9" rx="3" ry="2"/>
<mask label="cup" rle="2,2" left="1" top="1" width="2" height="2"/></image></annotations>"""
VOC = """<annotation><filename>a.jpg</filename><size><width>60</width><height>40</height></size>
<object><name>cup</name><difficult>0</difficult><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>9</xmax><ymax>8</ymax></bndbox>
</object></annotation>"""
YOLO = "0 0.5 0.5 0.2 0.2\n1 0.1 0.1 0.5 0.1 0.5 0.5\n"
TABLE = (
    "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n"
)
TABLE += "a,x,/m/01yrx,1,0.1,0.9,0.1,0.9,0,0,0,0,0\n"


def read_all(name, files):
    """Reads every photo of a data set whose annotation files have these contents, bytes by name."""
    with tempfile.TemporaryDirectory() as folder:
        Image.new("RGB", SIZE[::-1]).save(Path(folder) / "a.jpg")
        for file_name, content in files.items():
            (Path(folder) / file_name).write_bytes(content)
        try:
            reader = open_reader(name, folder, options=Options(unpack=Path(folder) / "unpacked"))
        except ValueError as error:
            assert str(error)
            return 0
        count = 0
        for image in reader.images:
            try:
                annotation = reader.read(image, SIZE)
            except ValueError as error:
                assert str(error)
                continue
            assert isinstance(annotation, Annotation)
            count += len(annotation.regions)
        return count


def places(value, path=()):
    """The paths to all values in what `json.loads` gives."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from places(part, (*path, key))


def exchanged(draw, content):
    """The content with up to three parts exchanged or left out."""
    content = copy.deepcopy(content)
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from([path for path in places(content) if path] or [("x",)]))
        part = content
        for key in path:
            part = part[key]
        if draw(st.integers(0, 4)) == 0 and last in part if isinstance(part, dict) else False:
            del part[last]
        else:
            part[last] = draw(ODD_VALUES)
    return content


@pytest.mark.parametrize(("name", "regions"), [("coco", 3), ("via", 3), ("labelme", 3)])
@given(data=st.data())
def test_json(name, regions, data):
    assert read_all(name, {"some.json": json.dumps(GOOD[name]).encode()}) >= regions
    read_all(name, {"some.json": json.dumps(exchanged(data.draw, GOOD[name])).encode()})


@pytest.mark.parametrize(("name", "good", "regions"), [("cvat", CVAT, 5), ("voc", VOC, 1)])
@given(data=st.data())
def test_xml(name, good, regions, data):
    assert read_all(name, {"a.xml": good.encode()}) == regions
    root = ElementTree.fromstring(good)
    texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)
    values = st.one_of(ODD_TEXTS.filter(str.isprintable), texts, ODD_NUMBERS.map(str))
    for _ in range(data.draw(st.integers(1, 3))):
        element = data.draw(st.sampled_from(list(root.iter())))
        if element.attrib and data.draw(st.booleans()):
            element.set(data.draw(st.sampled_from(sorted(element.attrib))), data.draw(values))
        elif data.draw(st.booleans()):
            element.text = data.draw(values)
        else:
            element.clear()
    read_all(name, {"a.xml": ElementTree.tostring(root)})


@given(st.lists(st.one_of(st.lists(st.one_of(ODD_TEXTS, ODD_NUMBERS.map(str)), max_size=8).map(" ".join)), max_size=4))
def test_yolo(lines):
    assert read_all("yolo", {"a.txt": YOLO.encode()}) == 2
    read_all("yolo", {"a.txt": (YOLO + "\n".join(lines)).encode()})


@given(st.one_of(ODD_VALUES, st.dictionaries(st.just("names"), ODD_VALUES)), st.binary(max_size=30))
def test_names_of_yolo(content, other):
    for names in (json.dumps(content).encode(), other):
        read_all("yolo", {"a.txt": YOLO.encode(), "data.yaml": names})


@pytest.mark.parametrize("name", ["coco", "via", "labelme", "cvat", "voc", "yolo", "label_masks", "voc_masks"])
@given(start=st.integers(0, 200), content=st.binary(max_size=60))
def test_bytes_that_are_no_such_file(name, start, content):
    labels = io.BytesIO()
    Image.fromarray((np.arange(2400).reshape(SIZE) // 800).astype(np.uint8)).save(labels, "PNG")
    good = {
        "cvat": CVAT.encode(),
        "voc": VOC.encode(),
        "yolo": YOLO.encode(),
        "label_masks": labels.getvalue(),
        "voc_masks": labels.getvalue(),
    }.get(name) or json.dumps(GOOD[name]).encode()
    file = {"label_masks": "a_mask.png", "voc_masks": "a_mask.png", "cvat": "a.xml", "voc": "a.xml", "yolo": "a.txt"}
    broken = good[:start] + content + good[start + len(content) :]
    read_all(name, {file.get(name, "a.json"): broken})


@given(ODD_VALUES)
def test_segmentations(value):
    for segmentation in (value, [value], [[value] * 6], {"size": list(SIZE), "counts": value}, {"counts": value}):
        try:
            mask = decode_segmentation(segmentation, *SIZE)
        except ValueError as error:
            assert str(error)
        else:
            assert mask.shape == SIZE and mask.dtype == bool


@given(st.integers(0, len(TABLE)), st.text(max_size=40))
def test_tables_of_open_images(start, text):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_text(TABLE[:start] + text + TABLE[start:], encoding="utf-8", errors="replace", newline="")
        for read in (lambda: list(read_rows(path, BOX_COLUMNS, "LabelName", None)), lambda: find_classes(path, ["x"])):
            try:
                read()
            except ValueError as error:
                assert str(error)


@given(st.lists(st.one_of(st.binary(max_size=30), ODD_VALUES.map(lambda value: json.dumps(value).encode()))))
def test_progress_logs(lines):
    good = b'{"name": "a", "value": 1}\n'
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.progress"
        path.write_bytes(b"fingerprint\n" + good + b"\n".join(lines))
        log = ProgressLog(path, "fingerprint", "name")
        assert log.records["a"]["value"] == 1
        with log:
            log.add({"name": "b"})
        assert {"a", "b"} <= ProgressLog(path, "fingerprint", "name").records.keys()


KEYS = st.sampled_from(["steps", "scale", "paste", "network.anchor_scales", "sampling.anchors", "box_only", "x", "a.b"])
LITERALS = st.sampled_from(
    ["()", "(1,)", "{}", "1e999", "9" * 5000, "(" * 300, "1_0", "b'a'", "__import__('os')", "\0"]
)


@given(KEYS, st.one_of(LITERALS, ODD_TEXTS, ODD_VALUES.map(repr), st.text(max_size=20)))
def test_settings_of_training(key, value):
    try:
        load_config("cat", [f"{key}={value}"])
    except ValueError as error:
        assert str(error)


def test_each_format_is_tried():
    tried = {"coco", "via", "labelme", "cvat", "voc", "yolo", "label_masks", "voc_masks"}
    assert tried == FORMATS.keys() - {"open_images"}, "whose tables have a test of their own"
    assert all(format_class(name).looks_for for name in FORMATS)
