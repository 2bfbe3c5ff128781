"""What every stage of the network hands on to the next, in one run on one image.

For looking at, so it runs step by step and not as a compiled graph; the numbers are the same within rounding.
"""

import dataclasses
import time

import numpy as np
import tensorflow as tf

from mrcnn import boxes as box_ops
from mrcnn.config import Config
from mrcnn.region_proposals import ANCHOR_VARIANCE
from mrcnn.results.detections import Detections


@dataclasses.dataclass(frozen=True)
class Inspection:
    """One run of the network; all boxes are `y1, x1, y2, x2` in pixels of the canvas, cut to it but for the anchors.

    R is the number of anchors a cell, A that of all anchors, level after level, K that of candidates, P of proposals
    and N of detections.

    Attributes:
        config: `mrcnn.config.Config` of the network.
        confidence: float. The lowest score that was asked for, 0 to 1.
        limit: int. The most detections that were asked for.
        canvas: uint8 `(H, W, 3)`. What the network read.
        window: `(top, left, bottom, right)` of the image in the canvas.
        levels: list of float32 `(H / 2^k, W / 2^k, C)`, the pyramid from P2 to P6.
        strides: list of int. Pixels a cell of the levels that have anchors, finest first.
        objectness: list of float32 `(h, w, R)`, one for each of these levels: probability that an anchor holds
            an object.
        anchors: list of float32 `(h, w, R, 4)`.
        moved: float32 `(A, 4)`. All anchors, moved by the proposal head.
        candidate_anchors: int `(K,)`. Rows of `moved` that entered suppression, the most probable first.
        candidates: float32 `(K, 4)`. These rows.
        proposals: float32 `(P, 4)`. Those of them that suppression left.
        proposal_candidates: int `(P,)`. Which candidate each is, ascending.
        pooled: float32 `(P, S, S, C)`. What RoIAlign read for each proposal.
        probabilities: float32 `(P, classes)`. Of each class, background first; rows sum to 1.
        refined: float32 `(P, classes, 4)`. Where the box head moved each proposal, were it of that class; onto the
            edge of the photo where that is near.
        found_boxes: float32 `(N, 4)`. Boxes of the detections.
        found_proposals: int `(N,)`. The proposal that each detection was made of.
        unsure_boxes: float32 `(U, 4)`. Boxes of what would be detections, had their scores not fallen below the
            confidence when the masks were counted, see `mrcnn.mask_scoring`.
        unsure_scores: float32 `(U,)`. Those scores.
        unsure_class_ids: int32 `(U,)`.
        milliseconds: dict from a stage (`"letterbox"`, `"features"`, `"anchors"`, `"proposal_head"`, `"moved"`,
            `"proposals"`, `"pool"`, `"box_head"`, `"detections"`, `"masks"`) to float, the time it took in this run,
            which is slower than a compiled one.
        detections: `Detections` of the original image.
    """

    config: Config
    confidence: float
    limit: int
    canvas: np.ndarray
    window: tuple
    levels: list
    strides: list
    objectness: list
    anchors: list
    moved: np.ndarray
    candidate_anchors: np.ndarray
    candidates: np.ndarray
    proposals: np.ndarray
    proposal_candidates: np.ndarray
    pooled: np.ndarray
    probabilities: np.ndarray
    refined: np.ndarray
    found_boxes: np.ndarray
    found_proposals: np.ndarray
    unsure_boxes: np.ndarray
    unsure_scores: np.ndarray
    unsure_class_ids: np.ndarray
    milliseconds: dict
    detections: Detections


