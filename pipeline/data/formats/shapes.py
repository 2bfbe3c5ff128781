"""The shapes that annotation tools draw, as bitmaps."""

import math

import numpy as np

from pipeline.data.formats.coco import check_polygons

NUDGE = 0.01  # pixels; more than what tools round away
AROUND_POINT = 16  # pixels to each side of a point that marks an object: where it is, and not how large
CURVE_POINTS = 72  # corners of the polygon that stands for an ellipse: less than 0.1 % of its radius off


def polygon_mask(polygons, size):
    """The union of polygons: every pixel whose centre lies in one of them.

    Args:
        polygons: list of sequences of points `(x, y)` in pixels, where pixel 0 covers 0 to 1.
        size: (height, width).

    Returns:
        bool array (height, width).

    Raises:
        ValueError: a polygon has fewer than three corners, is not made of numbers, or lies outside of the image.
    """
    from skimage.draw import polygon as fill

    mask = np.zeros(size, bool)
    for points in map(to_numbers, polygons):
        check_polygons([points.ravel()], *size)
        # Its pixels are points. A centre on the outline counts, as it is inside after a nudge to one of two sides; one
        # on a line without width, which joins parts or holes, is inside after neither.
        for nudge in (-NUDGE, NUDGE):
            rows, columns = fill(points[:, 1] - 0.5 + nudge, points[:, 0] - 0.5 + nudge, size)
            mask[rows, columns] = True
    return mask


def ellipse(x, y, radius_x, radius_y, angle=0.0):
    """The outline of an ellipse as points `(x, y)`; the angle is in radians, clockwise as y points down."""
    turn = np.linspace(0, 2 * math.pi, CURVE_POINTS, endpoint=False)
    across, along = radius_x * np.cos(turn), radius_y * np.sin(turn)
    return np.stack(
        [
            x + across * math.cos(angle) - along * math.sin(angle),
            y + across * math.sin(angle) + along * math.cos(angle),
        ],
        axis=1,
    )


def rectangle(x1, y1, x2, y2):
    """The outline of a rectangle as points `(x, y)`."""
    return [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]


def bounds(points):
    """The box y1, x1, y2, x2 around points `(x, y)`, of one a small one; None if there is none."""
    try:
        points = to_numbers(points)
    except ValueError:
        return None
    if not len(points):
        return None
    if len(points) == 1:
        points = points + np.array([[-AROUND_POINT], [AROUND_POINT]])
    (x1, y1), (x2, y2) = points.min(axis=0), points.max(axis=0)
    return (float(y1), float(x1), float(max(y2, y1 + 1)), float(max(x2, x1 + 1)))


def to_numbers(points):
    """Points as float64 array (K, 2).

    Raises:
        ValueError: if they are not pairs of finite numbers.
    """
    try:
        points = np.asarray(points, np.float64).reshape(-1, 2)
    except (TypeError, ValueError) as error:
        raise ValueError("outline is not made of numbers") from error
    if not np.isfinite(points).all():
        raise ValueError("outline is not made of numbers")
    return points


def mask_in_box(mask, top, left, size):
    """A whole-image mask from a part of it; what reaches beyond the image is cut off.

    Args:
        mask: bool array (h, w).
        top, left: int. Where its first row and column lie in the image.
        size: (height, width) of the image.
    """
    whole = np.zeros(size, bool)
    rows, columns = slice(max(top, 0), max(top + mask.shape[0], 0)), slice(max(left, 0), max(left + mask.shape[1], 0))
    target = whole[rows, columns]
    target[:] = mask[rows.start - top :, columns.start - left :][: target.shape[0], : target.shape[1]]
    return whole
