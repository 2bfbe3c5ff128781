"""The letterbox of matterport's Mask_RCNN: a black square with the image in its middle, and the way back.

Source: `resize_image` and `unmold_detections` of https://github.com/matterport/Mask_RCNN.
"""

import numpy as np


def square_letterbox(image, size, min_size):
    """Scale an image and put it into the middle of a square.

    Small images are enlarged until their shorter side has `min_size` pixels, large ones shrunk until the longer side
    has `size`; those between keep their size. Source: `resize_image` with mode "square" in its `mrcnn/utils.py`.

    Args:
        image: uint8 `(H, W, 3)`.
        size: int. Side of the square in pixels.
        min_size: int. Length to which a shorter side is enlarged, as far as the square allows; 0 = never enlarge.

    Returns:
        canvas uint8 `(size, size, 3)`, and the window `(top, left, bottom, right)` of the image in it.
    """
    height, width = image.shape[:2]
    scale = max(1, min_size / min(height, width))
    if round(max(height, width) * scale) > size:
        scale = size / max(height, width)
    if scale != 1:
        height, width = max(1, round(height * scale)), max(1, round(width * scale))
        image = resize_bilinear(image, (height, width))
    top, left = (size - height) // 2, (size - width) // 2
    window = top, left, top + height, left + width
    canvas = np.zeros((size, size, 3), np.uint8)
    canvas[top : top + height, left : left + width] = image
    return canvas, window


def resize_bilinear(image, shape):
    """Bilinear resize without anti-aliasing, as networks of 2017 saw their images.

    Shrunk images are sampled, not averaged; pixels outside count as black, so that enlarged images darken at the
    border, though nowhere below the darkest value in them; fractions are cut off. All this is how
    `skimage.transform.resize(order=1, mode="constant", anti_aliasing=False)` followed by `astype(uint8)` does it, to
    the last bit but for rare roundings.

    Args:
        image: uint8 `(H, W, C)`.
        shape: `(height, width)`.

    Returns:
        uint8 `(height, width, C)`.
    """
    rows, columns = (_neighbours(*lengths) for lengths in zip(shape, image.shape[:2], strict=True))
    resized = np.zeros((*shape, image.shape[2]))
    for row, row_weight in rows:
        for column, column_weight in columns:
            resized += image[row[:, None], column] * row_weight[:, None, None] * column_weight[:, None]
    return resized.clip(image.min(), image.max()).astype(np.uint8)


def _neighbours(length, source_length):
    """For each of `length` new pixels the source pixel before and after it, each as `(index, weight)`."""
    position = (np.arange(length) + 0.5) * (source_length / length) - 0.5
    before = np.floor(position).astype(np.int64)
    share = position - before
    return [
        (np.clip(index, 0, source_length - 1), np.where((index >= 0) & (index < source_length), weight, 0.0))
        for index, weight in ((before, 1.0 - share), (before + 1, share))
    ]


def from_square(boxes, window, image_size):
    """Boxes from the canvas of `square_letterbox` to whole pixels of the original image.

    A far edge is taken to the pixel that it includes (hence the ones) and back, since matterport's boxes are measured
    from the first to the last pixel. Source: `unmold_detections` in its `mrcnn/model.py`.

    Args:
        boxes: float `(N, 4)` in pixels of the canvas.
        window: `(top, left, bottom, right)` of the image in the canvas.
        image_size: `(height, width)` of the image.

    Returns:
        float32 `(N, 4)`, whole numbers; a box may have no area.
    """
    top, left, bottom, right = window
    far = np.array([0, 0, 1, 1])
    inner = np.array([bottom - top - 1, right - left - 1] * 2)
    scale = np.array([image_size[0] - 1, image_size[1] - 1] * 2) / np.maximum(inner, 1)
    return np.around((boxes - far - [top, left, top, left]) * scale + far).astype(np.float32)
