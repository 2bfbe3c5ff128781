"""Selection of detections, and thresholds applied to what the network said."""

import numpy as np
import pytest
import tensorflow as tf

from mrcnn.detections import Detections, select_detections

STD = (0.1, 0.1, 0.2, 0.2)


def select(probabilities, proposals, confidence=0.05, limit=4):
    """Detections of one image of 100 x 100 from class probabilities, with all deltas zero."""
    logits = np.log(np.array(probabilities, np.float32))[None]
    deltas = np.zeros((*logits.shape, 4), np.float32)
    proposals = np.array(proposals, np.float32)[None]
    found = select_detections(
        tf.constant(logits), tf.constant(deltas), tf.constant(proposals), (100, 100), STD, 0.5, confidence, limit
    )
    boxes, scores, class_ids = (values[0].numpy() for values in found)
    return boxes[class_ids > 0].tolist(), scores[class_ids > 0].tolist(), class_ids[class_ids > 0].tolist()


def test_suppression_is_for_each_class_by_itself():
    same_place = [[10, 10, 50, 50], [10, 10, 50, 52], [60, 60, 90, 90]]
    probabilities = [[0.1, 0.8, 0.1], [0.2, 0.7, 0.1], [0.05, 0.05, 0.9]]
    boxes, scores, class_ids = select(probabilities, same_place, confidence=0.3)
    assert class_ids == [2, 1]
    assert scores == pytest.approx([0.9, 0.8])
    assert boxes == [[60, 60, 90, 90], [10, 10, 50, 50]]


def test_two_classes_may_share_a_place():
    _, scores, class_ids = select([[0.1, 0.5, 0.4]], [[10, 10, 50, 50]])
    assert class_ids == [1, 2]
    assert scores == pytest.approx([0.5, 0.4])


def test_confidence_limit_and_padding():
    apart = [[0, 0, 10, 10], [20, 20, 30, 30], [40, 40, 50, 50], [0, 0, 0, 0]]
    probabilities = [[0.4, 0.6], [0.2, 0.8], [0.7, 0.3], [0.0001, 0.9999]]
    assert select(probabilities, apart)[1] == pytest.approx([0.8, 0.6, 0.3])
    assert select(probabilities, apart, confidence=0.5)[1] == pytest.approx([0.8, 0.6])
    assert select(probabilities, apart, limit=1)[1] == pytest.approx([0.8])


def test_a_padded_proposal_is_never_a_detection_even_at_confidence_zero():
    assert select([[0.01, 0.99]], [[0, 0, 0, 0]], confidence=0.0) == ([], [], [])


def test_thresholds_apply_afterwards():
    soft = np.zeros((2, 56, 56), np.float16)
    soft[:, :, :28] = 0.9
    soft[:, :, 28:] = 0.4
    detections = Detections(
        boxes=np.array([[0, 0, 56, 56], [0, 0, 56, 56]], np.float32),
        scores=np.array([0.9, 0.3], np.float32),
        class_ids=np.array([1, 1], np.int32),
        soft_masks=soft,
        image_size=(60, 70),
        class_names=("cat",),
    )
    found = detections.instances(confidence=0.5)
    assert len(found) == 1
    assert found.masks.shape == (1, 60, 70)
    assert found.masks.sum() == 56 * 28
    assert detections.instances(confidence=0.2, mask_threshold=0.3).masks.sum() > 2 * 56 * 50
    assert found.class_names == ["cat"]


def test_a_mask_reaches_beyond_its_box_by_the_margin():
    detections = Detections(
        boxes=np.array([[20, 20, 40, 60]], np.float32),
        scores=np.ones(1, np.float32),
        class_ids=np.ones(1, np.int32),
        soft_masks=np.ones((1, 56, 56), np.float16),
        image_size=(100, 62),
        class_names=("cat",),
        mask_margin=0.1,
    )
    found = detections.instances()
    rows, columns = found.windows[0].slices
    assert (rows.start, rows.stop, columns.start, columns.stop) == (18, 42, 16, 62), "cut at the image's edge"
    assert found.boxes.tolist() == [[20, 20, 40, 60]]
