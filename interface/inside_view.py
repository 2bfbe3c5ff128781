"""A run of the network as a walk of eleven steps: each a title, one sentence, its figures, and images of the tensors.

Whoever follows one object sees in each step, first and in one colour, what became of it there.
"""

import dataclasses
import html
from collections.abc import Callable

import numpy as np

from interface.inside_drawing import (
    FOLLOWED,
    SCALE,
    cells,
    crop,
    framed,
    grey,
    heated,
    more_boxes,
    ranked,
    side_by_side,
    tile,
    with_boxes,
)
from interface.inside_walk import suppress
from mrcnn.results import drawing
from mrcnn.results.boxes import box_iou, expand_boxes
from mrcnn.results.wording import counted, percent

MOST_BOXES = 300  # drawn of the proposals before suppression
MOST_TILES = 8  # proposals and masks that are shown one by one
LISTED_CLASSES = 3
GONE = (120, 120, 130)  # boxes that suppression drops


@dataclasses.dataclass(frozen=True)
class Step:
    """One stage of the network.

    Attributes:
        title: str.
        source: str. Where it is computed, a path from the root of the project.
        stage: str. Its name in `Inspection.milliseconds`.
        show: function of walk, followed row or `None`, and overlap: a sentence, the tensors in words, and tiles.
        threshold: str. The field of the config with the overlap that this step allows; empty if it suppresses nothing.
    """

    title: str
    source: str
    stage: str
    show: Callable
    threshold: str = ""


def step_html(walk, number, row=None, overlap=None, why=""):
    """A step as HTML.

    Args:
        walk: `interface.inside_walk.Walk`.
        number: int. From 1 to `len(STEPS)`.
        row: int or `None`. The detection that is followed.
        overlap: float or `None`. The overlap that suppression allows. Defaults to what the network ran with.
        why: str. HTML that takes the place of the last step's tiles.
    """
    step = STEPS[number - 1]
    if row is not None and row >= len(walk.seen.detections):
        row = None
    sentence, tensors, *tiles = step.show(walk, row, overlap)
    took = f"{walk.seen.milliseconds[step.stage]:.1f} ms in this run, step by step"
    facts = tensors, took, f"<code>{step.source}</code>"
    return (
        f'<section class="step"><h2>{number} of {len(STEPS)}: {step.title}</h2><p>{sentence}</p>'
        f'<p class="facts">{" · ".join(facts)}</p><div class="tiles">{why or "".join(tiles)}</div></section>'
    )


def _input(walk, row, _):
    seen = walk.seen
    height, width = seen.canvas.shape[:2]
    image = seen.canvas if row is None else with_boxes(seen.canvas, seen.found_boxes[[row]], FOLLOWED, 4, dim=False)
    return (
        f"The photo at {width} × {height} pixels, filled up to multiples of 32: finer detail than this "
        "never reaches the network.",
        f"uint8 {height} × {width} × 3",
        tile(image, "Input" if row is None else f"Input, with {walk.name(row)} as it will be found", name="wide"),
    )


def _pyramid(walk, row, _):
    tiles = []
    own = None if row is None else int(np.log2(walk.seen.strides[walk.anchor_of(row)[1][0]]))
    for level, ((height, width, _), colours) in enumerate(zip(walk.level_shapes, walk.level_colours, strict=True), 2):
        caption = f"P{level}: {width} × {height} cells of {2**level} pixels"
        if level == own:
            caption += f"; {walk.name(row)} starts here"
        tiles.append(tile(colours, caption, pixels=True, name="map followed" if level == own else "map"))
    channels = walk.level_shapes[0][2]
    shapes = ", ".join(f"{height} × {width}" for height, width, _ in walk.level_shapes)
    return (
        f"Five maps with {channels} numbers a cell, fine ones for small objects and coarse ones for large; the colours "
        "are their three strongest directions, so cells of like colour mean like things to the network.",
        f"float32 {shapes}, each × {channels}",
        *tiles,
    )


