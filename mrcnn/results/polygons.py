"""Masks as polygons, for whatever draws in vectors: the page's highlight and COCO's polygon form."""

import numpy as np


def mask_polygons(window, tolerance=1.0):
    """The outlines of a mask.

    Args:
        window: `mrcnn.results.instances.MaskWindow`.
        tolerance: float. How far a polygon may stray from the mask's edge, in pixels. Defaults to 1.

    Returns:
        A list of float32 arrays of shape `(K, 2)`, K >= 3: `x, y` in pixels of the image, first point not repeated.
        Holes come as polygons of their own; filled by the even-odd rule, they stay open. An empty mask gives an
        empty list.
    """
    from skimage.measure import approximate_polygon, find_contours  # takes half a second, and few need it

    polygons = []
    # Contours run between pixel centres; half a pixel moves them to coordinates where pixel 0 covers [0, 1].
    offset = np.array([window.top, window.left]) + 0.5 - 1
    for contour in find_contours(np.pad(window.mask, 1), 0.5):
        corners = approximate_polygon(contour, tolerance)[:-1]
        if len(corners) >= 3:
            polygons.append((corners + offset)[:, ::-1].astype(np.float32))
    return polygons


def simple_polygons(window, tolerance=0.5):
    """The outlines of a mask for programs that know no holes: each hole is joined to the outline around it.

    Both then are one polygon, connected by a line without width, which the even-odd and the non-zero rule fill alike.
    The union of all polygons is the mask.

    Args:
        window: `mrcnn.results.instances.MaskWindow`.
        tolerance: float. How far a polygon may stray from the mask's edge, in pixels. Defaults to 0.5.

    Returns:
        A list of float32 arrays of shape `(K, 2)`, K >= 4: `x, y` in pixels of the image, first point not repeated.
    """
    from skimage.measure import points_in_poly

    # Contours keep the mask to one side, so holes run the other way round than outlines.
    polygons = mask_polygons(window, tolerance)
    outlines = [polygon for polygon in polygons if _signed_area(polygon) > 0]
    joined = list(outlines)
    for hole in (polygon for polygon in polygons if _signed_area(polygon) < 0):
        inside = [points_in_poly(hole, outline).mean() for outline in outlines]
        around = max(range(len(outlines)), key=lambda i: (inside[i], -_signed_area(outlines[i])))
        joined[around] = _join(joined[around], hole)
    return joined


def joined_polygon(polygons):
    """One polygon from several, joined where they come closest.

    Args:
        polygons: list of one or more float arrays of shape `(K, 2)`.

    Returns:
        A float array of shape `(K, 2)`. Filled by the even-odd or the non-zero rule it is the union of all, if they do
        not overlap.
    """
    whole, *rest = polygons
    for polygon in rest:
        whole = _join(whole, polygon)
    return whole


def _signed_area(polygon):
    x, y = polygon.T.astype(np.float64)
    return np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))


def _join(outline, hole):
    """One polygon from two, cut open where they come closest."""
    distances = np.square(outline[:, None] - hole).sum(axis=2)
    at, to = np.unravel_index(distances.argmin(), distances.shape)
    return np.concatenate([outline[: at + 1], hole[to:], hole[: to + 1], outline[at:]])
