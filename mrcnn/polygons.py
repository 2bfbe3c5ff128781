"""Masks as polygons, for whatever draws in vectors: the page's highlight and COCO's polygon form."""

import numpy as np


def mask_polygons(window, tolerance=1.0):
    """The outlines of a mask.

    Args:
        window: `mrcnn.instances.MaskWindow`.
        tolerance: float. How far a polygon may stray from the mask's edge, in pixels. Defaults to 1.

    Returns:
        A list of float32 arrays of shape `(K, 2)`, K >= 3: `x, y` in pixels of the picture, first point not repeated.
        Holes come as polygons of their own; filled by the even-odd rule, they stay open. An empty mask gives an
        empty list.
    """
    from skimage.measure import approximate_polygon, find_contours  # takes half a second, and few need it

    polygons = []
    # Contours run between pixel centres; half a pixel moves them to coordinates where pixel 0 covers [0, 1].
    offset = np.array([window.top, window.left]) + 0.5 - 1
    for contour in find_contours(np.pad(window.mask, 1).astype(np.float32), 0.5):
        corners = approximate_polygon(contour, tolerance)[:-1]
        if len(corners) >= 3:
            polygons.append((corners + offset)[:, ::-1].astype(np.float32))
    return polygons
