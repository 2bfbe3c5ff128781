"""Augmentation: one photo and its masks to one training canvas, differently each time and repeatably.

All geometry is a cut of whole source pixels, stretched to whole canvas pixels and maybe flipped. Boxes and masks go
through the same numbers, so they follow exactly; each mask is cut and stretched inside its own box and never exists at
canvas size, which keeps photos with fifty cats affordable.

Large-scale jitter follows Ghiasi et al., "Simple Copy-Paste ...", 2021, section 3 (https://arxiv.org/abs/2012.07177).
"""

import dataclasses

import numpy as np
from PIL import Image, ImageEnhance

from mrcnn.letterbox import Canvas
from pipeline.data.dataset import IGNORE

MASK_SIZE = 112  # cells along a stored true mask: twice what the mask head predicts
SMALLEST_SIDE = 5.0  # canvas pixels; smaller instances cannot be told from noise and become ignore regions
LEAST_VISIBLE = 0.2  # an instance of which a cut leaves less than this share becomes an ignore region


@dataclasses.dataclass(frozen=True)
class Jitter:
    """How far a training photo may be changed; the defaults change nothing.

    Attributes:
        scale: (least, most) longer side of the photo over the side of the canvas.
        aspect: float. Height over width is multiplied by up to exp(+-aspect).
        flip: float. Chance of a left-right flip.
        colour: float. Brightness, contrast and saturation change by up to this share, each channel by a fifth of it.
        grey: float. Chance that all colour is taken away.
    """

    scale: tuple[float, float] = (1.0, 1.0)
    aspect: float = 0.0
    flip: float = 0.0
    colour: float = 0.0
    grey: float = 0.0


def augment(image, windows, class_ids, outlined, size, jitter, random, canvas=Canvas()):  # noqa: B008, it is frozen
    """Make one training sample.

    Args:
        image: uint8 `(H, W, 3)`.
        windows: list of N `mrcnn.results.instances.MaskWindow`.
        class_ids: int32 `(N,)`, IGNORE for ignore regions.
        outlined: bool `(N,)`. False where a window is the filled box of an instance without a mask.
        size: int. Side of the square canvas in pixels.
        jitter: `Jitter`.
        random: `numpy.random.Generator`. All chance comes from it.
        canvas: `mrcnn.letterbox.Canvas`. What the network is used to. Defaults to that of the lite preset.

    Returns:
        canvas uint8 `(size, size, 3)`, boxes float32 `(M, 4)` in canvas pixels, class_ids int32 `(M,)`, masks uint8
        `(M, 112, 112)`, each stretched over its box, 0 to 255, and known float32 `(M, 4)`, where each mask is known in
        canvas pixels: as far as the photo goes, or nowhere (zeros) without an outline. M <= N: what was cut off is
        gone.
    """
    height, width = image.shape[:2]
    longer = size * np.exp(random.uniform(*np.log(jitter.scale)))
    aspect = np.exp(random.uniform(-jitter.aspect, jitter.aspect) / 2)
    scale_y, scale_x = longer / max(height, width) * aspect, longer / max(height, width) / aspect

    cut_height, cut_width = min(height, int(size / scale_y)), min(width, int(size / scale_x))
    cut_height, cut_width = max(cut_height, 1), max(cut_width, 1)
    top, left = _choose_cut(windows, class_ids, (height, width), (cut_height, cut_width), random)
    new_height = int(np.clip(round(cut_height * scale_y), 1, size))
    new_width = int(np.clip(round(cut_width * scale_x), 1, size))
    if canvas.centred:
        offset_y, offset_x = (size - new_height) // 2, (size - new_width) // 2
    else:
        offset_y, offset_x = random.integers(0, size - new_height + 1), random.integers(0, size - new_width + 1)
    flip = random.random() < jitter.flip

    cut = canvas.resize(image[top : top + cut_height, left : left + cut_width], (new_height, new_width))
    drawn = np.full((size, size, 3), canvas.filling, np.uint8)
    drawn[offset_y : offset_y + new_height, offset_x : offset_x + new_width] = recolour(
        Image.fromarray(cut), jitter, random
    )
    if flip:
        drawn = drawn[:, ::-1]

    stretch = np.array([new_height / cut_height, new_width / cut_width] * 2)
    origin = np.array([top, left] * 2)
    offset = np.array([offset_y, offset_x] * 2)
    photo = np.array([offset_y, offset_x, offset_y + new_height, offset_x + new_width])
    if flip:
        photo[[1, 3]] = size - photo[[3, 1]]
    boxes, kept_ids, masks, known = [], [], [], []
    for window, class_id, has_outline in zip(windows, class_ids, outlined, strict=True):
        part = _cut_window(window, top, left, cut_height, cut_width)
        if part is None:
            continue
        rows, columns, mask = part
        box = (np.array([rows[0], columns[0], rows[1], columns[1]]) - origin) * stretch + offset
        if flip:
            box[[1, 3]] = size - box[[3, 1]]
            mask = mask[:, ::-1]
        too_small = min(box[2] - box[0], box[3] - box[1]) < SMALLEST_SIDE
        if too_small or mask.sum() < LEAST_VISIBLE * window.mask.sum():
            class_id = IGNORE
        boxes.append(box)
        kept_ids.append(class_id)
        cells = Image.fromarray(mask.astype(np.uint8) * 255).resize((MASK_SIZE, MASK_SIZE), Image.BILINEAR)
        masks.append(np.asarray(cells))
        known.append(photo * has_outline)
    return (
        np.ascontiguousarray(drawn),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(kept_ids, np.int32),
        np.array(masks, np.uint8).reshape(-1, MASK_SIZE, MASK_SIZE),
        np.array(known, np.float32).reshape(-1, 4),
    )


