"""Copy-paste augmentation: an instance of one photo on another photo that shows none.

The network then sees a cat where no photographer put one, and has to tell it from everything that is around it. The
edge is blended over a pixel, so that it cannot be recognised by its sharpness alone.

Paper: Ghiasi et al., "Simple Copy-Paste ...", 2021, section 3 (https://arxiv.org/abs/2012.07177).
"""

import numpy as np
from PIL import Image, ImageFilter

from mrcnn.results.instances import MaskWindow

SMALLEST_SOURCE = 32  # pixels; what is smaller in its own photo is too coarse to be looked at elsewhere
SIZES = 0.15, 0.8  # longer side of the pasted instance over the shorter side of the photo
LARGEST_ZOOM = 1.5  # an instance is not enlarged by more than this


def paste(image, source, window, random):
    """Put one instance of `source` somewhere on `image`.

    Args:
        image: uint8 `(H, W, 3)`. Left as it is.
        source: uint8 `(H', W', 3)`. The photo that the instance is taken from.
        window: `MaskWindow`. The instance in `source`.
        random: `numpy.random.Generator`. Size and place come from it.

    Returns:
        uint8 `(H, W, 3)` and the `MaskWindow` of the instance in it; or `image` and `None` where the instance is too
        small to be pasted.
    """
    if min(window.mask.shape) < SMALLEST_SOURCE:
        return image, None
    height, width = image.shape[:2]
    longer = min(height, width) * np.exp(random.uniform(*np.log(SIZES)))
    zoom = min(longer / max(window.mask.shape), LARGEST_ZOOM)
    rows, columns = (max(1, round(side * zoom)) for side in window.mask.shape)
    top, left = int(random.integers(0, height - rows + 1)), int(random.integers(0, width - columns + 1))

    pixels = Image.fromarray(source[window.slices]).resize((columns, rows), Image.BILINEAR, reducing_gap=2.0)
    cover = Image.fromarray(window.mask.astype(np.uint8) * 255).resize((columns, rows), Image.BILINEAR)
    mask = np.asarray(cover) > 127
    image = Image.fromarray(image)
    image.paste(pixels, (left, top), cover.filter(ImageFilter.GaussianBlur(1)))
    return np.asarray(image), MaskWindow(top, left, mask)