def _anchors(walk, row, _):
    seen, tiles = walk.seen, []
    for stride, objectness, anchors in zip(seen.strides, seen.objectness, seen.anchors, strict=True):
        y, x, _ = np.unravel_index(objectness.argmax(), objectness.shape)
        shades = drawing.PALETTE[np.arange(len(anchors[y, x])) % len(drawing.PALETTE)]
        drawn = with_boxes(grey(seen.canvas), anchors[y, x], shades)
        tiles.append(tile(drawn, f"Cells of {stride} pixels: the anchors of one of them", name="half"))
    if row is not None:
        _, (level, y, x, anchor) = walk.anchor_of(row)
        boxes, stride = seen.anchors[level][y, x], seen.strides[level]
        drawn = with_boxes(grey(seen.canvas), boxes, (190, 190, 200))
        cell = [stride * y, stride * x, stride * (y + 1), stride * (x + 1)]
        drawn = more_boxes(more_boxes(drawn, cell, (255, 255, 255), SCALE), boxes[anchor], FOLLOWED)
        caption = f"{walk.name(row)}: row {y + 1}, column {x + 1} of the cells of {stride} pixels, anchor {anchor + 1}"
        tiles.insert(0, tile(drawn, caption, name="half"))
    per_cell = seen.objectness[0].shape[2]
    return (
        f"Boxes of fixed shapes are what the network starts from, {per_cell} for each cell and "
        f"{len(seen.moved):,} in all, wherever something may be.",
        f"float32 {len(seen.moved):,} × 4",
        *tiles,
    )


def _objectness(walk, row, _):
    seen, tiles = walk.seen, []
    for anchors, objectness in zip(seen.anchors, seen.objectness, strict=True):
        y1, x1, y2, x2 = anchors[0, 0].T
        side = np.median(np.sqrt((y2 - y1) * (x2 - x1)))
        best = objectness.max(axis=2)
        caption = f"Objects of some {side:.0f} pixels: at most {percent(best.max())}"
        tiles.append(tile(heated(seen.canvas, best), caption, name="half"))
    if row is not None:
        _, (level, y, x, anchor) = walk.anchor_of(row)
        stride, objectness = seen.strides[level], seen.objectness[level]
        drawn = with_boxes(heated(seen.canvas, objectness.max(axis=2)), [], FOLLOWED, dim=False)
        drawn = more_boxes(drawn, [stride * y, stride * x, stride * (y + 1), stride * (x + 1)], FOLLOWED)
        caption = f"The cell of {walk.name(row)}: {percent(objectness[y, x, anchor])} for its anchor {anchor + 1}"
        tiles.insert(0, tile(drawn, caption, name="half"))
    shapes = ", ".join("{} × {} × {}".format(*objectness.shape) for objectness in seen.objectness)
    return (
        "The proposal head slides over the maps and gives every anchor of every cell a probability of holding an "
        "object, whatever its class; bright is sure, and each map answers for its own size of objects.",
        f"float32 {shapes}",
        *tiles,
    )


def _candidates(walk, row, _):
    seen = walk.seen
    boxes = seen.candidates[:MOST_BOXES]
    tiles = [tile(with_boxes(grey(seen.canvas), boxes, ranked(len(boxes))), "Moved anchors", name="half")]
    if row is not None:
        moved, (level, *place) = walk.anchor_of(row)
        anchor, box = seen.anchors[level][tuple(place)], seen.moved[moved]
        drawn = more_boxes(with_boxes(grey(seen.canvas), [anchor], (190, 190, 200), 3), box, FOLLOWED)
        rank = 1 + int(seen.proposal_candidates[seen.found_proposals[row]])
        edges = ", ".join(f"{edge:+.0f}" for edge in box - np.clip(anchor, 0, [*seen.canvas.shape[:2]] * 2))
        caption = f"{walk.name(row)}: the anchor (grey) moved by {edges} pixels (top, left, bottom, right), rank {rank}"
        tiles.insert(0, tile(drawn, caption, name="half"))
    return (
        f"For each anchor the head also says how to move the four edges; here are the best {len(boxes)} of the "
        f"{len(seen.candidates)} most probable, the first the brightest: most say the same thing many times.",
        f"float32 {len(seen.candidates)} × 4",
        *tiles,
    )


