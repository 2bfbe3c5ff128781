"""Selection of detections."""

import numpy as np
import pytest
import tensorflow as tf

from mrcnn.detections import select_detections

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
