"""What is tidied in masks, by hand on small ones; and `components` beside scipy's own labelling."""

import numpy as np
import pytest
from scipy import ndimage

from mrcnn.results.clean import clean_masks, components, runs_of
from mrcnn.results.instances import MaskWindow


def windows(*masks):
    return [MaskWindow.around(np.asarray(mask, bool)) for mask in masks]


def whole(found, size):
    masks = np.zeros((len(found), *size), bool)
    for mask, window in zip(masks, found, strict=True):
        mask[window.slices] = window.mask
    return masks


def square(top, left, height, width, size=(60, 60)):
    mask = np.zeros(size, bool)
    mask[top : top + height, left : left + width] = True
    return mask


@pytest.mark.parametrize(
    "mask",
    [np.random.default_rng(seed).random((37, 41)) < share for seed, share in enumerate((0.1, 0.4, 0.6, 0.9))]
    + [np.zeros((5, 6), bool), np.ones((5, 6), bool), np.ones((1, 1), bool), np.zeros((0, 0), bool), np.eye(9) > 0],
    ids=lambda mask: f"{mask.shape}-{mask.sum()}",
)
def test_components_are_those_of_scipy(mask):
    expected, count = ndimage.label(mask)
    runs = runs_of(mask)
    labels, areas = components(runs, mask.shape[1] + 1)
    assert len(areas) == count
    assert sorted(areas) == sorted(np.bincount(expected.ravel())[1:])
    positions = np.pad(expected, ((1, 1), (1, 0))).ravel()
    pieces = {}
    for (start, stop), label in zip(runs, labels, strict=True):
        pieces.setdefault(label, set()).update(positions[start:stop].tolist())
    assert all(len(piece) == 1 for piece in pieces.values())
    assert len(set().union(*pieces.values())) == count


def test_specks_are_dropped_and_pieces_kept():
    cat = square(10, 10, 30, 30)  # 900 pixels
    speck, paw = square(50, 2, 2, 4), square(50, 40, 3, 5)  # 8 and 15: less and more than a hundredth
    (found,) = whole(clean_masks(windows(cat | speck | paw)), (60, 60))
    np.testing.assert_array_equal(found, cat | paw)


def test_pinholes_are_filled_and_gaps_kept():
    cat, pinhole, gap = square(10, 10, 30, 30), square(15, 15, 2, 4), square(30, 20, 3, 5)
    bay = square(25, 38, 2, 2)  # open to the outside: no hole at all
    (found,) = whole(clean_masks(windows(cat & ~pinhole & ~gap & ~bay)), (60, 60))
    np.testing.assert_array_equal(found, cat & ~gap & ~bay)


def test_a_pixel_belongs_to_the_surest():
    first, second, third = square(0, 0, 30, 30), square(20, 20, 30, 30), square(10, 25, 30, 30)
    masks = whole(clean_masks(windows(first, second, third)), (60, 60))
    assert masks.sum(axis=0).max() == 1
    np.testing.assert_array_equal(masks, [first, second & ~first, third & ~first & ~second])
    overlapping = whole(clean_masks(windows(first, second, third), overlaps=True), (60, 60))
    np.testing.assert_array_equal(overlapping, [first, second, third])


def test_what_a_surer_mask_cuts_off_as_a_speck_is_dropped_too():
    bar, cat = square(0, 20, 60, 10), square(10, 5, 30, 28) & ~square(11, 20, 29, 13)
    first, second = whole(clean_masks(windows(bar, cat)), (60, 60))
    np.testing.assert_array_equal(first, bar)
    np.testing.assert_array_equal(second, square(10, 5, 30, 15))  # the three pixels right of the bar are gone


def test_a_small_object_in_front_of_a_large_one_keeps_its_place():
    """The large one has a hole there of less than a hundredth of its pixels, which would be filled if it were empty."""
    cat, toy = square(0, 0, 50, 50), square(20, 20, 4, 5)
    for order in ([cat & ~toy, toy], [toy, cat]):
        masks = whole(clean_masks(windows(*order)), (60, 60))
        np.testing.assert_array_equal(masks[[mask.sum() == 20 for mask in masks].index(True)], toy)


def test_windows_are_tight():
    (found,) = clean_masks([MaskWindow(0, 0, square(10, 10, 30, 30) | square(50, 50, 1, 1))])
    assert (found.top, found.left, found.mask.shape) == (10, 10, (30, 30))
    assert found.mask.all()


def test_nothing_is_left_of_a_mask_that_surer_ones_cover():
    first, second, nothing = clean_masks(windows(square(0, 0, 30, 30), square(5, 5, 9, 9), np.zeros((60, 60))))
    assert first.mask.sum() == 900
    assert second.mask.shape == nothing.mask.shape == (0, 0)
    assert clean_masks([]) == []
