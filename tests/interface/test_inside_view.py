"""The steps of the Inside tab."""

import base64
import io
import math
import re

import numpy as np
import pytest
from PIL import Image
from skimage import data

from interface.collage import SCENES, cat_cutout, scene
from interface.inside_drawing import TILE, principal_colours
from interface.inside_view import STEPS, step_html
from interface.inside_walk import suppress, walk_through
from interface.inside_why import LOST_IN, why_html
from mrcnn import MaskRCNN
from mrcnn.missed import STAGES
from tools.app_process import ROOT

NUMBERS = range(1, len(STEPS) + 1)
NUMBER = {step.title: number for number, step in enumerate(STEPS, start=1)}


@pytest.fixture(scope="module")
def model():
    return MaskRCNN.from_pretrained("cat", compiled=False)


@pytest.fixture(scope="module")
def walk(model):
    return walk_through(model.inspect(data.chelsea(), 0.5), data.chelsea())


@pytest.fixture(scope="module")
def three_cats(model):
    photo = np.asarray(scene(cat_cutout(model), SCENES["six cats, some of which touch"][:1]).convert("RGB"))
    return walk_through(model.inspect(photo, 0.5), photo)


def images(step):
    found = re.findall(r'src="data:image/\w+;base64,([^"]+)"', step)
    return [np.array(Image.open(io.BytesIO(base64.b64decode(text)))) for text in found]


@pytest.mark.parametrize("row", [None, 0, 2])
def test_each_step_has_a_name_a_sentence_its_tensors_and_its_source(three_cats, row):
    for number in NUMBERS:
        step = step_html(three_cats, number, row)
        assert f"{number} of {len(STEPS)}: {STEPS[number - 1].title}" in step
        assert all(alt for alt in re.findall(r'alt="([^"]*)"', step)) and images(step)
        assert len(re.findall(r"[.:](?: |<)", re.search("<p>(.*?)</p>", step)[1] + " ")) <= 2, "one sentence"
        assert re.search(r"(uint8|float32|bool) \d", step)
        assert re.search(r"<code>mrcnn/[\w/]+\.py</code>", step)
        assert ("cat 3" in re.sub(r'alt="[^"]*"', "", step)) >= (row == 2), "it is followed through all steps"
        assert re.search(r" · \d+\.\d ms in this run", step)


def test_the_sources_exist_and_anchors_come_before_objectness():
    assert all((ROOT / step.source).is_file() for step in STEPS)
    assert NUMBER["anchors"] < NUMBER["is something there?"]
    assert set(LOST_IN) == set(STAGES) and set(LOST_IN.values()) <= set(NUMBER)


def test_a_cat_is_followed_from_its_anchor_to_its_box(three_cats):
    seen = three_cats.seen
    for row, box in enumerate(seen.found_boxes):
        moved, (level, *place) = three_cats.anchor_of(row)
        proposal = seen.found_proposals[row]
        np.testing.assert_allclose(seen.moved[moved], seen.proposals[proposal], atol=1e-2)
        y1, x1, y2, x2 = seen.anchors[level][tuple(place)]
        cell = seen.strides[level]
        assert (y1 + y2) / 2 == pytest.approx((place[0] + 0.5) * cell) and (x1 + x2) / 2 == pytest.approx(
            (place[1] + 0.5) * cell
        )
        np.testing.assert_allclose(seen.refined[proposal, 1], box, atol=1e-2)


