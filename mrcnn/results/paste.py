"""From the mask head's small square of probabilities to the pixels of the image."""

import numpy as np

from mrcnn.results.instances import MaskWindow

BAND = 1_000_000  # pixels of a mask that are pasted at a time: floats of all of a huge photo are hundreds of megabytes
UNSURE_CELLS = 1.5  # whose convolutions look at more of what is beyond the image than of the image


def paste_mask(soft_mask, box, image_size, threshold=0.5, fading=True):
    """Resizes a mask from its box's own grid onto the image's pixels and thresholds it.

    The grid's S x S cells tile the box. The centre of image row y is y + 1/2, and lies at

        v(y) = (y + 1/2 - y1) / (y2 - y1) * S - 1/2

    in units of cells, where cell k has its centre at v = k. Bilinear interpolation weighs cell k with
    max(0, 1 - |v - k|), along the rows and along the columns independently, so with the weights of all rows
    in A_y (h x S) and those of all columns in A_x (w x S) the whole resize is two products of small matrices,
    sparse ones, as a row has two weights:

        window = A_y @ soft_mask @ A_x^T > threshold

    Cells outside the grid count as 0: a weight that falls there is lost, and the mask fades out at the box's
    edge instead of being continued. Where the image ends it is continued: what lies beyond is unknown, not empty. Cells
    with their centre beyond the image, or within it but less than `UNSURE_CELLS` from its edge, which see too little of
    it, are not read; those before them are repeated up to the edge.

    Args:
        soft_mask: float array of shape `(S, S)`, probabilities in `[0, 1]`.
        box: `y1, x1, y2, x2` in pixels of the image, not cut to it: what reaches out of it counts.
        image_size: `(height, width)` of the image.
        threshold: float in `[0, 1)`. A pixel belongs to the mask above it. Defaults to 0.5.
        fading: bool. `False` pastes as `unmold_mask` and `resize` in `mrcnn/utils.py` of matterport's Mask_RCNN do: no
            pixel in the box falls below the least of the soft mask, and one at the threshold belongs to the mask. A
            mask that is nowhere below the threshold then fills its box, and the image's edge plays no part. Defaults to
            `True`.

    Returns:
        A `MaskWindow` of the pixels from `floor(y1), floor(x1)` to `ceil(y2), ceil(x2)`, as far as they lie
        in the image. It has no pixels if box and image do not meet or the box has no extent.

    Raises:
        ValueError: if a coordinate of the box is not finite.
    """
    if not np.isfinite(box).all():
        raise ValueError(f"A box needs four finite coordinates, but came as {[float(edge) for edge in box]}.")
    y1, x1, y2, x2 = (float(edge) for edge in box)
    height, width = image_size
    top, bottom = _clipped_range(y1, y2, height)
    left, right = _clipped_range(x1, x2, width)
    if bottom <= top or right <= left:
        return MaskWindow(min(top, height), min(left, width), np.zeros((0, 0), bool))
    soft_mask = np.asarray(soft_mask, np.float32)
    columns = _interpolation_weights(left, right, x1, x2, soft_mask.shape[1], width if fading else None)
    wide = np.ascontiguousarray((columns @ soft_mask.T).T)
    mask = np.empty((bottom - top, right - left), bool)
    step = max(1, BAND // (right - left))
    for start in range(top, bottom, step):
        stop = min(start + step, bottom)
        rows = _interpolation_weights(start, stop, y1, y2, soft_mask.shape[0], height if fading else None)
        values = rows @ wide
        mask[start - top : stop - top] = (
            values > threshold if fading else np.maximum(values, soft_mask.min()) >= threshold
        )
    return MaskWindow(top, left, mask)


def _clipped_range(low, high, size):
    """The whole pixels `[start, stop)` that `[low, high)` touches within `[0, size)`."""
    if high <= low:
        return 0, 0
    return int(max(np.floor(low), 0)), int(min(np.ceil(high), size))


def _interpolation_weights(start, stop, low, high, cells, size=None):
    """Weights of the grid's cells for each pixel.

    Sparse not only because that is less work: a product of dense matrices wakes the threads of BLAS, which then wait
    for more by spinning, on the cores that the network needs for the next image.

    Args:
        start: int. The first pixel.
        stop: int. The pixel after the last one.
        low: float. Where the grid begins, in pixels.
        high: float. Where the grid ends, in pixels.
        cells: int. The number S of the grid's cells along this axis.
        size: int or `None`. Where the image ends, in pixels, if cells beyond it are not to be read. Defaults to `None`.

    Returns:
        `scipy.sparse.csr_array` float32 of shape `(stop - start, S)`; a row sums to 1, or to less near the grid's ends.
    """
    from scipy.sparse import csr_array  # takes a quarter of a second, and not every program draws masks

    scale = cells / (high - low)
    position = (np.arange(start, stop, dtype=np.float32) + np.float32(0.5 - low)) * np.float32(scale) - np.float32(0.5)
    if size is not None:
        first = int(np.ceil((0 - low) * scale - 0.5 + UNSURE_CELLS))
        last = int(np.floor((size - low) * scale - 0.5 - UNSURE_CELLS))
        if first > 0:
            position = np.maximum(position, min(first, cells - 1))
        if last < cells - 1:
            position = np.minimum(position, max(last, 0))
    position = position.clip(-1, cells)
    before = np.floor(position)
    share = position - before
    pair = np.stack([before, before + 1], axis=1).astype(np.int32)
    weights = np.where((pair >= 0) & (pair < cells), np.stack([1 - share, share], axis=1), 0)
    ends = np.arange(0, 2 * len(position) + 1, 2, dtype=np.int32)
    return csr_array((weights.ravel(), pair.clip(0, cells - 1).ravel(), ends), shape=(len(position), cells))
