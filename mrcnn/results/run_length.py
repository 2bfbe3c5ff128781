"""COCO's compressed run-length encoding of masks, without building whole-image masks and without pycocotools."""

import numpy as np


def encode_rle(window, image_size):
    """A mask as COCO's compressed RLE.

    Args:
        window: `mrcnn.results.instances.MaskWindow`, the part of the mask that may be True.
        image_size: `(height, width)` of the image in pixels.

    Returns:
        dict of `size` `[height, width]` and `counts` str, as pycocotools writes and reads it.
    """
    return {"size": [int(length) for length in image_size], "counts": compress_counts(run_lengths(window, image_size))}


def run_lengths(window, image_size):
    """COCO's run lengths of a window's whole-image mask, without building that mask.

    COCO reads a mask column by column and counts pixels of alternating value, beginning with False.

    Args:
        window: `MaskWindow`.
        image_size: `(height, width)` of the image.

    Returns:
        int64 array. Even entries count False, odd entries True; the sum is `height * width`.
    """
    height, width = image_size
    # One False below each column ends every run within its own column of the window.
    columns = np.zeros((window.mask.shape[1], window.mask.shape[0] + 1), np.int8)
    columns[:, :-1] = window.mask.T
    steps = np.diff(columns.ravel(), prepend=np.int8(0))
    run_edges = []
    for step in (1, -1):
        column, row = np.divmod(np.flatnonzero(steps == step), columns.shape[1])
        run_edges.append((window.left + column) * height + window.top + row)
    starts, ends = run_edges
    # A run that reaches the image's bottom goes on where the next column begins at its top.
    apart = starts[1:] != ends[:-1]
    starts, ends = starts[np.r_[True, apart][: len(starts)]], ends[np.r_[apart, True][: len(ends)]]
    edges = np.stack([starts, ends], axis=1).ravel()
    edges = np.r_[0, edges, height * width] if not len(ends) or ends[-1] < height * width else np.r_[0, edges]
    return np.diff(edges)


def compress_counts(counts):
    """COCO's compressed text of run lengths.

    From the fourth count on, the difference to the count two places before is written. Each number becomes
    digits of 5 bits, lowest first, two's complement; bit 5 says that more digits follow; 48 is added to give
    a character.

    Args:
        counts: int64 array of run lengths.

    Returns:
        str, as pycocotools reads it.
    """
    values = np.asarray(counts, np.int64).copy()
    values[3:] -= np.asarray(counts, np.int64)[1:-2]
    characters, written = [], []
    pending = np.ones(len(values), bool)
    while pending.any():
        digit = values & 31
        values >>= 5
        # The last digit's top bit must be the sign of the number, else one more digit has to say it.
        follows = values != np.where(digit & 16, -1, 0)
        characters.append((digit | (follows << 5)) + 48)
        written.append(pending)
        pending = pending & follows
    if not characters:
        return ""
    return np.stack(characters, axis=1)[np.stack(written, axis=1)].astype(np.uint8).tobytes().decode("ascii")


def decompress_counts(text):
    """Run lengths from COCO's compressed text, the inverse of `compress_counts`.

    Args:
        text: str or bytes.

    Returns:
        int64 array.

    Raises:
        ValueError: if the text cannot be of run lengths.
    """
    content = text.encode("latin-1", "replace") if isinstance(text, str) else text
    digits = np.frombuffer(content, np.uint8).astype(np.int64) - 48
    last = (digits & 32) == 0
    if not len(digits) or digits.min() < 0 or digits.max() > 63 or not last[-1]:
        raise ValueError("the run lengths are no such text as COCO writes")
    starts = np.flatnonzero(np.r_[True, last[:-1]])
    place = np.arange(len(digits)) - np.repeat(starts, np.diff(np.r_[starts, len(digits)]))
    if place.max() > 10:  # more than 50 bits
        raise ValueError("a run length is larger than any image")
    values = np.add.reduceat((digits & 31) << (5 * place), starts)
    values -= np.where(digits[last] & 16, 1 << (5 * (place[last] + 1)), 0)
    for first in (1, 2):
        values[first::2] = np.cumsum(values[first::2])
    return values
