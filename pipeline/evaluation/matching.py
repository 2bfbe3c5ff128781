"""Which detections of a photo are right, photo by photo: for the figures that COCO's average over all photos hides."""

import dataclasses

import numpy as np

LEAST_IOU = 0.5  # mask overlap from which a detection counts as right
NO_EDGES = np.zeros((0, 2))


@dataclasses.dataclass(frozen=True)
class PhotoMatch:
    """The detections of one photo, compared with what it shows.

    Attributes:
        instances: int. Instances of the photo, without ignore regions.
        scores: float `(D,)` descending. Detections without those on ignore regions.
        ious: float `(D,)`. Mask IoU of a detection with its instance, box IoU where that is box-only; 0 for a false
            alarm.
        boundary_ious: float `(D,)`. Boundary IoU of the same pairs, see `pipeline.evaluation.boundary`; 0 for a false
            alarm.
        edges: list of D float arrays `(E, 2)`. The `edge_covers` of the same pairs; empty for a false alarm.
    """

    instances: int
    scores: np.ndarray
    ious: np.ndarray
    boundary_ious: np.ndarray
    edges: list

    def found(self, confidence):
        """IoUs of the instances found by detections of at least this score, float `(F,)`."""
        return self.ious[(self.scores >= confidence) & (self.ious > 0)]

    def boundaries(self, confidence):
        """Boundary IoUs of the same instances as `found`, float `(F,)`."""
        return self.boundary_ious[(self.scores >= confidence) & (self.ious > 0)]

    def edge_covers(self, confidence):
        """Covers at the edges that cut the same instances off, float `(E, 2)`, see `pipeline.evaluation.edges`."""
        shown = [covers for score, covers in zip(self.scores, self.edges, strict=True) if score >= confidence]
        return np.concatenate([np.zeros((0, 2)), *shown])

    def false_alarms(self, confidence):
        """Number of detections of at least this score that match no instance."""
        return int(np.sum((self.scores >= confidence) & (self.ious == 0)))

    def shows_anything(self, confidence):
        """Whether any detection has at least this score."""
        return bool(np.any(self.scores >= confidence))

    def quality(self, confidence):
        """Panoptic quality, 0 to 1: IoUs of what is found over the mean number of instances and detections.

        Paper: Kirillov et al., "Panoptic Segmentation", 2019, section 4.1. A photo without instances has 1 if nothing
        is shown and 0 otherwise.
        """
        found = self.found(confidence)
        detections = len(found) + self.false_alarms(confidence)
        if self.instances + detections == 0:
            return 1.0
        return float(found.sum() / (0.5 * (self.instances + detections)))


def match_photos(truth, results):
    """Match the detections of every photo, best score first, each to the free instance that it overlaps most.

    Args:
        truth: `pycocotools.coco.COCO`.
        results: list of dict in COCO's results format, masks as RLE.

    Returns:
        dict from each image id to its `PhotoMatch`.
    """
    detections = {image_id: [] for image_id in truth.imgs}
    for row in results:
        detections[row["image_id"]].append(row)
    return {image_id: _match(truth, image_id, rows) for image_id, rows in detections.items()}


def _match(truth, image_id, detections):
    from pycocotools import mask as coco_mask

    from pipeline.evaluation.boundary import boundary
    from pipeline.evaluation.edges import edge_covers

    rows = truth.loadAnns(truth.getAnnIds(imgIds=[image_id]))
    rows.sort(key=lambda row: bool(row.get("iscrowd")))  # ignore regions last
    crowd = [bool(row.get("iscrowd")) for row in rows]
    instances = len(rows) - sum(crowd)
    detections = sorted(detections, key=lambda row: -row["score"])
    if not rows or not detections:
        scores, none = np.array([row["score"] for row in detections]), np.zeros(len(detections))
        return PhotoMatch(instances, scores, none, none, [NO_EDGES] * len(detections))
    # For an ignore region this is the share of the detection that lies in it.
    found_masks, masks = [row["segmentation"] for row in detections], [truth.annToRLE(row) for row in rows]
    overlaps = coco_mask.iou(found_masks, masks, crowd)
    box_only = [bool(row.get("box_only")) for row in rows]
    if any(box_only):
        found_boxes, boxes = (np.array([row["bbox"] for row in of], np.float64) for of in (detections, rows))
        overlaps = np.where(box_only, coco_mask.iou(found_boxes, boxes, crowd), overlaps)
    same_class = np.array([[row["category_id"] == other["category_id"] for other in rows] for row in detections])
    overlaps = np.where(same_class, overlaps, 0.0)
    free = np.ones(instances, bool)
    scores, ious, boundary_ious, edges = [], [], [], []
    for detection, overlap, found_mask in zip(detections, overlaps, found_masks, strict=True):
        usable = np.where(free, overlap[:instances], 0.0)
        best = int(usable.argmax()) if instances else 0
        if instances and usable[best] >= LEAST_IOU:
            free[best] = False
            iou = usable[best]
            boundary_iou = coco_mask.iou([boundary(found_mask)], [boundary(masks[best])], [False])[0, 0]
            covers = NO_EDGES if box_only[best] else edge_covers(*map(coco_mask.decode, (masks[best], found_mask)))
        elif (overlap[instances:] >= LEAST_IOU).any():
            continue
        else:
            iou = boundary_iou = 0.0
            covers = NO_EDGES
        scores.append(detection["score"])
        ious.append(iou)
        boundary_ious.append(boundary_iou)
        edges.append(covers)
    return PhotoMatch(instances, np.array(scores), np.array(ious), np.array(boundary_ious), edges)
