"""Soft edges for cut-outs: how much of each pixel is the object, and what colour that part of it has.

A mask says yes or no, while a pixel of fur is half cat and half carpet. The guided filter (He et al., "Guided Image
Filtering", 2010, section 5.3) lets the mask's edge follow that of the photo and makes it as soft as the photo's; of
large objects at a reduced size, as in its authors' "Fast Guided Filter", 2015. Where a pixel then belongs to both, its
colour is split into that of the object and that of the ground (Forte, "Approximate Fast Foreground Colour Estimation",
2021), or the old ground would shine through as a halo on a new one.
"""

import numpy as np
from PIL import Image

from mrcnn.results.instances import MaskWindow

RADIUS = 0.025  # of the mask's longer side: outlines are right to within a cell or two of the network's 56 x 56
LEAST_VARIANCE = 1e-4  # of colours from 0 to 1: below this there is no edge in the photo to follow
CERTAIN = 0.2  # alpha up to here is 0, and from one minus this on 1: the filter leaves a haze on both sides
BAND = 2_000_000  # pixels of the photo that are worked on at once
WORKING_SIDE = 320  # pixels of the longer side; above this the filters work on a reduced copy


def soft_edges(image, window):
    """An object's colours and alpha.

    Args:
        image: uint8 `(H, W, 3)`.
        window: `mrcnn.results.instances.MaskWindow` in it, with at least one pixel.

    Returns:
        uint8 `(h, w, 4)`, red, green, blue and alpha of a part of the image somewhat larger than the window, all 0
        where nothing of the object is; and the slices of that part, `image[slices]`.
    """
    (rows, columns), longer = window.slices, max(window.mask.shape)
    radius = max(1, round(RADIUS * longer))
    part = tuple(
        slice(max(0, along.start - 2 * radius), min(size, along.stop + 2 * radius))
        for along, size in zip((rows, columns), image.shape[:2], strict=True)
    )
    photo = image[part]
    inner = MaskWindow(rows.start - part[0].start, columns.start - part[1].start, window.mask)
    mask = np.zeros(photo.shape[:2], bool)
    mask[inner.slices] = inner.mask
    step = -(-longer // WORKING_SIDE)
    bands = _bands(mask.shape, step)
    small = _reduced(photo, step, bands) / np.float32(255)
    small_mask = _reduced(mask, step, bands)
    small_radius = max(1, round(radius / step))

    slope, offset = _guided_filter(small, small_mask, small_radius)
    cut = np.empty((*mask.shape, 4), np.uint8)
    alpha = cut[..., 3]
    for band in bands:
        sure = _enlarged(offset, mask.shape, band)
        for channel in range(3):
            colour = photo[band][..., channel].astype(np.float32) / 255
            sure += _enlarged(slope[..., channel], mask.shape, band) * colour
        alpha[band] = np.rint(255 * ((sure - CERTAIN) / (1 - 2 * CERTAIN)).clip(0, 1))

    weight = _reduced(alpha, step, bands)[..., None] / np.float32(255)
    means = [_weighted_mean(small, share, 2 * small_radius) for share in (weight, 1 - weight)]
    for band in bands:
        colours = photo[band].astype(np.float32) / 255
        mixed = (alpha[band] > 0) & (alpha[band] < 255)
        share = alpha[band][mixed][:, None] / np.float32(255)
        own, other = (_enlarged_colours(mean, mask.shape, band)[mixed] for mean in means)
        colours[mixed] = own + share * (colours[mixed] - share * own - (1 - share) * other)
        cut[band][..., :3] = np.rint(255 * colours.clip(0, 1))
        cut[band][alpha[band] == 0] = 0
    return cut, part


def _bands(shape, step):
    """Slices of rows of about `BAND` pixels, in whole steps: floats of all of a huge photo are gigabytes."""
    rows = max(1, BAND // (shape[1] * step)) * step
    return [slice(top, min(top + rows, shape[0])) for top in range(0, shape[0], rows)]


def _guided_filter(colours, mask, radius):
    """The mask as a linear function of the colours around each pixel: slopes `(h, w, 3)` and offsets `(h, w)`."""
    mean, mask_mean = _box(colours, radius), _box(mask, radius)
    slope = np.zeros_like(colours)
    # Elsewhere the mask is the same all around, and the slope is 0.
    near = np.abs(mask_mean - 0.5) < 0.5 - 1e-4
    covariance = np.empty((np.count_nonzero(near), 3, 3), np.float32)
    for one, other in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)):
        product = _box(colours[..., one] * colours[..., other], radius) - mean[..., one] * mean[..., other]
        covariance[:, one, other] = covariance[:, other, one] = product[near]
    covariance += LEAST_VARIANCE * np.eye(3, dtype=np.float32)
    with_mask = _box(colours * mask[..., None], radius)[near] - mean[near] * mask_mean[near][:, None]
    slope[near] = np.linalg.solve(covariance, with_mask[..., None])[..., 0]
    offset = mask_mean - np.sum(slope * mean, axis=-1)
    return _box(slope, radius), _box(offset, radius)


def _weighted_mean(colours, weight, radius):
    """Mean colours around each pixel, `(h, w, 3)`, of what the weight `(h, w, 1)` takes part in."""
    return _box(colours * weight, radius) / np.maximum(_box(weight, radius), 1e-4)


def _box(values, radius):
    """Mean over a square of `2 * radius + 1` pixels; beyond the edge its values go on."""
    from scipy.ndimage import uniform_filter  # half a second, and few programs cut out

    return uniform_filter(values, (2 * radius + 1,) * 2 + (1,) * (values.ndim - 2), mode="nearest")


def _reduced(values, step, bands):
    """Means of blocks of `step` x `step` pixels, float32; of colours rounded to whole numbers."""
    kind = np.float32 if values.dtype == bool else values.dtype
    parts = [np.asarray(Image.fromarray(values[band].astype(kind)).reduce(step)) for band in bands]
    return np.concatenate(parts).astype(np.float32)


def _enlarged(values, shape, band):
    """Float32 `(h, w)` at a shape of `(H, W)`: the rows of the band."""
    image = Image.fromarray(values)
    scale = image.height / shape[0]
    box = (0, band.start * scale, image.width, min(band.stop * scale, image.height))
    return np.array(image.resize((shape[1], band.stop - band.start), Image.Resampling.BILINEAR, box))


def _enlarged_colours(colours, shape, band):
    return np.dstack([_enlarged(channel, shape, band) for channel in np.moveaxis(colours.clip(0, 1), 2, 0)])