def inspect(network, canvas, window, confidence, limit):
    """Runs the network on one canvas and keeps what each stage computed.

    Args:
        network: `mrcnn.network.Network`.
        canvas: uint8 `(H, W, 3)`; H and W multiples of 32.
        window: `(top, left, bottom, right)` of the image in it.
        confidence: float. Lowest score of a detection, 0 to 1.
        limit: int. Most detections.

    Returns:
        What `Network.detect` gives as arrays, and the dict of all other fields of `Inspection`.
    """
    config, shape = network.config, canvas.shape[:2]
    took = _Stopwatch()
    levels, fine_features = took("features", network.features, tf.constant(canvas[None]))
    logits, deltas = took("proposal_head", network.proposal_head, network.proposal_levels(levels))
    anchors = took("anchors", network.anchors, levels)
    limits = config.pre_nms_top_n, config.post_nms_top_n, config.proposal_nms_iou
    proposals = took("proposals", network.decode_proposals, logits, deltas, anchors, shape, *limits)
    box_indices = tf.zeros(config.post_nms_top_n, tf.int32)
    pooled = took("pool", network.pool, levels[:4], proposals[0], box_indices, config.box_pool_size)
    class_logits, box_deltas = took("box_head", network.box_head, pooled)
    windows = tf.constant([window], tf.float32)
    batch = class_logits[None], box_deltas[None], proposals, shape, windows, confidence, limit
    selected = took("detections", network.decode_detections, *batch)
    drawn = took("masks", network.with_masks, levels, fine_features, *selected, 0.0)
    drawn = {name: values.numpy() for name, values in drawn.items()}
    sure = drawn["scores"] >= confidence
    found, unsure = ({name: values[rows] for name, values in drawn.items()} for rows in (sure, ~sure))

    def in_pixels(boxes):
        return box_ops.clip(network.to_pixels(boxes, shape), *shape).numpy()

    moved = in_pixels(took("moved", box_ops.decode, deltas[0], anchors, ANCHOR_VARIANCE))
    order = tf.math.top_k(logits[0, :, 1] - logits[0, :, 0], min(config.pre_nms_top_n, len(anchors))).indices.numpy()
    real = np.flatnonzero(_areas(proposals[0].numpy()) > 0)
    boxes = in_pixels(tf.gather(proposals[0], real))
    refined = box_ops.decode(box_deltas, proposals[0, :, None], config.box_variance)
    refined = in_pixels(network.move_to_edges(tf.gather(refined, real), windows))
    probabilities = tf.gather(tf.nn.softmax(class_logits), real).numpy()
    found_boxes, unsure_boxes = (box_ops.clip(rows["boxes"], *shape).numpy() for rows in (found, unsure))
    # What became what is told by the boxes: each stage only moves or drops those of the one before.
    kinds = zip(found_boxes, found["class_ids"], strict=True)
    made_of = [_nearest(box, refined[:, class_id]) for box, class_id in kinds]

    level_shapes = [level.shape[1:3] for level in network.proposal_levels(levels)]
    per_cell = len(config.anchor_scales) * len(config.anchor_ratios)
    ends = np.cumsum([height * width * per_cell for height, width in level_shapes])[:-1]

    def by_level(values):
        return [
            part.reshape(*level_shape, per_cell, *part.shape[1:])
            for part, level_shape in zip(np.split(values.numpy(), ends), level_shapes, strict=True)
        ]

    stages = {
        "config": config,
        "confidence": confidence,
        "limit": limit,
        "canvas": canvas,
        "window": tuple(window),
        "levels": [level[0].numpy() for level in levels],
        "strides": network.proposal_strides,
        "objectness": by_level(tf.nn.softmax(logits[0])[:, 1]),
        "anchors": by_level(network.to_pixels(anchors, shape)),
        "moved": moved,
        "candidate_anchors": order,
        "candidates": moved[order],
        "proposals": boxes,
        "proposal_candidates": np.array([_nearest(box, moved[order]) for box in boxes], int),
        "pooled": tf.gather(pooled, real).numpy(),
        "probabilities": probabilities,
        "refined": refined,
        "found_boxes": found_boxes,
        "found_proposals": np.array(made_of, int),
        "unsure_boxes": unsure_boxes,
        "unsure_scores": unsure["scores"],
        "unsure_class_ids": unsure["class_ids"],
        "milliseconds": took.milliseconds,
    }
    return found, stages


class _Stopwatch:
    """Calls functions and notes how long they took."""

    def __init__(self):
        self.milliseconds = {}

    def __call__(self, name, function, *arguments):
        start = time.perf_counter()
        result = function(*arguments)
        self.milliseconds[name] = 1000 * (time.perf_counter() - start)
        return result


def _areas(boxes):
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def _nearest(box, boxes):
    """Row of `boxes` `(N, 4)` that is most like `box` `(4,)`."""
    return int(np.abs(boxes - box).sum(axis=1).argmin())
