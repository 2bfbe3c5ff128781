"""What every stage of the network hands on to the next, in one run on one image.

For looking at, so it runs step by step and not as a compiled graph; the numbers are the same within rounding.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from mrcnn.results.detections import Detections


@dataclasses.dataclass(frozen=True)
class Inspection:
    """One run of the network; all boxes are `y1, x1, y2, x2` in pixels of the canvas.

    Attributes:
        canvas: uint8 `(H, W, 3)`. What the network read.
        window: `(top, left, bottom, right)` of the image in the canvas.
        levels: list of float32 `(H / 2^k, W / 2^k, C)`, the pyramid from P2 to P6.
        strides: list of int. Pixels a cell of the levels that have anchors, finest first.
        objectness: list of float32 `(h, w, A)`, one for each of these levels: probability that an anchor holds
            an object.
        anchors: list of float32 `(h, w, A, 4)`.
        candidates: float32 `(K, 4)`. The most probable anchors, moved by the proposal head, before suppression; best
            first.
        proposals: float32 `(P, 4)`. Those of them that suppression left.
        pooled: float32 `(P, S, S, C)`. What RoIAlign read for each proposal.
        probabilities: float32 `(P, classes)`. Of each class, background first; rows sum to 1.
        detections: `Detections` of the original image.
    """

    canvas: np.ndarray
    window: tuple
    levels: list
    strides: list
    objectness: list
    anchors: list
    candidates: np.ndarray
    proposals: np.ndarray
    pooled: np.ndarray
    probabilities: np.ndarray
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
    levels, fine_features = network.features(tf.constant(canvas[None]))
    logits, deltas = network.proposal_head(network.proposal_levels(levels))
    anchors = network.anchors(levels)

    def propose(post_nms_top_n, nms_iou):
        return network.decode_proposals(logits, deltas, anchors, shape, config.pre_nms_top_n, post_nms_top_n, nms_iou)

    # No two boxes overlap by more than all of their area, so at an IoU of 1 nothing is suppressed.
    candidates = propose(min(config.pre_nms_top_n, len(anchors)), 1.0)[0]
    proposals = propose(config.post_nms_top_n, config.proposal_nms_iou)
    pooled = network.pool(levels[:4], proposals[0], tf.zeros(config.post_nms_top_n, tf.int32), config.box_pool_size)
    probabilities = tf.nn.softmax(network.box_head(pooled)[0])
    windows = tf.constant([window], tf.float32)
    found = network.with_masks(
        levels, fine_features, *network.select(levels, proposals, shape, confidence, limit, windows)
    )

    real = tf.where((proposals[0, :, 2] > proposals[0, :, 0]) & (proposals[0, :, 3] > proposals[0, :, 1]))[:, 0]
    level_shapes = [level.shape[1:3] for level in network.proposal_levels(levels)]
    per_cell = len(config.anchor_scales) * len(config.anchor_ratios)
    ends = np.cumsum([height * width * per_cell for height, width in level_shapes])[:-1]

    def by_level(values):
        return [
            part.reshape(*level_shape, per_cell, *part.shape[1:])
            for part, level_shape in zip(np.split(values.numpy(), ends), level_shapes, strict=True)
        ]

    stages = {
        "canvas": canvas,
        "window": tuple(window),
        "levels": [level[0].numpy() for level in levels],
        "strides": network.proposal_strides,
        "objectness": by_level(tf.nn.softmax(logits[0])[:, 1]),
        "anchors": by_level(network.to_pixels(anchors, shape)),
        "candidates": network.to_pixels(candidates, shape).numpy(),
        "proposals": network.to_pixels(tf.gather(proposals[0], real), shape).numpy(),
        "pooled": tf.gather(pooled, real).numpy(),
        "probabilities": tf.gather(probabilities, real).numpy(),
    }
    return {name: values.numpy() for name, values in found.items()}, stages
