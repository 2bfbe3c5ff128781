"""How far masks go on at the edge of a photo."""

import numpy as np
import pytest

from pipeline.evaluation.edges import edge_covers


def drawn(rows, columns, size=(200, 100)):
    mask = np.zeros(size, np.uint8)
    mask[rows, columns] = 1
    return mask


def test_an_object_within_the_photo_has_no_such_edge():
    inside = drawn(slice(20, 80), slice(30, 60))
    assert edge_covers(inside, inside).shape == (0, 2)


@pytest.mark.parametrize("turns", range(4))
def test_a_mask_that_stops_short_of_the_edge(turns):
    cut = np.rot90(drawn(slice(0, 60), slice(30, 60)), turns)
    short = np.rot90(drawn(slice(1, 60), slice(30, 60)), turns)
    width = 4 if turns % 2 == 0 else round(0.02 * cut.shape[1])
    assert edge_covers(cut, short) == pytest.approx(np.array([[1 - 1 / width, 1.0]]))
    assert edge_covers(cut, cut) == pytest.approx(np.array([[1.0, 1.0]]))


def test_an_object_in_a_corner_is_cut_off_twice():
    corner = drawn(slice(0, 60), slice(0, 60))
    assert edge_covers(corner, np.zeros_like(corner)).tolist() == [[0, 0], [0, 0]]
