"""Whether masks go on to the edge of a photo that cuts their object off.

A network sees less there, and what lies beyond is unknown. Mask IoU hardly notices: the strip is thin.
"""

import numpy as np

STRIP = 0.02  # share of the photo's side
LEAST_CUT, LEAST_STRIP = 3, 10  # pixels of the object on the edge itself, and in the strip further inside


def edge_covers(truth, found):
    """How much of an object its mask covers at each edge of the photo that cuts it off, and how much further inside.

    Args:
        truth: array `(H, W)`, nonzero on the object, at the photo's size.
        found: the same of the mask that was found for it.

    Returns:
        float64 `(E, 2)` for the E of four edges that cut the object off: the share of its pixels that the mask covers
        in the outermost 2 % of the photo, and that between 4 and 6 % from the edge, both 0 to 1.
    """
    truth, found = np.asarray(truth, bool), np.asarray(found, bool)
    covers = []
    for turned, other in (
        (truth, found),
        (truth[::-1], found[::-1]),
        (truth.T, found.T),
        (truth.T[::-1], found.T[::-1]),
    ):
        width = max(1, round(STRIP * len(turned)))
        strips = slice(0, width), slice(2 * width, 3 * width)
        if turned[0].sum() >= LEAST_CUT and turned[strips[1]].sum() >= LEAST_STRIP:
            covers.append([(turned[strip] & other[strip]).sum() / turned[strip].sum() for strip in strips])
    return np.array(covers, np.float64).reshape(-1, 2)
