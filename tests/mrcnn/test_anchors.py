"""Anchors against the layout that the proposal head assumes."""

import numpy as np
import pytest

from mrcnn.anchors import anchors, cell_anchors


def test_cell_anchors_have_the_area_of_their_scale_and_the_ratio_asked_for():
    sizes = np.array(cell_anchors(8, (2.0, 3.0), (0.5, 1.0, 2.0)))
    assert sizes.prod(axis=1) == pytest.approx([256] * 3 + [576] * 3)
    assert sizes[:, 0] / sizes[:, 1] == pytest.approx([0.5, 1, 2] * 2)


def test_anchors_are_centred_on_their_cells_row_by_row_and_level_by_level():
    boxes = anchors([(2, 3), (1, 1)], (8, 16), (2.0,), (1.0,)).numpy()
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    assert centres.tolist() == [[4, 4], [4, 12], [4, 20], [12, 4], [12, 12], [12, 20], [8, 8]]
    assert (boxes[:, 2] - boxes[:, 0]).tolist() == [16] * 6 + [32]


def test_anchors_of_one_cell_lie_behind_one_another():
    boxes = anchors([(1, 2)], (8,), (1.0, 2.0), (1.0, 2.0)).numpy()
    assert boxes.shape == (8, 4)
    heights = boxes[:, 2] - boxes[:, 0]
    assert heights[:4] == pytest.approx(heights[4:])
    assert heights[:4] == pytest.approx([8, 8 * 2**0.5, 16, 16 * 2**0.5])
