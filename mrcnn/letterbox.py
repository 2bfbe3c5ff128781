"""Letterbox: an image of any shape becomes the canvas that the network reads.

The longer side is brought to one length and the aspect ratio stays. The canvas is then filled up with grey at the
bottom and the right only to the next multiple of 32, the coarsest stride of the backbone, not to a square: a 4:3 photo
is 384 x 288 and costs a quarter less than a square would.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from PIL import Image

STRIDE = 32
GREY = 127  # becomes 0 for the network, which is also what its convolutions see beyond the border


def resize(image, shape):
    """Bilinear resize with anti-aliasing of uint8 `(H, W, 3)` to `(height, width)`."""
    # reducing_gap: shrink huge photos by whole factors first; several times faster, the same to the eye
    return np.asarray(Image.fromarray(image).resize(shape[::-1], Image.BILINEAR, reducing_gap=2.0))


@dataclasses.dataclass(frozen=True)
class Canvas:
    """How an image comes onto its canvas: training has to show a network what inference shows it.

    Attributes:
        filling: int. Value of the pixels around the image, 0 to 255.
        centred: bool. Whether the image stands in the middle; else in the top left corner, and in training anywhere.
        resize: function of a uint8 image `(H, W, 3)` and a shape `(height, width)` that gives the scaled image.
    """

    filling: int = GREY
    centred: bool = False
    resize: Callable = resize


@dataclasses.dataclass(frozen=True)
class Letterboxed:
    """An image as the network reads it: all that has to be kept of a photo until its masks are pasted.

    Attributes:
        canvas: uint8 `(h, w, 3)`.
        window: `(top, left, bottom, right)` of the image in the canvas.
        image_size: `(height, width)` of the image in pixels.
    """

    canvas: np.ndarray
    window: tuple
    image_size: tuple[int, int]


def letterbox_size(height, width, size):
    """Height and width in pixels after scaling the longer side to `size`; at least one pixel."""
    scale = size / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def letterbox(image, size):
    """Scale an image and fill it up to multiples of 32.

    Args:
        image: uint8 `(H, W, 3)`.
        size: int. Length of the longer side afterwards, in pixels.

    Returns:
        canvas uint8 `(h, w, 3)`, and the window `(top, left, bottom, right)` of the image in it: its top left corner.
    """
    height, width = letterbox_size(*image.shape[:2], size)
    canvas = np.full((-(-height // STRIDE) * STRIDE, -(-width // STRIDE) * STRIDE, 3), GREY, np.uint8)
    canvas[:height, :width] = resize(image, (height, width))
    return canvas, (0, 0, height, width)


def to_image(boxes, window, image_size):
    """Boxes from the canvas of `letterbox` back to the original image.

    Args:
        boxes: float32 `(N, 4)` in pixels of the canvas.
        window: `(0, 0, bottom, right)` of the image in the canvas, as `letterbox` gives it.
        image_size: `(height, width)` of the image in pixels.

    Returns:
        float32 `(N, 4)` in pixels of the image; a box that reaches into the filling reaches out of the image.
    """
    scale = np.array(image_size, np.float32) / np.array(window[2:], np.float32)
    return (boxes * np.concatenate([scale, scale])).astype(np.float32)
