"""Why an object is missing, told of runs of the real network in which it was made to be."""

import dataclasses

import numpy as np
import pytest
from skimage import data

from interface.collage import SCENES, cat_cutout, scene
from mrcnn import MaskRCNN
from mrcnn.build import build_network
from mrcnn.config import replace
from mrcnn.missed import box_at, why_missed
from mrcnn.results.boxes import box_iou


@pytest.fixture(scope="module")
def model():
    return MaskRCNN.from_pretrained("cat", compiled=False)


@pytest.fixture(scope="module")
def three_cats(model):
    return np.asarray(scene(cat_cutout(model), SCENES["six cats, some of which touch"][:1]).convert("RGB"))


@pytest.fixture(scope="module")
def seen(model, three_cats):
    return model.inspect(three_cats, 0.5)


def other_settings(model, **settings):
    """The same weights in a network with other settings."""
    network = build_network(replace(model.config, **settings))
    network.set_weights(model.network.get_weights())
    return MaskRCNN(network, compiled=False)


def test_all_three_cats_are_there_to_be_missed(seen):
    assert len(seen.found_boxes) == 3


def test_what_was_found_is_not_missing(seen):
    for row, box in enumerate(seen.found_boxes):
        verdict = why_missed(seen, box + np.array([3, -3, 3, 3]))
        assert (verdict.stage, verdict.row) == ("found", row)


def test_a_box_unlike_all_anchors_is_lost_at_the_anchors(seen):
    verdict = why_missed(seen, [100, 0, 102, 400])
    assert verdict.stage == "anchors" and verdict.numbers["anchors"] == 0
    assert 0 <= verdict.numbers["anchor_iou"] == box_iou(seen.moved, verdict.box[None]).max() < 0.5


def test_an_anchor_far_down_the_ranks_never_enters_suppression(seen):
    objectness = np.concatenate([level.reshape(-1) for level in seen.objectness])
    alone = np.flatnonzero(
        (box_iou(seen.moved, seen.candidates).max(axis=1) < 0.3)
        & ((seen.moved[:, 2:] - seen.moved[:, :2]).min(axis=1) > 8)
    )
    row = alone[objectness[alone].argmax()]
    verdict = why_missed(seen, seen.moved[row])
    assert verdict.stage == "pre_nms"
    assert verdict.numbers["rank"] > verdict.numbers["limit"] == len(seen.candidates)
    assert verdict.numbers["objectness"] >= objectness[row]


def test_of_too_few_proposals_the_last_ones_are_cut(model, three_cats, seen):
    few = other_settings(model, post_nms_top_n=1).inspect(three_cats, 0.5)
    assert len(few.proposals) == 1
    lost = [why_missed(few, box) for box in seen.found_boxes]
    assert "top_n" in {verdict.stage for verdict in lost}
    assert all(verdict.numbers["limit"] == 1 for verdict in lost if verdict.stage == "top_n")


def test_suppression_that_allows_no_overlap_loses_what_lies_on_a_cat(model, three_cats, seen):
    strict = other_settings(model, proposal_nms_iou=0.01).inspect(three_cats, 0.5)
    lost = [why_missed(strict, box) for box in seen.candidates]
    (verdict, *_) = [verdict for verdict in lost if verdict.stage == "proposal_nms"]
    assert verdict.numbers["iou"] > verdict.numbers["allowed"] == 0.01
    assert box_iou(verdict.own[None], verdict.rival[None])[0, 0] == pytest.approx(verdict.numbers["iou"])


def test_an_unsure_class_is_told_with_its_score(model, three_cats, seen):
    highest = float(seen.detections.scores.max())
    strict = model.inspect(three_cats, min(1.0, highest + 1e-4))
    assert not len(strict.found_boxes)
    verdict = why_missed(strict, seen.found_boxes[0])
    assert verdict.stage == "class"
    assert 0.5 < verdict.numbers["score"] <= highest and verdict.numbers["proposals"] > 0


def test_a_mask_that_is_unsure_of_its_outline_takes_the_score_below_what_is_asked_for(model, three_cats, seen):
    model = other_settings(model, mask_scoring=True)
    highest = float(model.inspect(three_cats, 0.5).detections.scores.max())
    assert highest < seen.detections.scores.max()
    strict = model.inspect(three_cats, min(1.0, highest + 1e-4))
    assert not len(strict.found_boxes) and len(strict.unsure_boxes)
    verdict = why_missed(strict, seen.found_boxes[0])
    assert verdict.stage == "mask"
    assert verdict.numbers["with_mask"] <= highest < strict.confidence <= verdict.numbers["score"]
    assert {float(score) for score in strict.unsure_scores} >= {verdict.numbers["with_mask"]}


def test_a_surer_cat_suppresses_its_neighbour(model, three_cats, seen):
    strict = other_settings(model, detection_nms_iou=0.01).inspect(three_cats, 0.5)
    assert len(strict.found_boxes) < 3
    lost = [why_missed(strict, box) for box in seen.found_boxes]
    assert "detection_nms" in {verdict.stage for verdict in lost}
    for verdict in lost:
        if verdict.stage == "detection_nms":
            assert verdict.numbers["iou"] > 0.01 and verdict.row is not None


def test_more_than_were_asked_for_are_not_shown(model, three_cats, seen):
    one = model.inspect(three_cats, 0.5, limit=1)
    assert [why_missed(one, box).stage for box in seen.found_boxes] == ["found", "limit", "limit"]


def test_a_point_is_about_what_is_there(model, three_cats, seen):
    """With a confidence that leaves one cat, a click on another one is about that one."""
    one = dataclasses.replace(seen, found_boxes=seen.found_boxes[:1])
    y1, x1, y2, x2 = seen.found_boxes[1]
    box = box_at(one, (y1 + y2) / 2, (x1 + x2) / 2)
    assert box_iou(box[None], seen.found_boxes[1:2])[0, 0] > 0.5


def test_nothing_is_around_a_point_outside(seen):
    assert box_at(seen, -5, -5) is None


@pytest.mark.parametrize("box", [[5, 5, 5, 9], [9, 9, 5, 5], [1, 2, 3]])
def test_a_box_without_area_is_refused(seen, box):
    with pytest.raises(ValueError, match="expected y1, x1, y2, x2"):
        why_missed(seen, box)


def test_of_chelsea_nothing_is_missing(model):
    seen = model.inspect(data.chelsea(), 0.5)
    assert why_missed(seen, seen.found_boxes[0]).stage == "found"
