"""Box arithmetic against numbers worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf

from mrcnn import boxes


def tensor(*rows):
    return tf.constant(rows, tf.float32)


def test_area_of_box_and_of_degenerate_box():
    assert boxes.area(tensor([1, 2, 4, 6], [3, 3, 3, 9], [5, 5, 4, 9])).numpy().tolist() == [12, 0, 0]


@pytest.mark.parametrize(
    ("box", "other", "expected"),
    [
        ([0, 0, 4, 4], [0, 0, 4, 4], 1.0),
        ([0, 0, 4, 4], [0, 2, 4, 6], 8 / 24),  # half of each
        ([0, 0, 4, 4], [1, 1, 3, 3], 4 / 16),  # one inside the other
        ([0, 0, 4, 4], [0, 4, 4, 8], 0.0),  # edges touch, far edges are exclusive
        ([0, 0, 0, 0], [0, 0, 0, 0], 0.0),  # two empty boxes do not divide by zero
    ],
)
def test_iou(box, other, expected):
    assert boxes.iou(tensor(box), tensor(other)).numpy() == pytest.approx(np.array([[expected]]), abs=1e-6)


def test_iou_compares_every_pair():
    overlaps = boxes.iou(tensor([0, 0, 2, 2], [0, 0, 4, 4], [9, 9, 10, 10]), tensor([0, 0, 2, 2], [0, 0, 2, 4]))
    assert overlaps.numpy() == pytest.approx(np.array([[1, 0.5], [0.25, 0.5], [0, 0]]))


def test_covered_takes_the_region_that_covers_most():
    share = boxes.ioa(tensor([0, 0, 10, 10], [20, 20, 30, 30]), tensor([0, 0, 5, 10], [0, 0, 2, 2], [0, 0, 0, 0]))
    assert share.numpy() == pytest.approx(np.array([0.5, 0.0]))


def test_what_nearly_reaches_an_edge_is_moved_onto_it():
    window = tf.constant([0, 0, 100, 200], tf.float32)
    moved = boxes.to_edges(tensor([1, 1, 90, 198], [2, 4, 97, 199], [-5, 0, 103, 200]), window, 0.015)
    # 1.5 of 100 rows, 3 of 200 columns; what reaches further out stays
    assert moved.numpy().tolist() == [[0, 0, 90, 200], [2, 4, 97, 200], [-5, 0, 103, 200]]
    both = boxes.to_edges(tf.stack([moved, moved]), tf.stack([window, window + 1]), 0.015)
    assert both.numpy()[1].tolist() == [[0, 0, 90, 201], [1, 4, 97, 201], [-5, 0, 103, 201]]


def test_encode_by_hand():
    # anchor 10 x 20 around (5, 10); box 20 x 20 around (10, 10): half a height down, twice as high
    deltas = boxes.encode(tensor([0, 0, 20, 20]), tensor([0, 0, 10, 20]), (1, 1, 1, 1))
    assert deltas.numpy() == pytest.approx(np.array([[0.5, 0, np.log(2), 0]]), abs=1e-6)


def test_decode_undoes_encode():
    random = np.random.default_rng(0)
    corners = random.uniform(0, 100, (50, 2, 2)).astype(np.float32)
    true = np.concatenate([corners[:, 0], corners[:, 0] + corners[:, 1] + 1], axis=1)
    anchors = np.concatenate([corners[::-1, 1], corners[::-1, 1] + corners[::-1, 0] + 1], axis=1)
    std = (0.1, 0.1, 0.2, 0.2)
    assert boxes.decode(boxes.encode(true, anchors, std), anchors, std).numpy() == pytest.approx(true, abs=1e-3)


def test_decode_of_a_wild_delta_stays_finite():
    assert np.isfinite(boxes.decode(tensor([0, 0, 1e6, 1e6]), tensor([0, 0, 10, 10]), (1, 1, 1, 1))).all()


def test_clip():
    clipped = boxes.clip(tensor([-5, -6, 50, 60], [-9, -9, -1, -1]), 40, 30)
    assert clipped.numpy().tolist() == [[0, 0, 40, 30], [0, 0, 0, 0]]


def test_take_kept_fills_up_with_zeros():
    kept = boxes.nms(
        tf.constant([[0.0, 0, 4, 4], [0, 0, 4, 5], [9, 9, 12, 12]]), tf.constant([0.5, 0.6, 0.7]), 3, 0.5, 0.0
    )
    assert boxes.take_kept(tf.constant([10, 11, 12]), *kept).numpy().tolist() == [12, 11, 0]
    assert boxes.take_kept(tf.constant([[1.0], [2.0], [3.0]]), *kept).numpy().tolist() == [[3.0], [2.0], [0.0]]
