"""Drawings of the Inside tab: boxes on the canvas, maps as colours, and crops beside what was read from them."""

import numpy as np
from PIL import Image, ImageDraw

from interface.encoding import data_uri, jpeg, png

SCALE = 2  # boxes are drawn on the canvas at twice its size, or their lines would hide what they surround
FOLLOWED = (255, 90, 60)  # the colour of the object that is followed through all steps
TILE = 168  # pixels: the side of a crop and of a grid


def principal_colours(features):
    """Features as an image: their first three principal components as red, green and blue.

    Args:
        features: float `(H, W, C)`.

    Returns:
        uint8 `(H, W, 3)`.
    """
    flat = features.reshape(-1, features.shape[2])
    centred = flat - flat.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)
    components = centred @ directions[:, :-4:-1]
    low, high = np.percentile(components, [2, 98], axis=0)
    colours = np.clip((components - low) / np.maximum(high - low, 1e-6), 0, 1)
    return np.uint8(np.rint(255 * colours)).reshape(*features.shape[:2], 3)


def grey(canvas):
    """The canvas without its colours."""
    return np.repeat(np.array(Image.fromarray(canvas).convert("L"))[..., None], 3, axis=2)


def heat(shares):
    """Colours uint8 `(..., 3)` from black over red to yellow for shares float `(...)`, 0 to 1."""
    import matplotlib  # here: the light page has neither this tab's network nor the package

    return (255 * np.asarray(matplotlib.colormaps["inferno"](shares))[..., :3]).astype(np.uint8)


def ranked(count):
    """A colour for each rank, the first the brightest."""
    return heat(np.linspace(0.9, 0.3, count))


def heated(canvas, shares):
    """The grey canvas with a map of shares float `(h, w)` laid over it, cell by cell."""
    laid = Image.fromarray(heat(shares)).resize(canvas.shape[1::-1], Image.Resampling.NEAREST)
    return (0.3 * grey(canvas) + 0.7 * np.asarray(laid)).astype(np.uint8)


def with_boxes(canvas, boxes, colours, width=SCALE, dim=True):
    """The canvas, enlarged, with boxes on it.

    Args:
        canvas: uint8 `(H, W, 3)`.
        boxes: float `(N, 4)`, y1, x1, y2, x2 in its pixels, the most important first.
        colours: uint8 `(N, 3)`, or one for all.
        width: int. Of the lines, in pixels of the enlarged canvas.
        dim: bool. Whether the canvas is made paler and darker first. Defaults to `True`.

    Returns:
        uint8 `(SCALE * H, SCALE * W, 3)`.
    """
    boxes = np.asarray(boxes, float).reshape(-1, 4)
    colours = np.broadcast_to(np.asarray(colours, int), (len(boxes), 3))
    image = Image.fromarray(canvas // 2 + 32 if dim else canvas)
    image = image.resize((SCALE * canvas.shape[1], SCALE * canvas.shape[0]), Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(image)
    # From the last to the first, so that the best lies on top.
    for (y1, x1, y2, x2), colour in reversed(list(zip((SCALE * boxes).tolist(), colours.tolist(), strict=True))):
        draw.rectangle((x1, y1, max(x1, x2 - 1), max(y1, y2 - 1)), outline=tuple(colour), width=width)
    return np.asarray(image)


def more_boxes(image, boxes, colour, width=3 * SCALE):
    """A copy of what `with_boxes` gave, with further boxes of the canvas in one colour."""
    return framed(image, SCALE * np.asarray(boxes, float), colour, width)


def framed(image, boxes, colour=FOLLOWED, width=4):
    """A copy of an image with boxes `(N, 4)` or one box `(4,)` in its own pixels."""
    image = Image.fromarray(image)
    draw = ImageDraw.Draw(image)
    for y1, x1, y2, x2 in np.asarray(boxes, float).reshape(-1, 4).tolist():
        draw.rectangle((x1, y1, max(x1, x2 - 1), max(y1, y2 - 1)), outline=tuple(colour), width=width)
    return np.asarray(image)


def crop(canvas, box):
    """What of the canvas lies in a box, stretched to `TILE` x `TILE` as RoIAlign stretches it; black beyond the edge.

    Args:
        canvas: uint8 `(H, W, 3)`.
        box: float `(4,)` y1, x1, y2, x2 in its pixels, with area.
    """
    y1, x1, y2, x2 = (float(edge) for edge in box)
    how = Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(canvas).transform((TILE, TILE), Image.Transform.EXTENT, (x1, y1, x2, y2), how))


def cells(image):
    """An image of few pixels as `TILE` x `TILE`, each a square to be seen."""
    return np.asarray(Image.fromarray(image).resize((TILE, TILE), Image.Resampling.NEAREST))


def side_by_side(*images):
    """Images of one height as one, with a white line between them, so that they never part."""
    line = np.full((images[0].shape[0], 4, 3), 255, np.uint8)
    parts = [part for image in images for part in (line, image)]
    return np.concatenate(parts[1:], axis=1)


def tile(image, caption, pixels=False, small=False, more="", name=""):
    """An image with its caption as HTML; `pixels` shows its cells as squares, `small` makes it one of many."""
    address = data_uri(png(image) if pixels else jpeg(image, 85))
    height, width = image.shape[:2]
    classes = " ".join(["tile", *["pixels"] * pixels, *["small"] * small, *[name] * bool(name)])
    return (
        f'<figure class="{classes}"><img src="{address}" alt="{caption}" width="{width}" height="{height}"'
        f' draggable="false"><figcaption>{caption}</figcaption>{more}</figure>'
    )
