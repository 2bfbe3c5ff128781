import numpy as np
import pytest

from interface.settings import BACKGROUNDS, LOOKS, MOST_WORDS, SHOWN, Settings, replace_background, rgb
from mrcnn.results.detections import Detections


def test_from_widgets():
    settings = Settings.from_widgets(35, 0, ["boxes"], 70, "class", "colour", "#ff0000", "overlay")
    assert settings == Settings(0.35, 0.7, 0.0, ("boxes",), "class", "colour", "overlay", (), "#ff0000")
    assert Settings.from_widgets(50, 50, [], 50, "class", "grey", "#fff", "solid", ["cat"]).classes == ("cat",)
    assert Settings.from_widgets(50, 50, [], 50, "class", "grey", "#fff", "solid", None).classes == ()


@pytest.mark.parametrize(
    "classes, rows",
    [((), [0, 1]), (("cat",), [0]), (("<dog>",), [1]), (("cat", "<dog>"), [0, 1]), (("horse",), [])],
)
def test_classes_choose_among_the_detections(analysis, classes, rows):
    everything = analysis.detections
    chosen = Settings(confidence=0.2, classes=classes)
    np.testing.assert_array_equal(chosen.chosen(everything).boxes, everything.boxes[rows])
    found = chosen.instances(everything)
    assert found.class_names == [["cat", "<dog>"][row] for row in rows]
    np.testing.assert_array_equal(found.masks, everything.instances(0.2).masks[rows])
    assert set(np.unique(found.semantic_map())) == {0, *(row + 1 for row in rows)}


def test_confidence_and_mask_threshold_count_too(analysis):
    assert len(Settings(confidence=0.5).instances(analysis.detections)) == 1
    tight, wide = (Settings(mask_threshold=value).instances(analysis.detections).areas[0] for value in (0.9, 0.1))
    assert 0 < tight < wide


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_background_leaves_the_objects_alone(analysis, background):
    found = analysis.view_detections().instances(0.2)
    before = analysis.view.copy()
    changed = replace_background(analysis.view, found, background)
    np.testing.assert_array_equal(analysis.view, before)
    union = found.masks.any(axis=0)
    np.testing.assert_array_equal(changed[union], before[union])
    beyond = changed[~union]
    if background == "grey":
        assert (beyond[:, 0] == beyond[:, 1]).all()
    elif background == "colour":
        assert (beyond == (246, 244, 239)).all()
    elif background == "blurred":
        assert 1 < np.abs(beyond.astype(int) - before[~union]).mean() < 40
    else:
        np.testing.assert_array_equal(changed, before)


def test_unknown_background(analysis):
    with pytest.raises(ValueError, match='no background "beach"'):
        replace_background(analysis.view, analysis.view_detections().instances(0.2), "beach")


@pytest.mark.parametrize(
    "text, colour",
    [("#0a141e", (10, 20, 30)), ("rgba(10.4, 19.6, 30, 1)", (10, 20, 30)), ("rgb(255, 0, 7)", (255, 0, 7))],
)
def test_colours(analysis, text, colour):
    assert rgb(text) == colour
    found = analysis.view_detections().instances(0.2)
    changed = replace_background(analysis.view, found, "colour", text)
    assert (changed[~found.masks.any(axis=0)] == colour).all()


def test_no_colour():
    with pytest.raises(ValueError, match="color"):
        rgb("beach")


def test_labels_and_boxes_are_whole_before_a_transparent_background(analysis):
    found = Settings().instances(analysis.view_detections())
    drawn = Settings(background="transparent").draw_instances(analysis.view, found)
    alone = Settings(background="transparent", shown=("masks", "outlines")).draw_instances(analysis.view, found)
    y1, x1, y2, x2 = np.rint(found.boxes[0]).astype(int)
    assert (alone[..., 3] > 0).mean() == pytest.approx(found.masks.any(axis=0).mean(), abs=1e-3)
    assert (drawn[y1, x1:x2, 3] == 255).all() and (drawn[y1:y2, x1, 3] == 255).all(), "the box is closed"
    whole = Settings().draw_instances(analysis.view, found)
    tag = slice(y1 - 15, y1 - 3), slice(x1 + 2, x1 + 40)
    assert (drawn[tag][..., 3] == 255).all() and (drawn[tag][..., :3] == whole[tag]).all(), "so is the label"


@pytest.mark.parametrize("name", LOOKS)
def test_settings_know_the_look_that_they_are(name):
    shown, opacity, background = LOOKS[name]
    settings = Settings(shown=tuple(reversed(shown)), opacity=opacity / 100, background=background)
    assert settings.look == name
    assert Settings(opacity=0.37).look is None


def crowd(count):
    """Squares in a row, each 60 pixels wide."""
    boxes = np.array([[100, 70 * i, 160, 70 * i + 60] for i in range(count)], np.float32)
    return Detections(
        boxes=boxes,
        scores=np.linspace(0.9, 0.8, count).astype(np.float32),
        class_ids=np.ones(count, np.int32),
        soft_masks=np.ones((count, 56, 56), np.float16),
        image_size=(300, 600),
        class_names=("cat",),
    ).instances()


def test_labels_of_a_crowd_are_numbers_alone():
    black = np.zeros((300, 600, 3), np.uint8)
    width = []
    for count in (MOST_WORDS, MOST_WORDS + 1):
        drawn = Settings(shown=("labels", "scores")).draw_instances(black, crowd(count))
        written = drawn[:100].any(axis=(0, 2))
        width.append(written[:70].sum())
    assert width[0] > 2 * width[1] > 0
    assert set(SHOWN) > {"labels", "scores"}


def test_a_white_rim_goes_around_what_is_cut_out():
    photo = np.full((300, 600, 3), 80, np.uint8)
    found = crowd(1)
    drawn = Settings(shown=(), background="white rim").draw_instances(photo, found)
    bare = Settings(shown=(), background="transparent").draw_instances(photo, found)
    added = (drawn[..., 3] > 200) & (bare[..., 3] == 0)
    assert added.sum() > 4 * 60 * 3 and (drawn[added][:, :3] > 240).all()
    assert (drawn[130, 30] == (80, 80, 80, 255)).all() and drawn[5, 300, 3] == 0
