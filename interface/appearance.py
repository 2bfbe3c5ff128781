"""What an object looks like, in a few numbers: enough to know it again when it comes back into sight."""

import numpy as np

STEPS = 6  # of each colour channel in a histogram


def signature(image, window):
    """The colours of an object.

    Args:
        image: uint8 `(H, W, 3)`.
        window: `mrcnn.results.instances.MaskWindow` of an object in it.

    Returns:
        float `(STEPS ** 3,)`. Shares of its pixels, which sum to 1; all 0 if its mask is empty.
    """
    pixels = image[window.slices][window.mask].astype(np.int64) * STEPS // 256
    counts = np.bincount(pixels @ [STEPS * STEPS, STEPS, 1], minlength=STEPS**3)
    return counts / max(1, len(pixels))


def likeness(one, other):
    """How alike two signatures are, 0 to 1: the Bhattacharyya coefficient."""
    return float(np.sqrt(one * other).sum())
