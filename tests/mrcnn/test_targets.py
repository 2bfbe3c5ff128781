"""Matching and sampling on drawn cases."""

import numpy as np
import pytest
import tensorflow as tf

from mrcnn.targets import IGNORED, NEGATIVE, POSITIVE, mask_targets, match, sample

SEED = tf.constant([1, 2])


def boxes(*rows):
    return tf.constant(rows, tf.float32)


def ids(*values):
    return tf.constant(values, tf.int32)


def test_match_by_overlap():
    candidates = boxes([0, 0, 10, 10], [0, 0, 10, 6], [0, 0, 10, 4], [0, 0, 10, 1], [50, 50, 60, 60])
    labels, matched = match(candidates, boxes([50, 50, 60, 61], [0, 0, 10, 10]), ids(1, 1), 0.6, 0.3)
    assert labels.numpy().tolist() == [POSITIVE, POSITIVE, IGNORED, NEGATIVE, POSITIVE]
    assert matched.numpy()[[0, 1, 2, 4]].tolist() == [1, 1, 1, 0]


def test_padding_rows_match_nothing():
    labels, _ = match(boxes([0, 0, 10, 10]), boxes([0, 0, 10, 10]), ids(0), 0.5, 0.5)
    assert labels.numpy().tolist() == [NEGATIVE]


def test_low_quality_matches_give_an_unreached_object_its_best_candidate():
    candidates = boxes([0, 0, 10, 10], [0, 0, 10, 8], [40, 40, 50, 50])
    true = boxes([0, 0, 10, 3])  # overlaps the first two by 0.3 and 0.375
    labels, _ = match(candidates, true, ids(1), 0.6, 0.2)
    assert labels.numpy().tolist() == [IGNORED, IGNORED, NEGATIVE]
    labels, matched = match(candidates, true, ids(1), 0.6, 0.2, allow_low_quality_matches=True)
    assert labels.numpy().tolist() == [IGNORED, POSITIVE, NEGATIVE]
    assert matched.numpy()[1] == 0


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_a_candidate_that_is_the_best_of_two_objects_goes_to_the_one_it_overlaps_more(order):
    """Whatever the order of the rows; the other object gets none."""
    candidates = boxes([0, 0, 10, 10])
    true = [[0, 0, 10, 8], [0, 0, 4, 4]]
    labels, matched = match(
        candidates, boxes(*(true[row] for row in order)), ids(1, 1), 0.9, 0.3, allow_low_quality_matches=True
    )
    assert labels.numpy().tolist() == [POSITIVE]
    assert order[matched.numpy()[0]] == 0


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_matches_do_not_depend_on_the_order_of_the_objects(order):
    random = np.random.default_rng(0)
    corners = random.uniform(0, 60, (200, 2))
    candidates = boxes(*np.concatenate([corners, corners + random.uniform(5, 40, (200, 2))], axis=1))
    true = np.array([[5, 5, 30, 30], [8, 6, 33, 28], [10, 40, 50, 70]])
    labels, matched = match(candidates, boxes(*true), ids(1, 1, 1), 0.6, 0.3, allow_low_quality_matches=True)
    again, matched_again = match(
        candidates, boxes(*true[order]), ids(1, 1, 1), 0.6, 0.3, allow_low_quality_matches=True
    )
    np.testing.assert_array_equal(labels, again)
    positive = labels.numpy() == POSITIVE
    assert positive.any()
    np.testing.assert_array_equal(matched.numpy()[positive], np.array(order)[matched_again.numpy()[positive]])


def test_ignore_regions_are_neither_right_nor_wrong():
    candidates = boxes([0, 0, 10, 10], [0, 0, 10, 30], [50, 50, 60, 60], [2, 2, 8, 8])
    true = boxes([0, 0, 10, 12], [2, 2, 8, 8])
    labels, _ = match(candidates, true, ids(-1, 1), 0.5, 0.5)
    assert labels.numpy().tolist() == [IGNORED, NEGATIVE, NEGATIVE, POSITIVE]


