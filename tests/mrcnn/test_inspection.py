"""What the Inside tab shows must be what the network did."""

import numpy as np
import pytest
from skimage import data

from mrcnn import MaskRCNN
from mrcnn.build import build_network
from mrcnn.config import PRESETS, replace


@pytest.fixture(scope="module")
def model():
    return MaskRCNN.from_pretrained("cat", compiled=False)


@pytest.fixture(scope="module")
def seen(model):
    return model.inspect(data.chelsea(), 0.5)


def test_the_run_ends_with_what_detect_says(model, seen):
    found = model.detect(data.chelsea(), 0.5)
    assert len(found) >= 1
    np.testing.assert_allclose(seen.detections.boxes, found.boxes, atol=0.05)
    np.testing.assert_allclose(seen.detections.scores, found.scores, atol=1e-3)
    np.testing.assert_allclose(seen.detections.soft_masks, found.soft_masks, atol=5e-3)
    assert seen.detections.image_size == data.chelsea().shape[:2]


def test_each_stage_is_that_of_the_canvas(model, seen):
    height, width = seen.canvas.shape[:2]
    assert (height, width) == (288, 416) and seen.window == (0, 0, 277, 416)
    cells = {stride: (-(-height // stride), -(-width // stride)) for stride in (4, 8, 16, 32, 64)}  # P6 rounds up
    assert [level.shape for level in seen.levels] == [(*shape, 128) for shape in cells.values()]
    assert [anchors.shape[:2] for anchors in seen.anchors] == [cells[stride] for stride in seen.strides]
    for stride, objectness, anchors in zip(seen.strides, seen.objectness, seen.anchors, strict=True):
        assert anchors.shape == (*objectness.shape, 4)
        assert objectness.min() >= 0 and objectness.max() <= 1
        y1, x1, y2, x2 = anchors[1, 2].T
        np.testing.assert_allclose((y1 + y2) / 2, 1.5 * stride, atol=1e-3)
        np.testing.assert_allclose((x1 + x2) / 2, 2.5 * stride, atol=1e-3)
    # Chelsea's face fills the image: the coarse levels see it, the finest one does not.
    assert seen.objectness[-1].max() > 0.5 > seen.objectness[0].max()


def test_suppression_only_drops_candidates(model, seen):
    assert len(seen.candidates) == model.config.pre_nms_top_n
    assert 1 < len(seen.proposals) <= model.config.post_nms_top_n
    np.testing.assert_allclose(seen.candidates[seen.proposal_candidates], seen.proposals, atol=1e-2)
    assert (np.diff(seen.proposal_candidates) > 0).all(), "best first in both"
    np.testing.assert_array_equal(seen.candidates, seen.moved[seen.candidate_anchors])
    objectness = np.concatenate([level.reshape(-1) for level in seen.objectness])
    assert (np.diff(objectness[seen.candidate_anchors]) <= 1e-6).all()


def test_each_detection_is_a_refined_proposal(seen):
    class_ids = seen.detections.class_ids
    np.testing.assert_allclose(seen.refined[seen.found_proposals, class_ids], seen.found_boxes, atol=1e-2)
    scores = seen.probabilities[seen.found_proposals, class_ids]
    np.testing.assert_allclose(scores, seen.detections.scores, atol=1e-3)


def test_the_time_of_each_stage_is_told(seen):
    stages = "letterbox features anchors proposal_head moved proposals pool box_head detections masks"
    assert set(seen.milliseconds) == set(stages.split())
    assert min(seen.milliseconds.values()) > 0


def test_the_box_head_said_cat_of_a_proposal(seen):
    assert seen.probabilities.shape == (len(seen.proposals), 2)
    assert seen.pooled.shape == (len(seen.proposals), 7, 7, 128)
    np.testing.assert_allclose(seen.probabilities.sum(axis=1), 1, atol=1e-5)
    assert seen.probabilities[:, 1].max() == pytest.approx(seen.detections.scores[0], abs=1e-3)


def test_the_classic_presets_can_be_looked_into_as_well():
    config = replace(PRESETS["resnet50"], class_names=("cat",), image_size=128, pre_nms_top_n=200, post_nms_top_n=40)
    seen = MaskRCNN(build_network(config), compiled=False).inspect(data.chelsea(), 0.0)
    assert seen.canvas.shape == (128, 128, 3)
    assert seen.window[0] > 0, "the image lies in the middle"
    assert [anchors.shape[2] for anchors in seen.anchors] == [3] * 5
    y1, x1, y2, x2 = seen.anchors[0][0, 0].T
    np.testing.assert_allclose((y2 - y1) * (x2 - x1), 32**2, rtol=0.02)
    assert len(seen.candidates) == 200 and len(seen.proposals) <= 40


def test_bad_arguments_are_refused(model):
    with pytest.raises(ValueError, match="confidence is 2, expected a number from 0 to 1"):
        model.inspect(data.chelsea(), 2)
