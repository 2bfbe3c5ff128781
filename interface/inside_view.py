"""A run of the network as a walk of ten steps: each a title, one sentence, and images of the tensors themselves."""

import html

import numpy as np
from PIL import Image, ImageDraw

from interface.encoding import data_uri, jpeg, png
from mrcnn.letterbox import letterbox_size
from mrcnn.results import drawing
from mrcnn.results.wording import counted, percent

SCALE = 2  # boxes are drawn on the canvas at twice its size, or their lines would hide what they surround
MOST_BOXES = 300  # drawn of the proposals before suppression
MOST_TILES = 8  # proposals and masks that are shown one by one
LISTED_CLASSES = 3
LARGEST_RESULT = 800  # longer side of the last image


def inside_steps(inspection, image):
    """The steps as HTML.

    Args:
        inspection: `mrcnn.inspection.Inspection`.
        image: uint8 `(H, W, 3)`. The photo that was looked into.

    Returns:
        list of str.
    """
    makers = (_input, _pyramid, _objectness, _anchors, _candidates, _proposals, _pooled, _classes, _masks)
    parts = [maker(inspection) for maker in makers] + [_result(inspection, image)]
    return [
        f'<section class="step"><h2>{number} of {len(parts)}: {title}</h2><p>{sentence}</p>'
        f'<div class="tiles">{"".join(tiles)}</div></section>'
        for number, (title, sentence, *tiles) in enumerate(parts, start=1)
    ]


def _input(seen):
    height, width = seen.canvas.shape[:2]
    return (
        "what the network sees",
        f"The photo at {width} × {height} pixels, filled up to multiples of 32: finer detail than this "
        "never reaches the network.",
        _tile(seen.canvas, "Input"),
    )


def _pyramid(seen):
    tiles = []
    for level, features in enumerate(seen.levels, start=2):
        height, width, channels = features.shape
        caption = f"P{level}: {width} × {height} cells of {2**level} pixels"
        tiles.append(_tile(principal_colours(features), caption, pixels=True))
    return (
        "feature pyramid",
        f"Five maps with {channels} numbers a cell, fine ones for small objects and coarse ones for large; the colours "
        "are their three strongest directions, so cells of like colour mean like things to the network.",
        *tiles,
    )


def _objectness(seen):
    tiles = []
    for anchors, objectness in zip(seen.anchors, seen.objectness, strict=True):
        y1, x1, y2, x2 = anchors[0, 0].T
        side = np.median(np.sqrt((y2 - y1) * (x2 - x1)))
        heat = objectness.max(axis=2)
        mixed = 0.3 * _grey(seen.canvas) + 0.7 * _enlarged(_heat(heat), seen.canvas)
        caption = f"Objects of some {side:.0f} pixels: at most {percent(heat.max())}"
        tiles.append(_tile(mixed.astype(np.uint8), caption))
    return (
        "is something there?",
        "The proposal head slides over the maps and gives every anchor of every cell a probability of holding an "
        "object, whatever its class; bright is sure, and each map answers for its own size of objects.",
        *tiles,
    )


def _anchors(seen):
    tiles = []
    for stride, objectness, anchors in zip(seen.strides, seen.objectness, seen.anchors, strict=True):
        row, column, _ = np.unravel_index(objectness.argmax(), objectness.shape)
        shades = drawing.PALETTE[np.arange(len(anchors[row, column])) % len(drawing.PALETTE)]
        drawn = _with_boxes(_grey(seen.canvas), anchors[row, column], shades)
        tiles.append(_tile(drawn, f"Cells of {stride} pixels: the anchors of the brightest one"))
    count = sum(objectness.size for objectness in seen.objectness)
    return (
        "anchors",
        f"Boxes of fixed shapes are what the head starts from, {seen.objectness[0].shape[2]} for each cell and "
        f"{count:,} in all; for each it also says how to move the four edges.",
        *tiles,
    )


def _candidates(seen):
    boxes = seen.candidates[:MOST_BOXES]
    return (
        "proposals before suppression",
        f"The {len(seen.candidates)} most probable anchors with their edges moved, the best {len(boxes)} of them drawn "
        "and the first the brightest: most say the same thing many times.",
        _tile(_with_boxes(_grey(seen.canvas), boxes, _ranked(len(boxes))), "Moved anchors"),
    )


def _proposals(seen):
    boxes = seen.proposals
    return (
        "proposals after suppression",
        f"Of boxes that overlap much only the best stays, and {len(boxes)} are left: only these are looked at again.",
        _tile(_with_boxes(_grey(seen.canvas), boxes, _ranked(len(boxes))), "Proposals"),
    )