def _proposals(walk, row, overlap):
    seen, config = walk.seen, walk.seen.config
    if overlap is None or abs(overlap - config.proposal_nms_iou) < 1e-6:
        overlap, kept = config.proposal_nms_iou, seen.proposal_candidates
    else:
        order = -np.arange(len(seen.candidates))
        kept = suppress(seen.candidates, order, np.zeros_like(order), overlap, config.post_nms_top_n)
    boxes = seen.candidates[kept]
    drawn = with_boxes(grey(seen.canvas), boxes, ranked(len(boxes)))
    fate = ""
    if row is not None:
        candidate = int(seen.proposal_candidates[seen.found_proposals[row]])
        drawn = more_boxes(drawn, seen.candidates[candidate], FOLLOWED)
        stays = np.flatnonzero(kept == candidate)
        fate = f" · that of {walk.name(row)} {f'is number {stays[0] + 1}' if len(stays) else 'is lost'}"
    return (
        f"Of boxes that overlap by more than {overlap:.2f} (intersection over union) only the best stays: "
        f"{len(boxes)} of {len(seen.candidates)}, of at most {config.post_nms_top_n}, are looked at again.",
        f"float32 {len(boxes)} × 4",
        tile(drawn, f"{len(boxes)} proposals{fate}", name="wide"),
    )


def _pooled(walk, row, _):
    seen = walk.seen
    _, height, width, _ = walk.pooled_shape
    ranks = list(range(min(MOST_TILES, len(seen.proposals))))
    own = None if row is None else int(seen.found_proposals[row])
    if own is not None:
        ranks = [own, *[rank for rank in ranks if rank != own][: MOST_TILES - 1]]
    tiles = [
        tile(
            side_by_side(crop(seen.canvas, seen.proposals[rank]), cells(walk.pooled_colours[rank])),
            f"Proposal {rank + 1}{f', of {walk.name(row)}' if rank == own else ''}",
            pixels=True,
            small=True,
            name="followed" if rank == own else "",
        )
        for rank in ranks
    ]
    return (
        f"Whatever its size, each proposal is read from the pyramid as a grid of {width} × {height} cells, between the "
        "map's own cells where need be; each crop stands beside its grid.",
        f"float32 {' × '.join(map(str, walk.pooled_shape))}",
        *tiles,
    )


def _classes(walk, row, _):
    seen = walk.seen
    names = ("background", *seen.detections.class_names)
    ranks = list(range(min(MOST_TILES, len(seen.proposals))))
    tiles = []
    if row is not None:
        own, class_id = int(seen.found_proposals[row]), int(seen.detections.class_ids[row])
        ranks = [own, *[rank for rank in ranks if rank != own][: MOST_TILES - 1]]
        drawn = with_boxes(grey(seen.canvas), [seen.proposals[own]], (190, 190, 200), 3)
        drawn = more_boxes(drawn, seen.refined[own, class_id], FOLLOWED)
        score = percent(seen.probabilities[own, class_id])
        caption = f"{walk.name(row)}: proposal {own + 1} (grey), its edges moved once more, {score}"
        tiles.append(tile(drawn, caption, name="half"))
    for rank in ranks:
        scores = seen.probabilities[rank]
        meters = "".join(
            f'<label>{html.escape(names[i])} {percent(scores[i])}<meter value="{scores[i]:.4f}"></meter></label>'
            for i in np.argsort(-scores)[:LISTED_CLASSES]
        )
        tiles.append(tile(crop(seen.canvas, seen.proposals[rank]), f"Proposal {rank + 1}", small=True, more=meters))
    count, classes = seen.probabilities.shape
    return (
        "From its grid the box head gives each proposal a probability for every class and for the background, and "
        "moves the edges once more.",
        f"float32 {count} × {classes} and {count} × {classes} × 4",
        *tiles,
    )


def _detections(walk, row, overlap):
    seen = walk.seen
    overlap = seen.config.detection_nms_iou if overlap is None else overlap
    proposals, columns = np.nonzero(seen.probabilities[:, 1:] >= seen.confidence)
    boxes, scores = seen.refined[proposals, columns + 1], seen.probabilities[proposals, columns + 1]
    if abs(overlap - seen.config.detection_nms_iou) < 1e-6:
        shown = np.concatenate([seen.found_boxes, seen.unsure_boxes])
        kept = np.arange(len(shown))
    else:
        kept = suppress(boxes, scores, columns, overlap, seen.limit)
        shown = boxes[kept]
    colours = [drawing.instance_colour(rank) for rank in range(len(kept))]
    drawn = with_boxes(grey(seen.canvas), boxes, GONE)
    for box, colour in reversed(list(zip(shown, colours, strict=True))):
        drawn = more_boxes(drawn, box, colour)
    fate = ""
    if row is not None:
        here = box_iou(shown, seen.found_boxes[[row]])[:, 0]
        fate = f" · {walk.name(row)} {'stays' if here.size and here.max() > 0.99 else 'is lost'}"
        drawn = more_boxes(drawn, seen.found_boxes[row], FOLLOWED)
    return (
        f"{len(boxes)} proposals are at least {percent(seen.confidence)} sure of a class; of those of one class that "
        f"overlap by more than {overlap:.2f} only the surest stays, and {len(kept)} are left.",
        f"float32 {len(kept)} × 4 boxes, {len(kept)} scores",
        tile(drawn, f"{len(kept)} detections, the others grey{fate}", name="wide"),
    )