def recolour(image, jitter, random):
    """Change brightness, contrast, saturation and the balance of the channels of a `PIL.Image` at random."""
    if random.random() < jitter.grey:
        return image.convert("L").convert("RGB")
    if not jitter.colour:
        return image
    brightness, contrast, saturation = 1.0 + random.uniform(-jitter.colour, jitter.colour, 3)
    balance = 1.0 + random.uniform(-jitter.colour, jitter.colour, 3) / 5
    image = ImageEnhance.Color(image).enhance(saturation)
    level = np.arange(256)
    tables = [np.clip(((level - 128) * contrast + 128) * brightness * gain, 0, 255) for gain in balance]
    return image.point([int(value) for table in tables for value in table])


def _choose_cut(windows, class_ids, size, cut, random):
    """Top left corner of the cut: anywhere, but over the centre of one instance taken at random if there is one."""
    (height, width), (cut_height, cut_width) = size, cut
    low, high = np.zeros(2), np.array([height - cut_height, width - cut_width])
    real = [window for window, class_id in zip(windows, class_ids, strict=True) if class_id != IGNORE]
    if real:
        window = real[random.integers(len(real))]
        centre = np.array([window.top, window.left]) + np.array(window.mask.shape) / 2
        low = np.clip(np.ceil(centre - cut), 0, high)
        high = np.clip(np.floor(centre), low, high)
    return [int(random.integers(int(a), int(b) + 1)) for a, b in zip(low, high, strict=True)]


def _cut_window(window, top, left, height, width):
    """What a cut leaves of a mask: `(first row, end row)`, `(first column, end column)` in source pixels, and the mask.

    None if nothing is left. The box is tight around what remains, as if the mask had been drawn on the cut photo.
    """
    rows = slice(max(0, top - window.top), max(0, top + height - window.top))
    columns = slice(max(0, left - window.left), max(0, left + width - window.left))
    mask = window.mask[rows, columns]
    used_rows, used_columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(used_rows):
        return None
    mask = mask[used_rows[0] : used_rows[-1] + 1, used_columns[0] : used_columns[-1] + 1]
    first_row = window.top + rows.start + used_rows[0]
    first_column = window.left + columns.start + used_columns[0]
    return (first_row, first_row + mask.shape[0]), (first_column, first_column + mask.shape[1]), mask