def test_maps_and_masks_come_at_their_true_size(walk):
    canvas = images(step_html(walk, 1))[-1].shape
    assert [image.shape for image in images(step_html(walk, NUMBER["feature pyramid"]))] == [
        (math.ceil(canvas[0] / 2**k), math.ceil(canvas[1] / 2**k), 3) for k in range(2, 7)
    ]
    for pair in images(step_html(walk, NUMBER["RoIAlign"])):
        assert pair.shape == (TILE, 2 * TILE + 4, 3), "crop and grid are one image, which no row can part"
        cells = pair[:, TILE + 4 :].reshape(7, TILE // 7, 7, TILE // 7, 3)
        assert (cells == cells[:, :1, :, :1]).all()
    (mask,) = images(step_html(walk, NUMBER["masks"]))
    mask = mask[:, TILE + 4 :]
    assert mask[TILE // 2, TILE // 2, 0] > 200 > 50 > mask[0, 0, 0]


def test_the_last_step_shows_the_mask_on_the_photo(walk):
    (result,) = images(step_html(walk, len(STEPS)))
    assert result.shape == data.chelsea().shape
    assert "1 cat" in step_html(walk, len(STEPS))


def test_without_detections_the_walk_says_so(model):
    blank = np.full((100, 150, 3), 90, np.uint8)
    walk = walk_through(model.inspect(blank, 0.9), blank)
    assert walk.choices() == []
    assert "Nothing is sure enough" in step_html(walk, NUMBER["masks"], 0)
    assert "nothing" in step_html(walk, len(STEPS), 0)
    assert "Lost in step" in why_html(walk, [0.2, 0.2, 0.8, 0.8])


def test_suppression_acts_as_in_the_network_and_at_other_overlaps(three_cats):
    seen, config = three_cats.seen, three_cats.seen.config
    order = -np.arange(len(seen.candidates))

    def kept(allowed):
        return suppress(seen.candidates, order, np.zeros_like(order), allowed, config.post_nms_top_n)

    assert kept(config.proposal_nms_iou).tolist() == seen.proposal_candidates.tolist()
    assert 1 <= len(kept(0.1)) < len(kept(0.3)) < len(kept(0.6))
    for title, smallest in (("proposals that stay", 0.05), ("detections that stay", 0.05)):
        plain, few, many = (step_html(three_cats, NUMBER[title], 0, overlap) for overlap in (None, smallest, 0.95))
        assert plain != few != many
        assert "0.05" in few and "0.95" in many
    counts = [
        int(re.search(r"(\d+) detections", step_html(three_cats, NUMBER["detections that stay"], 0, overlap))[1])
        for overlap in (None, 0.5, 0.95)
    ]
    assert counts[0] == counts[1] == 3 < counts[2]


def test_boxes_of_another_group_are_spared():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 9.5], [5, 5, 5, 9]], float)
    assert suppress(boxes, [0.5, 0.9, 0.7, 1.0], [0, 0, 1, 0], 0.5, 9).tolist() == [1, 2]
    assert suppress(boxes, [0.5, 0.9, 0.7, 1.0], [0, 0, 1, 0], 0.5, 1).tolist() == [1]


def test_a_click_on_a_cat_says_that_it_was_found(walk):
    assert "That is cat 1: it was found." in why_html(walk, [0.5, 0.5, 0.5, 0.5])


def test_a_click_beside_the_cats_names_the_stage(three_cats):
    answer = why_html(three_cats, [0.95, 0.95, 0.95, 0.95])
    step, title = re.search(r"Lost in step (\d+), ([^.<]+)\.", answer).groups()
    assert NUMBER[title] == int(step) and title in LOST_IN.values()
    assert len(images(answer)) == 1


@pytest.mark.parametrize(
    "place", [None, [1, 2], ["a", 0, 0, 0], [0.5, 0.5, 0.2, 0.6], [0, 0, 2, 2], [0, 0, 1, float("nan")]]
)
def test_what_is_no_place_is_refused(walk, place):
    with pytest.raises(ValueError, match="four numbers"):
        why_html(walk, place)


def test_principal_colours_tell_regions_apart():
    features = np.zeros((4, 6, 10), np.float32)
    features[:, 3:, 4] = 5
    features[2:, :, 7] = 3
    colours = principal_colours(features)
    assert colours.dtype == np.uint8 and colours.shape == (4, 6, 3)
    regions = [colours[:2, :3], colours[:2, 3:], colours[2:, :3], colours[2:, 3:]]
    means = [region.reshape(-1, 3).mean(axis=0) for region in regions]
    assert all((region == region[0, 0]).all() for region in regions)
    assert len({tuple(mean) for mean in means}) == 4
    assert (principal_colours(np.ones((2, 2, 5), np.float32)) == 0).all()
