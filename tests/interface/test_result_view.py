import base64
import dataclasses
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from interface.result_view import images_html, sentence, table_html
from interface.settings import Settings
from mrcnn.results import drawing


class Reader(HTMLParser):
    """Collects tags with their attributes, and checks that each is closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    def shapes(self):
        return [attributes for attributes in self.all("path") if "data-row" in attributes]


def decoded(attributes):
    kind, content = attributes["src"].split(";base64,")
    with Image.open(io.BytesIO(base64.b64decode(content))) as image:
        return kind, np.array(image)


def test_two_images_with_a_shape_for_each_object(analysis):
    reader = Reader(images_html(analysis, Settings(confidence=0.2)))
    images = reader.all("img")
    assert [image["alt"] for image in images] == [
        "The photo with 1 cat and 1 <dog> marked",
        "Map of the classes with 1 cat and 1 <dog>",
    ]
    for image in images:
        kind, pixels = decoded(image)
        assert kind == "data:image/jpeg" and pixels.shape == analysis.view.shape
    shapes = reader.shapes()
    # The surest comes last and so lies on top, as in the image.
    assert [shape["data-row"] for shape in shapes] == ["1", "0", "1", "0"]
    for shape in shapes:
        numbers = np.array(re.findall(r"\d+", shape["d"]), int).reshape(-1, 2)
        assert len(numbers) > 10 and (numbers <= [800, 532]).all()


def test_higher_confidence_shows_less(analysis):
    assert len(Reader(images_html(analysis, Settings(confidence=0.5))).shapes()) == 2
    reader = Reader(images_html(analysis, Settings(confidence=0.95)))
    assert reader.shapes() == [] and len(reader.all("img")) == 2
    assert table_html(analysis, Settings(confidence=0.95)) == ""


def test_table(analysis):
    table = table_html(analysis, Settings(confidence=0.2))
    rows = Reader(table).all("tr")[1:]
    assert [row["data-row"] for row in rows] == ["0", "1"]
    assert all(row["tabindex"] == "0" for row in rows)
    found = analysis.detections.instances(0.2)
    assert f"<td>{found.areas[0]:,} px</td>" in table
    top, left, bottom, right = found.boxes[0].astype(int)
    assert f"<td>{left}, {top} to {right}, {bottom}</td>" in table
    assert f"rgb{drawing.instance_colour(0)}" in table and f"rgb{drawing.instance_colour(1)}" in table
    by_class = table_html(analysis, Settings(confidence=0.2, color_by="class"))
    assert f"rgb{drawing.class_colour(2)}" in by_class


def test_names_are_escaped(analysis):
    for text in (
        table_html(analysis, Settings(confidence=0.2)),
        images_html(analysis, Settings(confidence=0.2)),
    ):
        assert "<dog>" not in text and "&lt;dog&gt;" in text


@pytest.mark.parametrize(
    "confidence, expected",
    [
        (0.5, "Found 1 cat in 12 ms, 90 % sure."),
        (0.2, "Found 1 cat and 1 <dog> in 12 ms, 30 to 90 % sure."),
        (0.95, "No cat or <dog> above 95 % in 12 ms; the surest is at 90 %."),
    ],
)
def test_sentence(analysis, confidence, expected):
    assert sentence(analysis, Settings(confidence=confidence)) == expected


def test_sentence_when_there_is_nothing_at_all(analysis):
    empty = dataclasses.replace(
        analysis.detections,
        boxes=np.zeros((0, 4), np.float32),
        scores=np.zeros(0, np.float32),
        class_ids=np.zeros(0, np.int32),
        soft_masks=np.zeros((0, 56, 56), np.float16),
    )
    words = sentence(dataclasses.replace(analysis, detections=empty), Settings())
    assert words == "No cat or <dog> here, decided in 12 ms."


def test_sentence_of_chosen_classes(analysis):
    chosen = Settings(classes=("<dog>",))
    words = "No <dog> found in 12 ms, but 1 cat: choose more classes to see the rest."
    assert sentence(analysis, chosen) == words
    assert sentence(analysis, dataclasses.replace(chosen, confidence=0.2)) == "Found 1 <dog> in 12 ms, 30 % sure."
    surest = dataclasses.replace(chosen, confidence=0.95)
    assert sentence(analysis, surest) == "No <dog> here, decided in 12 ms.", "a guess of 30 % is no dog"


def test_sentence_does_not_list_eighty_classes(analysis):
    many = dataclasses.replace(analysis.detections, class_names=("cat", "<dog>", *(f"thing {i}" for i in range(78))))
    words = sentence(dataclasses.replace(analysis, detections=many), Settings(confidence=0.95))
    assert words.startswith("No object above 95 %")


def test_chosen_classes_are_what_is_drawn(analysis):
    settings = Settings(confidence=0.2, classes=("<dog>",))
    assert len(Reader(images_html(analysis, settings)).shapes()) == 2
    table = table_html(analysis, settings)
    assert "&lt;dog&gt;" in table and "cat" not in table


def test_legend_names_each_class_with_its_share(analysis):
    found = analysis.view_detections().instances(0.2)
    text = re.sub(r"<[^>]+>", " ", images_html(analysis, Settings(confidence=0.2)))
    shares = [float(share) for share in re.findall(r"([\d.]+) %\s", text[text.index("Semantic map") :])][:3]
    areas = np.bincount(found.semantic_map().ravel(), minlength=3) / found.semantic_map().size
    np.testing.assert_allclose(shares[:-1], sorted(100 * areas[1:], reverse=True), atol=0.06)
    assert shares[-1] == pytest.approx(100 * areas[0], abs=0.06) and sum(shares) == pytest.approx(100, abs=0.2)
    solid = decoded(Reader(images_html(analysis, Settings(confidence=0.99))).all("img")[1])[1]
    assert (np.abs(solid.astype(int) - drawing.BACKGROUND_COLOUR) < 8).all(), "nothing is written into the map"


def test_a_result_names_its_look_and_the_link_to_it(analysis):
    (attributes,) = (
        attributes
        for attributes in Reader(images_html(analysis, Settings(background="grey", shown=()), "look=a&b=c")).all("div")
        if attributes["class"] == "result"
    )
    assert attributes["data-look"] == "Colour on grey" and attributes["data-state"] == "look=a&b=c"


def test_transparent_background(analysis):
    settings = Settings(confidence=0.2, background="transparent", shown=("masks", "outlines"))
    found = analysis.view_detections().instances(0.2)
    drawn = settings.draw_instances(analysis.view, found)
    np.testing.assert_array_equal(drawn[..., 3] > 0, found.masks.any(axis=0))
    kind, pixels = decoded(Reader(images_html(analysis, settings)).all("img")[0])
    assert kind == "data:image/png" and pixels.shape[2] == 4
