"""Which stage of the network lost an object, told from what each stage computed.

An object survives if an anchor is moved onto it, if that is probable enough to enter suppression, if suppression leaves
it, if the box head is sure of a class, if no surer detection suppresses it, and if it is still sure enough once its
mask counts. The first of these that fails is why it is missing.
"""

import dataclasses

import numpy as np

from mrcnn.results.boxes import box_iou

SAME = 0.5  # IoU from which two boxes are taken to be about one object
STAGES = ("found", "anchors", "pre_nms", "proposal_nms", "top_n", "class", "moved", "detection_nms", "mask", "limit")


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Why an object is missing.

    Attributes:
        stage: one of `STAGES`: it was found after all; no anchor was moved onto it; those that were are too improbable
            for suppression; all that entered lost to surer boxes, or came after the last that is kept; no proposal on
            it is sure of a class; the box head moved the sure ones elsewhere; a surer detection suppressed them; its
            mask is too unsure; or there are more detections than were asked for.
        box: float `(4,)` y1, x1, y2, x2 in pixels of the canvas. What was looked for.
        own: float `(4,)` or `None`. The box that came nearest to a detection of it.
        rival: float `(4,)` or `None`. The box that won over `own`.
        row: int or `None`. The detection that it is, or that `rival` is.
        numbers: dict of floats and ints that say how close it was, see `why_missed`.
    """

    stage: str
    box: np.ndarray
    own: np.ndarray | None = None
    rival: np.ndarray | None = None
    row: int | None = None
    numbers: dict = dataclasses.field(default_factory=dict)


def box_at(seen, y, x):
    """The box of what is at a point, as the network saw it.

    Of all moved anchors around the point that are not on a detection, the one that is most probably an object and has
    the point in its middle: objectness times centredness (Tian et al., "FCOS", 2019, equation 3).

    Args:
        seen: `mrcnn.inspection.Inspection`.
        y, x: float. Pixels of the canvas.

    Returns:
        float `(4,)`, or `None` if no anchor was moved around the point.
    """
    y1, x1, y2, x2 = seen.moved.T
    around = (y1 < y) & (y < y2) & (x1 < x) & (x < x2)
    around &= (box_iou(seen.moved, seen.found_boxes) < SAME).all(axis=1)
    rows = np.flatnonzero(around)
    if not len(rows):
        return None
    y1, x1, y2, x2 = seen.moved[rows].T
    vertical = np.minimum(y - y1, y2 - y) / np.maximum(y - y1, y2 - y)
    horizontal = np.minimum(x - x1, x2 - x) / np.maximum(x - x1, x2 - x)
    return seen.moved[rows[np.argmax(_objectness(seen)[rows] * np.sqrt(vertical * horizontal))]]


def why_missed(seen, box):
    """The stage that lost the object in a box.

    Args:
        seen: `mrcnn.inspection.Inspection`.
        box: `(4,)` y1, x1, y2, x2 in pixels of the canvas.

    Returns:
        `Verdict`. Its numbers are, by stage:

        - all but `found`: `anchors`, how many were moved onto it, that is with an IoU of at least `SAME`, and
          `anchor_iou`, the best;
        - `pre_nms`: `objectness`, the best of those anchors, 0 to 1, its `rank` among all and the `limit`;
        - `proposal_nms`, `detection_nms`: `iou` of own and rival, and `allowed`;
        - `top_n`: `limit`, the proposals that are kept;
        - `class`, `moved`, `detection_nms`, `mask`, `limit`: `proposals` on it, `class_id` and `score`, by the class
          alone, of the surest of them;
        - `mask`: `with_mask`, the score that counts the mask;
        - `moved`: `iou` of own with the box that was looked for.

    Raises:
        ValueError: if the box has no area.
    """
    box = np.asarray(box, np.float64)
    if box.shape != (4,) or not (box[2] > box[0] and box[3] > box[1]):
        raise ValueError(f"the box is {box.tolist()}, expected y1, x1, y2, x2 with y2 > y1 and x2 > x1")
    found = box_iou(seen.found_boxes, box[None])[:, 0]
    if found.size and found.max() >= SAME:
        row = int(found.argmax())
        return Verdict("found", box, seen.found_boxes[row], row=row, numbers={"iou": float(found[row])})

    overlap = box_iou(seen.moved, box[None])[:, 0]
    numbers = {"anchors": int((overlap >= SAME).sum()), "anchor_iou": float(overlap.max())}
    if not numbers["anchors"]:
        return Verdict("anchors", box, seen.moved[overlap.argmax()], numbers=numbers)

    candidates = np.flatnonzero(overlap[seen.candidate_anchors] >= SAME)
    if not len(candidates):
        objectness = _objectness(seen)
        best = int(np.where(overlap >= SAME, objectness, -1).argmax())
        numbers |= {"objectness": float(objectness[best]), "rank": 1 + int((objectness > objectness[best]).sum())}
        return Verdict("pre_nms", box, seen.moved[best], numbers=numbers | {"limit": len(seen.candidates)})

    proposals = np.flatnonzero(box_iou(seen.proposals, box[None])[:, 0] >= SAME)
    if not len(proposals):
        return _lost_as_proposal(seen, box, candidates, numbers)
    return _lost_as_detection(seen, box, proposals, numbers | {"proposals": len(proposals)})


def _lost_as_proposal(seen, box, candidates, numbers):
    allowed = seen.config.proposal_nms_iou
    overlaps = box_iou(seen.candidates[candidates], seen.proposals)
    overlaps[candidates[:, None] <= seen.proposal_candidates] = 0  # only a surer box suppresses
    for candidate, row in zip(candidates, overlaps, strict=True):
        if row.max() <= allowed:
            limit = {"limit": len(seen.proposals)}
            return Verdict("top_n", box, seen.candidates[candidate], numbers=numbers | limit)
    numbers |= {"iou": float(overlaps[0].max()), "allowed": allowed}
    rival = seen.proposals[overlaps[0].argmax()]
    return Verdict("proposal_nms", box, seen.candidates[candidates[0]], rival, numbers=numbers)


def _lost_as_detection(seen, box, proposals, numbers):
    scores = seen.probabilities[proposals, 1:]
    # Of the sure ones, the first that lies on the object decides; if all lie elsewhere, the surest does.
    surest = [np.unravel_index(place, scores.shape) for place in np.argsort(-scores, axis=None)]
    tried = [(proposals[row], column + 1, float(scores[row, column])) for row, column in surest]
    sure = [trial for trial in tried if trial[2] >= seen.confidence]
    on_it = [trial for trial in sure if box_iou(seen.refined[trial[0], trial[1]][None], box[None])[0, 0] >= SAME]
    proposal, class_id, score = (on_it or sure or tried)[0]
    own = seen.refined[proposal, class_id]
    numbers |= {"class_id": int(class_id), "score": score}
    if not sure:
        return Verdict("class", box, own, numbers=numbers)
    overlaps = _overlaps(own, class_id, seen.found_boxes, seen.detections.class_ids)
    row = int(overlaps.argmax()) if overlaps.size else None
    if not on_it:
        numbers |= {"iou": float(box_iou(own[None], box[None])[0, 0])}
        row = row if row is not None and overlaps[row] >= SAME else None
        return Verdict("moved", box, own, None if row is None else seen.found_boxes[row], row, numbers)
    allowed = seen.config.detection_nms_iou
    if row is not None and overlaps[row] > allowed:
        numbers |= {"iou": float(overlaps[row]), "allowed": allowed}
        return Verdict("detection_nms", box, own, seen.found_boxes[row], row, numbers)
    overlaps = _overlaps(own, class_id, seen.unsure_boxes, seen.unsure_class_ids)
    if overlaps.size and overlaps.max() >= SAME:
        with_mask = float(seen.unsure_scores[overlaps.argmax()])
        return Verdict("mask", box, own, numbers=numbers | {"with_mask": with_mask})
    return Verdict("limit", box, own, numbers=numbers | {"limit": seen.limit})


def _overlaps(own, class_id, boxes, class_ids):
    """IoU of a box with each of the boxes, float `(N,)`; 0 with those of another class."""
    return np.where(class_ids == class_id, box_iou(boxes, own[None])[:, 0], 0)


def _objectness(seen):
    return np.concatenate([level.reshape(-1) for level in seen.objectness])