def _masks(walk, row, _):
    found = walk.seen.detections
    rows = list(range(min(MOST_TILES, len(found))))
    if row is not None:
        rows = [row, *[other for other in rows if other != row][: MOST_TILES - 1]]
    tiles = []
    for number in rows:
        mask = np.repeat(np.uint8(np.rint(255 * found.soft_masks[number].astype(np.float32)))[..., None], 3, axis=2)
        # The head looks a little beyond the box.
        region = expand_boxes(walk.seen.found_boxes[number], walk.seen.config.mask_margin)
        both = side_by_side(crop(walk.seen.canvas, region), cells(mask))
        caption = f"{walk.name(number)}, {_score(walk, number)}"
        name = "followed" if number == row else ""
        tiles.append(tile(both, caption, pixels=True, small=True, name=name))
    if not tiles:
        words = "Nothing is sure enough, so the mask head has nothing to draw: lower the confidence."
        return words, "float32 0", '<p class="none">No masks.</p>'
    count, (height, width) = len(found) + len(walk.seen.unsure_boxes), found.soft_masks.shape[1:]
    scoring = " The overlap with the object that a mask expects of itself counts in its score."
    return (
        f"Only now, and only for the {count} detected, the mask head says for {width} × {height} cells how probably "
        "each belongs to the object, white for sure."
        f"{scoring if walk.seen.config.mask_scoring else ''}",
        f"float32 {count} × {height} × {width}",
        *tiles,
    )


def _score(walk, row):
    """The score of a detection, with what it is the product of if the mask counts."""
    seen = walk.seen
    score = seen.detections.scores[row]
    if not seen.config.mask_scoring:
        return percent(score)
    probability = seen.probabilities[seen.found_proposals[row], seen.detections.class_ids[row]]
    return f"{percent(probability)} × {score / probability:.2f} = {percent(score)}"


def _result(walk, row, _):
    found = walk.shown()
    drawn = drawing.draw_instances(walk.photo, found, boxes=False)
    caption = "Result"
    if row is not None:
        drawn = framed(drawn, found.boxes[row])
        caption = f"{walk.name(row)} at the end of its way"
    count, height, width = len(found), *walk.seen.detections.image_size
    return (
        f"Each mask is stretched over its box at the photo's own size and cut at one half: {counted(found)}.",
        f"bool {count} × {height} × {width}",
        tile(drawn, f"{caption} · click an animal that was missed, or drag a box around it", name="wide why"),
    )


STEPS = (
    Step("what the network sees", "mrcnn/letterbox.py", "letterbox", _input),
    Step("feature pyramid", "mrcnn/feature_pyramid.py", "features", _pyramid),
    Step("anchors", "mrcnn/anchors.py", "anchors", _anchors),
    Step("is something there?", "mrcnn/region_proposals.py", "proposal_head", _objectness),
    Step("anchors, moved", "mrcnn/boxes.py", "moved", _candidates),
    Step("proposals that stay", "mrcnn/region_proposals.py", "proposals", _proposals, "proposal_nms_iou"),
    Step("RoIAlign", "mrcnn/roi_align.py", "pool", _pooled),
    Step("what is it?", "mrcnn/box_head.py", "box_head", _classes),
    Step("detections that stay", "mrcnn/detections.py", "detections", _detections, "detection_nms_iou"),
    Step("masks", "mrcnn/mask_head.py", "masks", _masks),
    Step("masks on the photo", "mrcnn/results/detections.py", "paste", _result),
)