def _pooled(seen):
    tiles = []
    first = seen.pooled[:MOST_TILES]
    height, width = first.shape[1:3]
    # All grids in one go, so that the same colour means the same in each of them.
    colours = principal_colours(first.reshape(-1, *first.shape[2:])).reshape(*first.shape[:3], 3)
    for rank, pooled in enumerate(colours):
        tiles.append(_tile(_crop(seen, rank), f"Proposal {rank + 1}", small=True))
        tiles.append(_tile(pooled, f"{width} × {height} cells", pixels=True, small=True))
    return (
        "RoIAlign",
        "Whatever its size, each proposal is read from the pyramid as a grid of the same few cells, between the map's "
        f"own cells where need be; here are the first {len(first)} proposals with their grids.",
        *tiles,
    )


def _classes(seen):
    names = ("background", *seen.detections.class_names)
    tiles = []
    for rank, scores in enumerate(seen.probabilities[:MOST_TILES]):
        meters = "".join(
            f'<label>{html.escape(names[i])} {percent(scores[i])}<meter value="{scores[i]:.4f}"></meter></label>'
            for i in np.argsort(-scores)[:LISTED_CLASSES]
        )
        tiles.append(_tile(_crop(seen, rank), f"Proposal {rank + 1}", small=True, more=meters))
    return (
        "what is it?",
        "From its grid the box head gives each proposal a probability for every class and for the background, and "
        "moves the edges once more.",
        *tiles,
    )


def _masks(seen):
    found = seen.detections
    tiles = [
        _tile(
            np.repeat(np.uint8(np.rint(255 * mask.astype(np.float32)))[..., None], 3, axis=2),
            f"{html.escape(found.class_names[class_id - 1])} {row + 1}, {percent(score)}",
            pixels=True,
            small=True,
        )
        for row, (mask, score, class_id) in enumerate(
            zip(found.soft_masks[:MOST_TILES], found.scores, found.class_ids, strict=False)
        )
    ]
    if not tiles:
        return "masks", "Nothing is sure enough, so the mask head has nothing to draw: lower the confidence."
    height, width = found.soft_masks.shape[1:]
    return (
        "masks",
        f"Only now, and only for the {len(found)} detected, the mask head says for {width} × {height} cells how "
        "probably each belongs to the object: white is sure.",
        *tiles,
    )


def _result(seen, image):
    size = letterbox_size(*image.shape[:2], min(LARGEST_RESULT, max(image.shape[:2])))
    small = np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BOX))
    found = seen.detections.resized(size).instances(0.0)
    return (
        "masks on the photo",
        f"Each mask is stretched over its box at the photo's own size and cut at one half: {counted(found)}.",
        _tile(drawing.draw_instances(small, found), "Result"),
    )


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


def _grey(canvas):
    return np.repeat(np.array(Image.fromarray(canvas).convert("L"))[..., None], 3, axis=2)


def _enlarged(cells, canvas):
    return np.asarray(Image.fromarray(cells).resize(canvas.shape[1::-1], Image.Resampling.NEAREST))


def _heat(shares):
    """Colours uint8 `(..., 3)` from black over red to yellow for shares float `(...)`, 0 to 1."""
    import matplotlib  # here: the light page has neither this tab's network nor the package

    return np.uint8(255 * matplotlib.colormaps["inferno"](shares)[..., :3])


def _ranked(count):
    """A colour for each rank, the first the brightest."""
    return _heat(np.linspace(0.9, 0.3, count))


def _with_boxes(canvas, boxes, colours):
    height, width = canvas.shape[:2]
    image = Image.fromarray(canvas // 2 + 32).resize((SCALE * width, SCALE * height), Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(image)
    # From the last to the first, so that the best lies on top.
    for (y1, x1, y2, x2), colour in reversed(list(zip((SCALE * boxes).tolist(), colours.tolist(), strict=True))):
        draw.rectangle((x1, y1, max(x1, x2 - 1), max(y1, y2 - 1)), outline=tuple(colour), width=SCALE)
    return np.asarray(image)


def _crop(seen, rank):
    limits = np.array([*seen.canvas.shape[:2]] * 2)
    y1, x1, y2, x2 = np.clip(np.rint(seen.proposals[rank]), 0, limits).astype(int)
    return seen.canvas[min(y1, limits[0] - 1) : max(y2, y1 + 1), min(x1, limits[1] - 1) : max(x2, x1 + 1)]


def _tile(image, caption, pixels=False, small=False, more=""):
    """An image with its caption; `pixels` shows its cells as squares, `small` makes it one of many."""
    address = data_uri(png(image) if pixels else jpeg(image, 85))
    height, width = image.shape[:2]
    classes = " ".join(["tile", *["pixels"] * pixels, *["small"] * small])
    return (
        f'<figure class="{classes}"><img src="{address}" alt="{caption}" width="{width}" height="{height}">'
        f"<figcaption>{caption}</figcaption>{more}</figure>"
    )
