"""Masks as one number a pixel, at the photo's own size and at that at which they are brushed.

A photo of twelve megapixels is brushed on a small copy. What is brushed there is laid back onto the masks at the
photo's own size, which stay as they were wherever nobody brushed.
"""

import numpy as np

LARGEST_SIDE = 1024  # pixels of what is brushed
MOST_NUMBERS = 255  # 0 is the background


def brush_size(image_size):
    """The size at which a photo of `image_size` is brushed; both `(height, width)` in pixels."""
    scale = min(1, LARGEST_SIDE / max(image_size))
    return tuple(max(1, round(side * scale)) for side in image_size)


def resized(labels, size):
    """A label map `(H, W)` at another `size`, `(height, width)`: the number at each pixel's centre."""
    rows, columns = (
        ((2 * np.arange(length) + 1) * source // (2 * length)).clip(0, source - 1)
        for length, source in zip(size, labels.shape, strict=True)
    )
    return labels[rows[:, None], columns]


def brushed(labels, small, kept):
    """What was brushed on a small copy of a label map, laid back onto the map.

    Args:
        labels: uint8 `(H, W)`. The map before, at the photo's own size.
        small: uint8 `(h, w)`, no larger. The map after, at the size at which it was brushed.
        kept: numbers that still stand for something; pixels of others become background.

    Returns:
        uint8 `(H, W)`. Of a map that was not brushed it is the map itself; else it differs only where `small` does, and
        within one of its pixels around: an outline may run through these, and would stay behind as a thread.
    """
    from scipy.ndimage import binary_dilation

    changed = small != resized(labels, small.shape)
    if small.shape != labels.shape:
        changed = binary_dilation(changed, np.ones((3, 3), bool))
    after = np.where(resized(changed, labels.shape), resized(small, labels.shape), labels)
    stands = np.zeros(256, bool)
    stands[list(kept)] = True
    return np.where(stands[after], after, np.uint8(0))


def runs(labels):
    """A label map as `[number, length, number, length, ...]`, row by row, a list of int."""
    flat = labels.ravel()
    starts = np.flatnonzero(np.r_[True, flat[1:] != flat[:-1]])
    return np.stack([flat[starts].astype(np.int64), np.diff(np.r_[starts, len(flat)])], axis=1).ravel().tolist()


def from_runs(numbers, size):
    """The label map of `runs`.

    Args:
        numbers: what came as the list.
        size: `(height, width)` that it must have.

    Returns:
        uint8 `(height, width)`.

    Raises:
        ValueError: if it is no such list; one sentence that may be shown.
    """
    words = f"The brushed masks must cover {size[1]} x {size[0]} pixels, as runs of a number and a length."
    if not isinstance(numbers, list) or len(numbers) % 2 or not all(type(value) is int for value in numbers):
        raise ValueError(words)
    pixels = size[0] * size[1]
    if len(numbers) > 2 * pixels or not all(0 <= value <= max(pixels, MOST_NUMBERS) for value in numbers):
        raise ValueError(words)
    values, lengths = np.array(numbers, np.int64).reshape(-1, 2).T
    if lengths.sum() != pixels or values.max(initial=0) > MOST_NUMBERS:
        raise ValueError(words)
    return np.repeat(values.astype(np.uint8), lengths).reshape(size)
