"""Copy-paste: the mask says where the pasted pixels are, and nothing else of the photo changes."""

import numpy as np
import pytest

from mrcnn.results.instances import MaskWindow
from pipeline.data.copy_paste import LARGEST_ZOOM, SIZES, paste

BLACK = np.zeros((200, 300, 3), np.uint8)


def white_disc(radius):
    """A grey photo with a white disc, and its mask."""
    rows, columns = np.mgrid[:160, :160]
    mask = (rows - 80) ** 2 + (columns - 80) ** 2 <= radius**2
    return np.where(mask[..., None], np.uint8(255), np.uint8(90)).repeat(3, axis=2), MaskWindow.around(mask)


@pytest.mark.parametrize("seed", range(10))
def test_the_mask_is_where_the_instance_was_pasted(seed):
    source, window = white_disc(60)
    image, pasted = paste(BLACK, source, window, np.random.default_rng(seed))
    mask = np.zeros(BLACK.shape[:2], bool)
    mask[pasted.slices] = pasted.mask
    white = image[..., 0] > 127
    assert (white & mask).sum() / (white | mask).sum() > 0.95
    height, width = pasted.mask.shape
    assert abs(height - width) <= 1, "its shape stays"
    assert SIZES[0] * 200 - 1 <= height <= SIZES[1] * 200 + 1
    far = np.ones_like(mask)
    far[max(0, pasted.top - 4) : pasted.top + height + 4, max(0, pasted.left - 4) : pasted.left + width + 4] = False
    assert not image[far].any(), "the rest of the photo stays"
    assert not BLACK.any(), "the photo that came in is left as it is"


def test_places_and_sizes_differ_and_repeat():
    source, window = white_disc(60)
    made = [paste(BLACK, source, window, np.random.default_rng(seed))[1] for seed in (1, 2, 1)]
    first, other, again = ((of.top, of.left, *of.mask.shape) for of in made)
    assert first == again != other


def test_a_small_instance_is_not_blown_up():
    source, window = white_disc(17)
    for seed in range(10):
        _, pasted = paste(BLACK, source, window, np.random.default_rng(seed))
        assert max(pasted.mask.shape) <= LARGEST_ZOOM * 35 + 1


def test_an_instance_too_small_to_be_seen_is_not_pasted():
    source, window = white_disc(10)
    image, pasted = paste(BLACK, source, window, np.random.default_rng(0))
    assert pasted is None
    assert image is BLACK
