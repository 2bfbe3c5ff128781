"""Masks that are brushed on a small copy of a photo."""

import numpy as np
import pytest

from interface import label_map
from interface.label_map import brush_size, brushed, from_runs, resized, runs


@pytest.fixture
def labels():
    """Two discs, numbers 1 and 2, in a photo of three times the size at which it is brushed."""
    rows, columns = np.mgrid[:600, :900]
    labels = np.zeros((600, 900), np.uint8)
    labels[np.hypot(rows - 300, columns - 250) < 180] = 1
    labels[np.hypot(rows - 300, columns - 650) < 181] = 2
    return labels


def test_the_size_that_is_brushed():
    assert brush_size((3000, 4000)) == (768, 1024)
    assert brush_size((300, 451)) == (300, 451)


def test_masks_that_nobody_brushed_stay_to_the_pixel(labels):
    assert np.array_equal(brushed(labels, resized(labels, (200, 300)), {1, 2}), labels)


def test_only_what_was_brushed_changes(labels):
    small = resized(labels, (200, 300)).copy()
    small[10:20, 10:20] = 1
    after = brushed(labels, small, {1, 2})
    assert (after[30:60, 30:60] == 1).all()
    after[30:60, 30:60] = 0
    assert np.array_equal(after, labels)


def test_what_is_erased_leaves_no_thread_behind(labels):
    small = resized(labels, (200, 300)).copy()
    small[small == 1] = 0
    assert not (brushed(labels, small, {1, 2}) == 1).any()


def test_a_deleted_object_is_gone_even_where_it_is_thinner_than_a_brushed_pixel(labels):
    labels[5, :] = 1
    small = resized(labels, (200, 300)).copy()
    small[small == 1] = 0
    after = brushed(labels, small, {2})
    assert set(np.unique(after)) == {0, 2} and np.array_equal(after == 2, labels == 2)


def test_at_the_photos_own_size_each_pixel_is_its_own(labels):
    other = labels.copy()
    other[300, 300] = 2
    assert np.array_equal(brushed(labels, other, {1, 2}), other)


def test_runs_there_and_back(labels):
    assert runs(np.array([[0, 0, 3], [3, 0, 7]], np.uint8)) == [0, 2, 3, 2, 0, 1, 7, 1]
    assert np.array_equal(from_runs(runs(labels), labels.shape), labels)


@pytest.mark.parametrize(
    "numbers",
    [None, "0", [0], [0, 5], [0, 7], [256, 6], [-1, 6], [0, 10**30, 0, 6], [0, -1, 0, 7], [0, 6.0], [True, 6]],
)
def test_what_is_no_label_map_is_refused_in_words(numbers):
    with pytest.raises(ValueError, match="must cover 3 x 2 pixels"):
        from_runs(numbers, (2, 3))


def test_the_largest_number_is_that_of_a_byte():
    assert from_runs([label_map.MOST_NUMBERS, 6], (2, 3)).max() == 255
