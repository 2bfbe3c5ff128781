"""Totals, doubt, order and filter of many photos."""

import csv
import io

import numpy as np
import pytest
from PIL import Image
from skimage import data

from interface.batch_results import PhotoResult, arranged, legend_html, summary, table, totals, write_preview
from mrcnn.results import drawing
from mrcnn.results.detections import Detections


def result(name, scores, index=0, confidence=0.5, class_names=("cat",)):
    count = len(scores)
    detections = Detections(
        boxes=np.tile(np.array([[1, 1, 9, 9]], np.float32), (count, 1)),
        scores=np.array(scores, np.float32),
        class_ids=np.ones(count, np.int32),
        soft_masks=np.ones((count, 8, 8), np.float16),
        image_size=(20, 20),
        class_names=class_names,
    )
    return PhotoResult.of(name, index, detections, confidence, f"{name}.jpg")


@pytest.fixture
def results():
    return [
        result("sure", [0.98, 0.97, 0.02]),
        result("unsure", [0.99, 0.55, 0.3]),
        PhotoResult("broken", 2, error="broken is damaged."),
        result("missed", [0.48]),
        result("empty", []),
    ]


def names(results):
    return [one.name for one in results]


def test_totals(results):
    assert totals(results) == "4 cats in 4 photos, 2 of them without"
    assert totals(results[:2]) == "4 cats in 2 photos"
    assert totals(results[4:]) == "Nothing in 1 photo"


def test_the_score_next_to_the_confidence_tells_the_doubt(results):
    assert names(arranged(results, "Most doubtful first")) == ["missed", "unsure", "sure", "empty"]
    assert [round(one.closest, 2) for one in results if one.closest] == [0.97, 0.55, 0.48]


def test_captions_say_where_the_doubt_is(results):
    assert results[0].caption == "sure: 2 cats"
    assert results[1].caption == "unsure: 2 cats, one only 55 % sure"
    assert results[3].caption == "missed: nothing, a guess at 48 %"
    assert results[4].caption == "empty: nothing"


def test_order_and_filter(results):
    assert names(arranged(results)) == ["sure", "unsure", "missed", "empty"]
    assert names(arranged(results, "Most found first", "With")) == ["sure", "unsure"]
    assert names(arranged(results, which="Without")) == ["missed", "empty"]


def test_the_summary_names_what_could_not_be_read(results):
    words = summary(results, 9, 3, 100)
    assert words.startswith("**4 cats in 4 photos, 2 of them without.**  \n5 of 9 photos done, 1 of them")
    assert "- broken is damaged." in words and "3 more were left out: 100 at a time" in words
    assert "**" not in summary([results[2]], 1, 0, 100)


def test_the_table(results):
    rows = list(csv.DictReader(io.StringIO(table(results))))
    assert [(row["photo"], row["objects"], row["result"]) for row in rows][:3] == [
        ("sure", "2", "2 cats"),
        ("unsure", "2", "2 cats"),
        ("broken", "", "broken is damaged."),
    ]
    assert float(rows[3]["closest_score"]) == pytest.approx(0.48) and rows[4]["closest_score"] == ""


def test_a_model_of_several_classes_gets_a_legend_of_those_that_were_found(results):
    assert legend_html(results, ("cat",)) == "" == legend_html(results[4:], ("cat", "<dog>"))
    legend = legend_html(results, ("<dog>", "cat"))
    assert f"rgb{drawing.class_colour(2)}" in legend and "cat" in legend and "dog" not in legend


def test_nothing_is_written_on_the_map(analysis, tmp_path):
    write_preview(tmp_path / "a.png", data.chelsea(), analysis.detections, 0.2)
    semantic = np.asarray(Image.open(tmp_path / "a.png"))[:, 451:]
    colours = {tuple(colour) for colour in semantic.reshape(-1, 3).tolist()}
    assert colours == {drawing.class_colour(class_id) for class_id in (0, 1, 2)}
