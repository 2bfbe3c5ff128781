import numpy as np
import pytest
from skimage.transform import resize

from mrcnn.results import paste
from mrcnn.results.paste import paste_mask


def whole(window, size):
    mask = np.zeros(size, bool)
    mask[window.slices] = window.mask
    return mask


def test_a_full_mask_fills_a_box_on_whole_pixels():
    window = paste_mask(np.ones((56, 56)), [10, 20, 90, 140], (100, 200))
    assert (window.top, window.left, window.mask.shape) == (10, 20, (80, 120))
    # The four corners fade out at both edges at once: 0.5 * 0.5 is below the threshold only within half a
    # cell.
    assert window.mask[1:-1, 1:-1].all()
    assert window.mask.mean() > 0.995


def test_cells_land_on_their_own_pixels_at_scale_one():
    soft = np.array([[0.9, 0.1, 0.8], [0.2, 0.7, 0.3], [0.6, 0.4, 0.51]])
    window = paste_mask(soft, [5, 7, 8, 10], (20, 20))
    np.testing.assert_array_equal(window.mask, soft > 0.5)


def test_values_between_cells_are_linear():
    # Two cells side by side, 0 and 1, over a box of 8 columns: pixel centres lie at v = (x + 1/2) / 4 - 1/2,
    # which is -0.375 -0.125 0.125 0.375 0.625 0.875 1.125 1.375. Between the cells the value is v, and beyond
    # the last one it falls as 2 - v. Along the rows the one cell has the weight 1 at its centre.
    for threshold, expected in [
        (0.3, [0, 0, 0, 1, 1, 1, 1, 1]),
        (0.5, [0, 0, 0, 0, 1, 1, 1, 1]),
        (0.7, [0, 0, 0, 0, 0, 1, 1, 0]),
    ]:
        window = paste_mask(np.array([[0.0, 1.0]]), [4, 40, 5, 48], (9, 88), threshold)
        np.testing.assert_array_equal(window.mask[0], np.array(expected, bool))


