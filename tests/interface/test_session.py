import dataclasses

import numpy as np
import pytest
from PIL import Image
from skimage import data

from interface.downloads import EVERYTHING
from interface.page import build_page
from interface.photo_tab import WELCOME
from interface.session import AnalysisCache, Models, sized_for_view
from mrcnn.images import read_image
from mrcnn.results.instances import Instances


@pytest.mark.parametrize(
    "size, expected",
    [
        ((300, 451), (532, 800)),
        ((3000, 4000), (960, 1280)),
        ((900, 1000), (900, 1000)),
        ((32, 4000), (10, 1280)),
    ],
)
def test_size_of_the_view(size, expected):
    assert sized_for_view(np.zeros((*size, 3), np.uint8)).shape == (*expected, 3)


def test_masks_of_the_view_are_those_of_the_photo(analysis):
    seen, found = analysis.view_detections().instances(0.2), analysis.detections.instances(0.2)
    assert seen.image_size == analysis.view.shape[:2] == (532, 800)
    scale = (532 * 800) / (300 * 451)
    np.testing.assert_allclose(seen.areas / found.areas, scale, rtol=0.01)
    np.testing.assert_array_equal(seen.scores, found.scores)


def test_recent_forgets_the_least_used(analysis):
    recent = AnalysisCache(most_entries=3)
    tokens = [recent.put(analysis) for _ in range(3)]
    assert len(set(tokens)) == 3 and min(map(len, tokens)) > 20
    assert recent.get(tokens[0]) is analysis  # used, so the second one goes first
    recent.put(analysis)
    assert len(recent) == 3
    assert recent.get(tokens[1]) is None
    assert recent.get(tokens[0]) is analysis


def test_recent_is_bounded_in_memory(analysis):
    recent = AnalysisCache(most_entries=1000, most_bytes=5 * analysis.bytes)
    for _ in range(20):
        recent.put(analysis)
    assert len(recent) == 5 and recent.bytes <= 5 * analysis.bytes
    assert analysis.bytes >= 532 * 800 * 3


def test_one_huge_result_is_kept_nevertheless(analysis):
    recent = AnalysisCache(most_bytes=10)
    assert recent.get(recent.put(analysis)) is analysis


def test_drop(analysis):
    recent = AnalysisCache()
    token = recent.put(analysis)
    recent.drop(token)
    recent.drop(token)
    recent.drop(None)
    assert recent.get(token) is None and recent.get(None) is None and len(recent) == 0


@pytest.mark.parametrize("name", ["unicorn", "../weights/cat", "/etc/passwd", ""])
def test_models_go_by_name_only(name):
    with pytest.raises(ValueError, match=r"There is no model .*cat"):
        Models().get(name)


@pytest.fixture(scope="module")
def models():
    return Models()


def test_a_model_is_loaded_once(models):
    assert models.get("cat") is models.get("cat")


def test_detections_hold_all_that_the_slider_can_show(models):
    detections, milliseconds = models.detect("cat", data.chelsea())
    assert milliseconds > 0
    for confidence in (0.05, 0.3, 0.9):
        shown = detections.instances(confidence)
        assert isinstance(shown, Instances)
        assert len(shown) == (detections.scores >= confidence).sum()


def test_a_huge_photo_gives_what_it_gives_when_it_is_decoded_whole(models, tmp_path):
    """At its own size, although half of its pixels each way were never decoded."""
    path = tmp_path / "huge.jpg"
    Image.fromarray(data.chelsea()).resize((6000, 4000)).save(path, quality=90)
    analysis = models.analyse("cat", path)
    assert analysis.view.shape == (853, 1280, 3) and analysis.detections.image_size == (4000, 6000)
    found, expected = (
        detections.instances(0.5) for detections in (analysis.detections, models.detect("cat", read_image(path))[0])
    )
    assert len(found) == len(expected) == 1
    assert found.scores == pytest.approx(expected.scores, abs=0.02)
    shared = (found.masks & expected.masks).sum() / (found.masks | expected.masks).sum()
    assert shared > 0.98


def test_a_forgotten_result_is_made_anew(models, tmp_path):
    """What a visitor's slider does after the result had to make room for those of others."""
    recent = AnalysisCache()
    page = build_page(models, recent)
    redraw = next(function.fn for function in page.fns.values() if function.name == "redraw")
    path = tmp_path / "chelsea.png"
    Image.fromarray(data.chelsea()).save(path)
    widgets = [50, 50, ["masks"], 50, "instance", "original", "#f6f4ef", "solid", []]
    inputs = ["cat", EVERYTHING, *widgets]
    words, images, table, token, _, offered = redraw(str(path), "a token of yesterday", *inputs)
    assert ("Cut-out 1, cat (PNG)", "cutout-01-cat.png") in offered.choices
    assert words.startswith("Found ") and "<img" in images and "<tr" in table
    assert recent.get(token) is not None
    again = redraw(str(path), token, *inputs)
    assert again[:4] == (words, images, table, token)
    assert redraw(None, "a token of yesterday", *inputs)[0] == WELCOME


def test_analysis_is_immutable(analysis):
    with pytest.raises(dataclasses.FrozenInstanceError):
        analysis.milliseconds = 0


def test_a_model_that_was_deleted_meanwhile(monkeypatch):
    models = Models()
    monkeypatch.setattr(models, "names", lambda: ["cat", "gone"])
    with pytest.raises(ValueError, match="gone"):
        models.get("gone")


@pytest.mark.parametrize("name", [None, ["cat"], {"a": 1}, 5])
def test_a_name_that_is_no_text(name):
    with pytest.raises(ValueError, match="name is a text"):
        Models().get(name)
