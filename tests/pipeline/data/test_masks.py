"""Masks as image editors and annotation tools save them, a small set of each with literal results."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.pipeline.data.test_formats import image, label_image, read, voc
from tests.pipeline.data.test_tools import SQUARE_ROW, run, write

FIRST, SECOND = (5, 10, 4, 8), (20, 30, 10, 10)
FIRST_ROW, SECOND_ROW = ("object", [10, 5, 8, 4], 32, 0), ("object", [30, 20, 10, 10], 100, 0)


def voc_mask(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    label_image(values, "P").save(path)


def test_pairs_of_voc_masks(tmp_path):
    """Each object has the class of its pixels; the void band between them is nothing, a void blob is ignored."""
    for name in ("a", "b"):
        image(tmp_path / f"voc/JPEGImages/{name}.jpg")
    objects = [(1, (5, 10, 4, 8)), (2, (20, 30, 10, 10)), (255, (9, 10, 1, 8)), (255, (30, 2, 5, 5))]
    voc_mask(tmp_path / "voc/SegmentationObject/a.png", objects)
    classes = [(12, (5, 10, 4, 8)), (8, (20, 30, 10, 10)), (255, (9, 10, 1, 8)), (255, (30, 2, 5, 5))]
    voc_mask(tmp_path / "voc/SegmentationClass/a.png", classes)
    voc(tmp_path / "voc/Annotations/a.xml", ("cup", 0, 0, 9, 9, 0))
    run(tmp_path / "voc", class_names=["cat", "dog"])
    assert read(tmp_path / "voc.json") == {
        "JPEGImages/a.jpg": [
            ("dog", [10, 5, 8, 4], 32, 0),
            ("cat", [30, 20, 10, 10], 100, 0),
            ("cat", [2, 30, 5, 5], 25, 1),
            ("dog", [2, 30, 5, 5], 25, 1),
        ]
    }


def test_voc_masks_of_cvat_in_colours(tmp_path):
    image(tmp_path / "voc/JPEGImages/a.jpg")
    for folder, colour in (("SegmentationObject", (128, 0, 0)), ("SegmentationClass", (51, 221, 255))):
        pixels = np.zeros((40, 60, 3), np.uint8)
        pixels[10:20, 10:30] = colour
        (tmp_path / "voc" / folder).mkdir()
        Image.fromarray(pixels).save(tmp_path / "voc" / folder / "a.png")
    write(tmp_path / "voc/labelmap.txt", "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncup:51,221,255::\n")
    run(tmp_path / "voc")
    assert read(tmp_path / "voc.json") == {"JPEGImages/a.jpg": [SQUARE_ROW]}


def test_voc_masks_of_labelme(tmp_path):
    image(tmp_path / "voc/JPEGImages/a.jpg")
    voc_mask(tmp_path / "voc/SegmentationObjectPNG/a.png", [(1, (10, 10, 10, 20))])
    voc_mask(tmp_path / "voc/SegmentationClassPNG/a.png", [(2, (10, 10, 10, 20))])
    write(tmp_path / "voc/class_names.txt", "__ignore__\n_background_\nplate\ncup\n")
    run(tmp_path / "voc")
    assert read(tmp_path / "voc.json") == {"JPEGImages/a.jpg": [SQUARE_ROW]}


def masks(folder, **values_of):
    for name, values in values_of.items():
        path = folder / f"{name.replace('__', '/')}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        label_image(values, "L").save(path)


def test_penn_fudan_and_its_like(tmp_path):
    for name in ("a", "b"):
        image(tmp_path / f"toys/PNGImages/{name}.png")
    masks(tmp_path / "toys/PedMasks", a_mask=[(1, FIRST), (2, SECOND)], b_mask=[(1, FIRST)])
    run(tmp_path / "toys")
    expected = {"PNGImages/a.png": [FIRST_ROW, SECOND_ROW], "PNGImages/b.png": [FIRST_ROW]}
    assert read(tmp_path / "toys.json") == expected


@pytest.mark.parametrize("names", [("a_1", "a_2"), ("a_mask_0", "a_mask_1"), ("a__1", "a__2"), ("a__x", "a__y")])
def test_one_png_an_object(tmp_path, names, capsys):
    image(tmp_path / "toys/images/a.jpg")
    masks(tmp_path / "toys/masks", **{names[0]: [(255, FIRST), (255, SECOND)], names[1]: [(255, SECOND)]})
    run(tmp_path / "toys")
    assert "2 masks of one object each of 1 photos" in capsys.readouterr().out
    both = ("object", [10, 5, 30, 25], 132, 0)  # in two pieces, yet one object
    assert read(tmp_path / "toys.json") == {"images/a.jpg": [both, SECOND_ROW]}


def test_black_and_white_masks_are_divided_and_that_is_said(tmp_path, capsys):
    for name in ("a", "b"):
        image(tmp_path / f"toys/{name}.jpg")
    masks(tmp_path / "toys", a_mask=[(255, FIRST), (255, SECOND)], b_mask=[])
    run(tmp_path / "toys")
    assert "the masks are black and white: each connected part is taken for one object" in capsys.readouterr().out
    assert read(tmp_path / "toys.json") == {"a.jpg": [FIRST_ROW, SECOND_ROW], "b.jpg": []}


def smooth_mask(path, *ellipses):
    """White ellipses with smoothed edges, as image editors draw them, in 160 x 120 pixels."""
    drawn = Image.new("L", (640, 480))
    for ellipse in ellipses:
        ImageDraw.Draw(drawn).ellipse([4 * edge for edge in ellipse], fill=255)
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn.resize((160, 120), Image.Resampling.BILINEAR).save(path)


@pytest.mark.parametrize("suffix", ["", "_1"])
def test_masks_with_smoothed_edges_are_black_and_white(tmp_path, suffix):
    """Also those of objects so thin that they alone would not show it, and those of one object each."""
    ellipses = [(10, 10, 90, 90), (110, 20, 150, 100)]
    for name in ("a", "b"):
        image(tmp_path / f"toys/images/{name}.jpg", 160, 120)
    smooth_mask(tmp_path / f"toys/masks/a{suffix}.png", *ellipses)
    smooth_mask(tmp_path / f"toys/masks/b{suffix}.png", (20, 20, 22, 100))
    if suffix:
        smooth_mask(tmp_path / "toys/masks/a_2.png", ellipses[0])
    report = run(tmp_path / "toys")
    assert any("white with smoothed edges" in note for note in report["notes"])
    rows = read(tmp_path / "toys.json")
    assert [len(rows[f"images/{name}.jpg"]) for name in ("a", "b")] == [2, 1]
    area = np.pi / 4 * 80 * 80 + (0 if not suffix else np.pi / 4 * 40 * 80)
    assert rows["images/a.jpg"][0][2:] == (pytest.approx(area, rel=0.02), 0)
    assert rows["images/b.jpg"][0][2:] == (pytest.approx(np.pi / 4 * 2 * 80, rel=0.2), 0)


def test_white_is_an_object_among_shades_of_grey_and_void_as_a_band_or_beside_numbers(tmp_path):
    band = [(255, (8, 8, 14, 14)), (128, (10, 10, 10, 10))]
    cases = {
        "shades": ([(128, FIRST), (255, SECOND)], [FIRST_ROW, SECOND_ROW], {}),
        "band": (band, [("object", [10, 10, 10, 10], 100, 0), ("object", [8, 8, 14, 14], 96, 1)], {}),
        "numbers": (
            [(1, FIRST), (255, SECOND)],
            [FIRST_ROW, (*SECOND_ROW[:3], 1)],
            {"images/a.jpg": ["255 in a label mask is taken for void"]},
        ),
    }
    for name, (values, rows, problems) in cases.items():
        image(tmp_path / name / "images/a.jpg")
        masks(tmp_path / name / "masks", a=values)
        report = run(tmp_path / name)
        assert read(tmp_path / f"{name}.json") == {"images/a.jpg": rows}
        assert report["problem_files"] == problems
        assert any("shades of grey" in note for note in report["notes"]) == (name == "shades")
