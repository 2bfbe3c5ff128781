"""From a batch to its losses: features, targets for sampled anchors and proposals, and the losses of each head.

Papers: Ren et al., "Faster R-CNN", 2015, section 3.1; He et al., "Mask R-CNN", 2017, section 3.
"""

import dataclasses

import tensorflow as tf

from mrcnn import losses, targets
from mrcnn.region_proposals import ANCHOR_VARIANCE
from mrcnn.results.boxes import expand_boxes


@dataclasses.dataclass(frozen=True)
class Sampling:
    """How many anchors and proposals of each image enter the losses of a training step.

    Attributes:
        anchors: int. Sampled anchors an image, at most half of them positive.
        pre_nms_top_n: int. Anchors that enter non-maximum suppression in training.
        proposals: int. Proposals that leave it in training.
        boxes: int. Sampled proposals an image, at most a quarter of them positive.
        masks: int. Positive proposals an image whose masks are trained.
        positive_iou: float. IoU with a true box from which on an anchor is positive.
        negative_iou: float. IoU below which an anchor is negative; between the two it does not count.
    """

    anchors: int = 128
    pre_nms_top_n: int = 600
    proposals: int = 150
    boxes: int = 64
    masks: int = 8
    positive_iou: float = 0.6
    negative_iou: float = 0.3


def training_losses(network, images, truth, seeds, sampling=None):
    """The five losses of a batch.

    Args:
        network: `mrcnn.network.Network`.
        images: uint8 `(B, H, W, 3)`. RGB; H and W multiples of 32.
        truth: dict of `boxes` float `(B, M, 4)`, `class_ids` int32 `(B, M)`, `masks` uint8 `(B, M, S, S)` and
            `known` float `(B, M, 4)`, padded as `mrcnn.targets` says.
        seeds: int32 `(B, 2)`. Each decides which anchors and proposals of its image are sampled, whatever else is
            in the batch.
        sampling: `Sampling` or `None`. Defaults to `Sampling()`.

    Returns:
        dict from each name in `mrcnn.losses.NAMES` to `(total, count)`, see there.
    """
    sampling = sampling or Sampling()
    batch = tf.shape(images)[0]
    shape = tf.unstack(tf.shape(images)[1:3])
    levels, fine_features = network.features(images)
    true_pixels = truth["boxes"]
    truth = {**truth, "boxes": network.from_pixels(true_pixels, shape)}
    logits, deltas = network.proposal_head(network.proposal_levels(levels))
    anchors = network.anchors(levels)

    # Region proposals: objectness and box deltas of sampled anchors.
    rows, labels, anchor_targets = _anchor_targets(network, anchors, truth, seeds, sampling)
    sampled_logits, sampled_deltas = (tf.gather(values, rows, batch_dims=1) for values in (logits, deltas))
    sums = {
        "objectness": losses.cross_entropy(sampled_logits, tf.maximum(labels, 0), labels),
        "anchor_box": losses.smooth_l1(sampled_deltas, anchor_targets, labels, beta=1.0),
    }

    # Box head: classes and boxes of sampled proposals.
    proposals = network.decode_proposals(
        logits,
        deltas,
        anchors,
        shape,
        sampling.pre_nms_top_n,
        sampling.proposals,
        network.config.proposal_nms_iou,
    )
    # Proposals are where the box head looks, not something it could improve: no gradient flows through them.
    proposal_seeds = tf.bitwise.invert(seeds)  # any others would do: two draws that have nothing in common
    sampled = _proposal_targets(network, tf.stop_gradient(proposals), truth, proposal_seeds, sampling)
    regions, labels, class_ids, box_targets, matched = sampled
    box_indices = tf.repeat(tf.range(batch), sampling.boxes)
    logits, deltas = network.classify(levels, tf.reshape(regions, (-1, 4)), box_indices)
    flat_ids, flat_labels = tf.reshape(class_ids, (-1,)), tf.reshape(labels, (-1,))
    deltas = tf.gather(deltas, flat_ids, batch_dims=1)
    sums["class"] = losses.cross_entropy(logits, flat_ids, flat_labels)
    sums["box"] = losses.smooth_l1(deltas, tf.reshape(box_targets, (-1, 4)), flat_labels, beta=1.0)

    # Mask head: only positives, which the samples begin with.
    first_rows = slice(None), slice(sampling.masks)
    with_mask = tf.where(labels[first_rows] == targets.POSITIVE)
    box_indices = tf.cast(with_mask[:, 0], tf.int32)
    regions, class_ids, matched = (
        tf.gather_nd(values[first_rows], with_mask) for values in (regions, class_ids, matched)
    )
    true_rows = tf.stack([box_indices, matched], axis=-1)
    mask_truth, known = targets.mask_targets(
        tf.gather_nd(truth["masks"], true_rows),
        tf.gather_nd(true_pixels, true_rows),
        tf.gather_nd(truth["known"], true_rows),
        expand_boxes(network.to_pixels(regions, shape), network.config.mask_margin),
        network.config.mask_size,
    )
    logits = network.mask_logits(levels, fine_features, regions, box_indices, class_ids)
    sums["mask"] = losses.mask_loss(logits, mask_truth, known)
    return sums


def _anchor_targets(network, anchors, truth, seeds, sampling):
    """Sampled anchors of each image: rows int32 `(B, K)`, labels int32 `(B, K)`, deltas float `(B, K, 4)`."""

    def one(inputs):
        boxes, class_ids, seed = inputs
        labels, matched = targets.match(
            anchors,
            boxes,
            class_ids,
            sampling.positive_iou,
            sampling.negative_iou,
            allow_low_quality_matches=True,
        )
        rows, labels = targets.sample(labels, sampling.anchors, 0.5, seed)
        true_boxes = tf.gather(boxes, tf.gather(matched, rows))
        return rows, labels, network.encode_boxes(true_boxes, tf.gather(anchors, rows), ANCHOR_VARIANCE)

    count = sampling.anchors
    signature = (
        tf.TensorSpec((count,), tf.int32),
        tf.TensorSpec((count,), tf.int32),
        tf.TensorSpec((count, 4), tf.float32),
    )
    return tf.map_fn(one, (truth["boxes"], truth["class_ids"], seeds), fn_output_signature=signature)


def _proposal_targets(network, proposals, truth, seeds, sampling):
    """Sampled proposals: regions, labels, classes (0 = background), deltas and rows of the true instances."""

    def one(inputs):
        proposals, boxes, class_ids, seed = inputs
        # The true boxes are proposals too: early in training nothing else would overlap them.
        real = tf.where((class_ids > 0)[:, None], boxes, 0.0)
        candidates = tf.concat([proposals, real], axis=0)
        labels, matched = targets.match(candidates, boxes, class_ids, 0.5, 0.5)
        rows, labels = targets.sample(labels, sampling.boxes, 0.25, seed)
        regions, matched = tf.gather(candidates, rows), tf.gather(matched, rows)
        class_ids = tf.where(labels == targets.POSITIVE, tf.gather(class_ids, matched), 0)
        deltas = network.encode_boxes(tf.gather(boxes, matched), regions, network.config.box_variance)
        return regions, labels, class_ids, deltas, matched

    count = sampling.boxes
    ints, quads = tf.TensorSpec((count,), tf.int32), tf.TensorSpec((count, 4), tf.float32)
    return tf.map_fn(
        one,
        (proposals, truth["boxes"], truth["class_ids"], seeds),
        fn_output_signature=(quads, ints, ints, quads, ints),
    )
