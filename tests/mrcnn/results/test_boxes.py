"""Box arithmetic on arrays, by hand."""

import numpy as np
import pytest
import tensorflow as tf

from mrcnn.results.boxes import box_iou, expand_boxes


def test_iou_of_every_pair():
    boxes = np.array([[10, 10, 50, 70], [10, 100, 50, 160]], float)
    overlaps = box_iou(boxes, np.array([[20, 20, 60, 80], [10, 100, 50, 160], [0, 0, 5, 5]], float))
    shared = 30 * 50
    np.testing.assert_allclose(overlaps, [[shared / (4800 - shared), 0, 0], [0, 1, 0]])


def test_empty_boxes_overlap_nothing_and_no_boxes_give_no_rows():
    assert box_iou([[3, 3, 3, 3], [0, 0, 9, 9]], [[3, 3, 3, 3], [5, 5, 2, 2]]).tolist() == [[0, 0], [0, 0]]
    assert box_iou(np.zeros((0, 4)), np.zeros((2, 4))).shape == (0, 2)


@pytest.mark.parametrize("kind", [np.array, tf.constant])
def test_expand_boxes_works_on_arrays_and_tensors(kind):
    found = expand_boxes(kind(np.array([[10, 20, 30, 60]], np.float32)), 0.1)
    np.testing.assert_allclose(found, [[8, 16, 32, 64]], rtol=1e-6)
