"""What the Inside tab keeps of a run of the network: all that is to be shown, and none of the large maps."""

import dataclasses
import html
import time
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from interface.inside_drawing import principal_colours
from mrcnn.letterbox import letterbox_size
from mrcnn.results.boxes import box_iou
from mrcnn.results.wording import percent

if TYPE_CHECKING:  # the light page has no TensorFlow, which that module needs
    from mrcnn.inspection import Inspection

LARGEST_VIEW = 800  # pixels: longer side of the photo as it is shown in the last step


@dataclasses.dataclass(frozen=True)
class Walk:
    """One run of the network, ready to be walked through.

    Attributes:
        seen: `Inspection` without pyramid and pooled features; its `milliseconds` know `"paste"` as well, the masks at
            the size of the photo.
        photo: uint8 `(h, w, 3)`. The photo, small.
        level_shapes: list of `(height, width, channels)`, of the pyramid.
        level_colours: list of uint8 `(height, width, 3)`: each level's three strongest directions.
        pooled_shape: `(P, S, S, C)`.
        pooled_colours: uint8 `(P, S, S, 3)`.
    """

    seen: "Inspection"
    photo: np.ndarray
    level_shapes: list
    level_colours: list
    pooled_shape: tuple
    pooled_colours: np.ndarray

    def choices(self):
        """The objects that can be followed: pairs of words and row."""
        found = self.seen.detections
        return [(f"{self.name(row)}, {percent(score)}", row) for row, score in enumerate(found.scores)]

    def name(self, row):
        """What a detection is called: `"cat 2"`."""
        found = self.seen.detections
        return f"{html.escape(found.class_names[found.class_ids[row] - 1])} {row + 1}"

    def shown(self):
        """`Instances` on the small photo."""
        return self.seen.detections.resized(self.photo.shape[:2]).instances(0.0)

    def anchor_of(self, row):
        """Where a detection began: the row in `seen.moved`, and its level, row and column of cells, and anchor."""
        seen = self.seen
        moved = int(seen.candidate_anchors[seen.proposal_candidates[seen.found_proposals[row]]])
        start = moved
        for level, objectness in enumerate(seen.objectness):
            if start < objectness.size:
                return moved, (level, *(int(place) for place in np.unravel_index(start, objectness.shape)))
            start -= objectness.size
        raise AssertionError("a row of seen.moved is an anchor of one of the levels")


def walk_through(seen, image):
    """Makes a `Walk`.

    Args:
        seen: `Inspection`.
        image: uint8 `(H, W, 3)`. The photo that was looked into.
    """
    height, width = letterbox_size(image.shape[0], image.shape[1], min(LARGEST_VIEW, max(image.shape[:2])))
    photo = np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BOX))
    pooled = seen.pooled
    # All grids in one go, so that the same colour means the same in each of them.
    flat = principal_colours(pooled.reshape(-1, *pooled.shape[2:])) if len(pooled) else np.zeros((0,), np.uint8)
    start = time.perf_counter()
    seen.detections.instances(0.0)
    milliseconds = {**seen.milliseconds, "paste": 1000 * (time.perf_counter() - start)}
    return Walk(
        dataclasses.replace(seen, levels=[], pooled=pooled[:0], milliseconds=milliseconds),
        photo,
        [level.shape for level in seen.levels],
        [principal_colours(level) for level in seen.levels],
        pooled.shape,
        flat.reshape(*pooled.shape[:3], 3),
    )


def suppress(boxes, scores, groups, allowed, limit):
    """Non-maximum suppression on arrays, for thresholds that the network did not run with.

    Args:
        boxes: float `(N, 4)`, y1, x1, y2, x2.
        scores: float `(N,)`.
        groups: int `(N,)`. Boxes suppress only those of their own group.
        allowed: float. Overlap above which the worse of two boxes goes, 0 to 1.
        limit: int. Boxes to keep.

    Returns:
        int array. Rows that are kept, best first.
    """
    groups = np.asarray(groups)
    rest = np.argsort(-np.asarray(scores), kind="stable")
    rest = rest[np.prod(boxes[rest, 2:] - boxes[rest, :2], axis=1) > 0]
    kept = []
    while len(rest) and len(kept) < limit:
        best, rest = rest[0], rest[1:]
        kept.append(best)
        overlaps = box_iou(boxes[best : best + 1], boxes[rest])[0]
        rest = rest[(overlaps <= allowed) | (groups[rest] != groups[best])]
    return np.array(kept, int)