def test_agrees_with_an_independent_bilinear_resize():
    generator = np.random.default_rng(1)
    soft = resize(generator.random((7, 7)), (56, 56), order=1)
    window = paste_mask(soft, [10, 10, 240, 180], (250, 190))
    padded = np.pad(soft, 1)
    # skimage resizes the zero-padded grid; the inner part of it is the box.
    expected = resize(padded, (2300 * 58 // 56, 1700 * 58 // 56), order=1, mode="constant", anti_aliasing=False)
    rows = ((np.arange(230) + 0.5) / 230 * 56 + 1) / 58 * expected.shape[0]
    columns = ((np.arange(170) + 0.5) / 170 * 56 + 1) / 58 * expected.shape[1]
    expected = expected[np.ix_(rows.astype(int), columns.astype(int))] > 0.5
    assert (window.mask == expected).mean() > 0.995


@pytest.mark.parametrize("least", [0.0, 0.4, 0.5, 0.9])
@pytest.mark.parametrize("shape", [(3, 90), (28, 28), (57, 201)])
def test_without_fading_it_is_the_resize_of_matterport(least, shape):
    soft = np.random.default_rng(3).uniform(least, 1.0, (28, 28)).astype(np.float32)
    soft[5, 6] = least
    window = paste_mask(soft, [4, 5, 4 + shape[0], 5 + shape[1]], (100, 300), fading=False)
    expected = resize(soft, shape, order=1, mode="constant", cval=0, clip=True, anti_aliasing=False) >= 0.5
    np.testing.assert_array_equal(window.mask, expected)
    assert window.mask.all() == (least >= 0.5)


def test_a_box_between_pixels_touches_them_all():
    window = paste_mask(np.ones((28, 28)), [10.4, 20.6, 30.5, 40.2], (100, 100))
    assert (window.top, window.left, window.mask.shape) == (10, 20, (21, 21))
    # Row 10 has its centre at 10.5 within the box, column 20 its centre at 20.5 outside of it.
    assert window.mask[:, 10].tolist()[:2] == [True, True]
    assert window.mask[10].tolist()[:2] == [False, True]


@pytest.mark.parametrize("box", [[-30, -40, 60, 50], [70, 80, 130, 160], [-10, -10, 110, 120]])
def test_a_box_over_the_border_is_the_same_mask_cut_off_but_for_two_cells_before_it(box):
    generator = np.random.default_rng(2)
    soft = resize(generator.random((6, 6)), (28, 28), order=1)
    inside = whole(paste_mask(soft, box, (100, 110)), (100, 110))
    moved = whole(paste_mask(soft, np.array(box) + 100, (300, 310)), (300, 310))[100:200, 100:210]
    assert inside.any()
    near = int(np.ceil(2.5 * max(box[2] - box[0], box[3] - box[1]) / 28))
    np.testing.assert_array_equal(inside[near:-near, near:-near], moved[near:-near, near:-near])


@pytest.mark.parametrize("over", [0.0, 0.7, 3.0, 11.2])
@pytest.mark.parametrize("side", range(4))
def test_where_the_image_ends_the_mask_goes_on_up_to_the_edge(over, side):
    """Ten pixels a cell. The cells beyond the edge, and those nearest to it, say "empty": they do not know."""
    soft = np.ones((20, 20))
    unknown = 1 + int(np.ceil(over))  # cells with their centre less than 1.5 cells within the edge
    soft[:unknown] = 0.0
    start = 10 * over
    image = np.rot90(whole(paste_mask(*turned(soft, [-start, 400, 200 - start, 600], 1000, side)), (1000, 1000)), side)
    assert image[:80, 410:590].all()


def turned(soft, box, size, times):
    """A soft mask, its box and the image's size, turned clockwise by right angles."""
    y1, x1, y2, x2 = box
    for _ in range(times):
        y1, x1, y2, x2 = x1, size - y2, x2, size - y1
    return np.rot90(soft, -times), [y1, x1, y2, x2], (size, size)


def test_away_from_the_edge_an_empty_cell_is_empty():
    soft = np.ones((20, 20))
    soft[:2] = 0.0
    window = paste_mask(soft, [20, 400, 220, 600], (1000, 1000))
    assert not window.mask[:20].any()


def test_a_box_of_which_the_image_shows_less_than_a_cell():
    window = paste_mask(np.ones((20, 20)), [-195, 400, 5, 600], (1000, 1000))
    assert window.mask.shape == (5, 200)
    assert window.mask[:, 10:-10].all()


@pytest.mark.parametrize("box", [[5, 5, 5, 9], [9, 5, 4, 9], [-9, -9, -2, -2], [200, 10, 240, 30]])
def test_no_pixels(box):
    window = paste_mask(np.ones((28, 28)), box, (100, 100))
    assert window.mask.size == 0
    assert not whole(window, (100, 100)).any()


def test_threshold_and_float16():
    soft = np.full((56, 56), 0.3, np.float16)
    assert not paste_mask(soft, [0, 0, 50, 50], (50, 50)).mask.any()
    assert paste_mask(soft, [0, 0, 50, 50], (50, 50), threshold=0.2).mask.mean() > 0.9


def test_a_box_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="finite"):
        paste_mask(np.ones((28, 28)), [0, 0, np.nan, 5], (10, 10))


@pytest.mark.parametrize("fading", [True, False])
def test_bands_of_rows_give_the_mask_of_all_at_once(monkeypatch, fading):
    soft_mask = np.random.default_rng(3).random((14, 14))
    whole = paste_mask(soft_mask, (-7.3, 4.6, 110.2, 80.9), (100, 90), fading=fading)
    monkeypatch.setattr(paste, "BAND", 7)
    in_bands = paste_mask(soft_mask, (-7.3, 4.6, 110.2, 80.9), (100, 90), fading=fading)

    assert (in_bands.top, in_bands.left) == (whole.top, whole.left)
    np.testing.assert_array_equal(in_bands.mask, whole.mask)