def test_empty_candidates_are_ignored():
    labels, _ = match(boxes([0, 0, 0, 0]), boxes([5, 5, 9, 9]), ids(1), 0.5, 0.5)
    assert labels.numpy().tolist() == [IGNORED]


def test_sample_keeps_the_share_and_fills_up_with_negatives():
    labels = ids(*[POSITIVE] * 50 + [NEGATIVE] * 100 + [IGNORED] * 50)
    rows, kinds = sample(labels, 40, 0.25, SEED)
    assert kinds.numpy().tolist() == [POSITIVE] * 10 + [NEGATIVE] * 30
    assert (labels.numpy()[rows] == kinds.numpy()).all()
    assert len(set(rows.numpy())) == 40


def test_sample_with_too_few_candidates_is_marked_not_invented():
    labels = ids(*[POSITIVE] * 2 + [NEGATIVE] * 3 + [IGNORED] * 20)
    _, kinds = sample(labels, 10, 0.5, SEED)
    assert kinds.numpy().tolist() == [POSITIVE] * 2 + [NEGATIVE] * 3 + [IGNORED] * 5


def test_a_sample_of_more_than_there_are_is_filled_up_with_ignored_rows():
    rows, kinds = sample(tf.constant([POSITIVE, NEGATIVE, IGNORED]), 8, 0.25, SEED)
    assert rows.shape == kinds.shape == (8,)
    assert sorted(rows.numpy()[:2]) == [0, 1] and list(kinds.numpy()[2:]) == [IGNORED] * 6
    assert rows.numpy().max() <= 2


def test_sample_repeats_itself_for_the_same_seed_only():
    labels = ids(*[POSITIVE] * 50 + [NEGATIVE] * 500)
    first, again, other = (sample(labels, 32, 0.25, seed)[0].numpy() for seed in (SEED, SEED, tf.constant([1, 3])))
    assert (first == again).all()
    assert (first != other).any()


def square_mask():
    """A mask of 112 cells whose lower right quarter is set."""
    mask = np.zeros((1, 112, 112), np.uint8)
    mask[:, 56:, 56:] = 255
    return mask


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ([10, 20, 50, 60], [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]),  # the box itself
        ([30, 40, 50, 60], np.ones((4, 4))),  # the set quarter
        ([20, 30, 40, 50], [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]),  # around the middle
        ([30, 40, 70, 80], [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]),  # beyond the mask nothing is set
    ],
)
def test_mask_targets(region, expected):
    cells, known = mask_targets(square_mask(), boxes([10, 20, 50, 60]), boxes([0, 0, 200, 200]), boxes(region), 4)
    assert cells.numpy()[0].tolist() == np.asarray(expected).tolist()
    assert known.numpy().all()


def test_mask_cells_beyond_the_photo_are_unknown():
    """The photo is 40 x 40 at (10, 0) of its canvas; the mask head looks ten pixels farther to the right and below."""
    full = np.full((1, 112, 112), 255, np.uint8)
    cells, known = mask_targets(full, boxes([20, 10, 50, 40]), boxes([10, 0, 50, 40]), boxes([20, 10, 60, 50]), 4)
    within = [[1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0]]
    assert known.numpy()[0].tolist() == within
    assert cells.numpy()[0].tolist() == within, "an object cut off by the edge is full up to the edge"


def test_no_cell_of_an_instance_without_a_mask_is_known():
    full = np.full((1, 112, 112), 255, np.uint8)
    _, known = mask_targets(full, boxes([0, 0, 50, 40]), boxes([0, 0, 0, 0]), boxes([0, 0, 50, 40]), 4)
    assert not known.numpy().any()


def test_the_outermost_cells_of_a_mask_reach_to_the_edge_of_its_box():
    """Centres of fine cells lie outside of the centres of the stored mask's outermost cells."""
    full = np.full((1, 4, 4), 255, np.uint8)
    everywhere = boxes([0, 0, 40, 40])
    assert mask_targets(full, everywhere, everywhere, everywhere, 20)[0].numpy().all()
