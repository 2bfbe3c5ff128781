"""Proposals: decoding, cutting, sorting and suppression on cases small enough to follow."""

import numpy as np
import pytest
import tensorflow as tf

from mrcnn.region_proposals import ANCHOR_VARIANCE, RegionProposalHead, propose


def logits_of(*scores):
    return tf.constant([[[0.0, score] for score in scores]])


def test_best_first_overlaps_suppressed_and_padded_with_zeros():
    anchors = tf.constant([[0.0, 0, 10, 10], [0, 1, 10, 11], [30, 30, 40, 40], [50, 50, 60, 60]])
    proposals = propose(logits_of(1.0, 2.0, 3.0, -4.0), tf.zeros((1, 4, 4)), anchors, (64, 64), 4, 5, 0.5)
    assert proposals.numpy().tolist() == [
        [[30, 30, 40, 40], [0, 1, 10, 11], [50, 50, 60, 60], [0, 0, 0, 0], [0, 0, 0, 0]]
    ]


def test_deltas_move_the_anchor_and_the_image_cuts_it():
    anchors = tf.constant([[0.0, 0, 10, 10]])
    shift = tf.constant([[[1.0, -1.0, 0.0, 0.0]]]) / tf.constant(ANCHOR_VARIANCE)  # one height down, one width left
    assert propose(logits_of(0.0), shift, anchors, (64, 64), 1, 1, 0.5).numpy() == pytest.approx(np.zeros((1, 1, 4)))
    shift = tf.constant([[[0.5, 0.0, 0.0, np.log(2.0)]]]) / tf.constant(ANCHOR_VARIANCE)
    moved = propose(logits_of(0.0), shift, anchors, (64, 64), 1, 1, 0.5).numpy()
    assert moved == pytest.approx(np.array([[[5, 0, 15, 15]]]), abs=1e-4)


def test_an_anchor_outside_the_image_takes_nobodys_place():
    anchors = tf.constant([[100.0, 100, 110, 110], [0, 0, 10, 10]])
    proposals = propose(logits_of(9.0, -9.0), tf.zeros((1, 2, 4)), anchors, (64, 64), 2, 1, 0.5)
    assert proposals.numpy().tolist() == [[[0, 0, 10, 10]]]


def test_images_of_a_batch_do_not_see_each_other():
    anchors = tf.constant([[0.0, 0, 10, 10], [0, 0, 10, 11]])
    logits = tf.concat([logits_of(1.0, 0.0), logits_of(0.0, 1.0)], axis=0)
    proposals = propose(logits, tf.zeros((2, 2, 4)), anchors, (64, 64), 2, 1, 0.5)
    assert proposals.numpy().tolist() == [[[0, 0, 10, 10]], [[0, 0, 10, 11]]]


def test_head_flattens_in_the_order_of_the_anchors():
    """Objectness of cell (row, column) must come out at the place of that cell's anchors."""
    head = RegionProposalHead(anchors_per_cell=2, channels=1, separable=False)
    levels = [tf.reshape(tf.range(6, dtype=tf.float32), (1, 2, 3, 1)), tf.fill((1, 1, 1, 1), 10.0)]
    head.build([level.shape for level in levels])
    identity = np.zeros((3, 3, 1, 1), np.float32)
    identity[1, 1] = 1
    head.shared.set_weights([identity, np.zeros(1)])
    head.objectness.set_weights([np.array([0, 1, 0, 100], np.float32).reshape(1, 1, 1, 4), np.zeros(4)])
    logits, deltas = head(levels)
    expected = [value * factor for value in (0, 1, 2, 3, 4, 5, 10) for factor in (1, 100)]
    assert logits[0, :, 1].numpy().tolist() == expected
    assert deltas.shape == (1, 14, 4)
