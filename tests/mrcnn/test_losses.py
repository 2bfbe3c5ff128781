"""Losses against values worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf

from mrcnn import losses
from mrcnn.targets import IGNORED, NEGATIVE, POSITIVE


def test_cross_entropy_counts_sampled_rows_only():
    logits = tf.constant([[0.0, 0.0], [0.0, np.log(3.0)], [50.0, -50.0]])
    total, count = losses.cross_entropy(logits, tf.constant([0, 1, 1]), tf.constant([NEGATIVE, POSITIVE, IGNORED]))
    assert float(total) == pytest.approx(np.log(2) + np.log(4 / 3), abs=1e-6)
    assert float(count) == 2


def test_smooth_l1_is_quadratic_then_linear_and_counts_positive_rows_only():
    deltas = tf.constant([[0.5, -0.5, 0.0, 3.0], [9.0, 9.0, 9.0, 9.0], [7.0, 7.0, 7.0, 7.0]])
    labels = tf.constant([POSITIVE, NEGATIVE, IGNORED])
    total, count = losses.smooth_l1(deltas, tf.zeros((3, 4)), labels, beta=1.0)
    assert float(total) == pytest.approx(0.125 + 0.125 + 2.5)
    assert float(count) == 2, "negative rows have no box but belong to the sample"


def test_mask_loss_of_nothing_is_nothing():
    total, count = losses.mask_loss(*[tf.zeros((0, 56, 56))] * 3)
    assert (float(total), float(count)) == (0.0, 0.0)


def test_mask_loss_by_hand():
    total, count = losses.mask_loss(tf.zeros((1, 2, 2)), tf.constant([[[0.0, 1.0], [1.0, 0.0]]]), tf.ones((1, 2, 2)))
    dice = 1 - 2 * (0.5 + 0.5) / (4 * 0.25 + 2)
    assert float(total) == pytest.approx(np.log(2) + dice + np.log(2), abs=1e-3)
    assert float(count) == 1


def test_the_extent_is_asked_of_each_row_and_each_column():
    total, _ = losses.mask_loss(tf.constant([[[0.0, -1.0]]]), tf.constant([[[1.0, 0.0]]]), tf.ones((1, 1, 2)))
    there, not_there = np.log(2), np.log(1 + np.exp(-1))  # cross-entropy of a cell, and of a line, whose greatest it is
    cells, row, columns = (there + not_there) / 2, there, (there + not_there) / 2
    dice = 1 - 2 * 0.5 / (0.5**2 + (1 / (1 + np.e)) ** 2 + 1)
    assert float(total) == pytest.approx(cells + dice + (row + columns) / 2, abs=1e-3)


def test_an_end_of_many_unsure_cells_costs_more_than_one_with_a_sure_cell():
    """Of a foot somewhere in its row one cell above a half is enough for the mask to reach as far as the object."""
    truth = tf.constant([[[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]]])
    unsure, sure = (tf.constant([[[9.0, 9.0, 9.0], last]]) for last in ([-1.0, -9.0, -9.0], [1.0, -9.0, -9.0]))
    costs = [float(losses.mask_loss(logits, truth, tf.ones((1, 2, 3)))[0]) for logits in (unsure, sure)]
    cells = [np.log(1 + np.exp(1)) / 6, np.log(1 + np.exp(-1)) / 6]
    assert costs[0] - costs[1] > 2 * (cells[0] - cells[1])


def test_a_perfect_mask_costs_nothing_and_a_missed_one_costs_the_whole_dice():
    truth = tf.constant([[[0.0, 1.0], [1.0, 0.0]]])
    known = tf.ones_like(truth)
    assert float(losses.mask_loss(40.0 * truth - 20.0, truth, known)[0]) == pytest.approx(0.0, abs=1e-3)
    assert float(losses.mask_loss(20.0 - 40.0 * truth, truth, known)[0]) == pytest.approx(20.0 + 1.0, abs=1e-3)


def test_unknown_cells_neither_cost_nor_teach():
    """A mask wrong in its unknown column alone costs nothing; one without a known cell does not even count."""
    logits = tf.constant([[[20.0, 20.0], [-20.0, 20.0]], [[3.0, 3.0], [3.0, 3.0]]])
    truth = tf.constant([[[1.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    known = tf.constant([[[1.0, 0.0], [1.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        total, count = losses.mask_loss(logits, truth, known)
    assert float(total) == pytest.approx(0.0, abs=1e-3)
    assert float(count) == 1
    assert not tape.gradient(total, logits).numpy()[known.numpy() == 0].any()


def test_the_known_part_of_a_mask_weighs_as_much_as_a_whole_one():
    half = tf.constant([[[1.0, 0.0], [1.0, 0.0]]])
    total, _ = losses.mask_loss(tf.zeros((1, 2, 2)), tf.constant([[[1.0, 1.0], [0.0, 1.0]]]), half)
    assert float(total) == pytest.approx(np.log(2) + 1 - 2 * 0.5 / (2 * 0.25 + 1) + np.log(2), abs=1e-3)
