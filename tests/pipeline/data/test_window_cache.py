"""Packed masks come back as they were, and the memory they take stays bounded."""

import numpy as np

from mrcnn.results.instances import MaskWindow
from pipeline.data.window_cache import WindowCache


class Source:
    """Windows of random masks of 80 x 100 pixels, the same for the same key; counts how often it is asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, key):
        self.asked.append(key)
        random = np.random.default_rng(key)
        masks = [random.random((80, 100)) < 0.5, random.random((7, 3)) < 0.5]
        windows = [MaskWindow(3, 5, masks[0]), MaskWindow(50, 60, masks[1])]
        return windows, np.array([1, -1], np.int32), np.array([True, False])


def test_what_comes_from_memory_is_what_was_read():
    source = Source()
    cache = WindowCache(source)
    first, again, expected = cache(4), cache(4), Source()(4)
    assert source.asked == [4]
    for windows, class_ids, outlined in (first, again):
        for window, wanted in zip(windows, expected[0], strict=True):
            assert (window.top, window.left, window.mask.dtype) == (wanted.top, wanted.left, bool)
            np.testing.assert_array_equal(window.mask, wanted.mask)
        np.testing.assert_array_equal(class_ids, expected[1])
        np.testing.assert_array_equal(outlined, expected[2])


def test_a_byte_holds_eight_pixels():
    cache = WindowCache(Source())
    cache(1)
    assert cache.bytes == 80 * 100 / 8 + 3  # 21 pixels of the second mask


def test_the_least_used_go_when_there_are_too_many():
    source = Source()
    cache = WindowCache(source, most_bytes=3 * 1003)
    for key in (1, 2, 3, 1, 4):
        cache(key)
    assert len(cache) == 3 and cache.bytes == 3 * 1003
    source.asked.clear()
    for key in (1, 3, 4, 2):
        cache(key)
    assert source.asked == [2]
