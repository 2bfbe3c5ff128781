"""The five losses of Mask R-CNN: objectness, anchor boxes, classes, boxes, masks.

Each function returns `(total, count)`, two float scalars. The loss is `total / count`; they stay apart so that several
devices can add up both before dividing, and a batch split over devices has the loss of the whole batch.

Papers: Ren et al., "Faster R-CNN", 2015, equation 1; He et al., "Mask R-CNN", 2017, section 3.
"""

import tensorflow as tf

from mrcnn.targets import IGNORED, POSITIVE

NAMES = ("objectness", "anchor_box", "class", "box", "mask")
NO_CELL = -20.0  # logit in the place of a cell that is not known, where the greatest of a line is taken


def cross_entropy(logits, class_ids, labels):
    """Softmax cross-entropy over the sampled rows. For objectness and for classes.

    Args:
        logits: float `(..., classes)`.
        class_ids: int32 `(...,)`. True class, 0 = background.
        labels: int32 `(...,)`. Rows labelled IGNORED do not count.
    """
    sampled = tf.cast(labels != IGNORED, tf.float32)
    values = tf.nn.sparse_softmax_cross_entropy_with_logits(class_ids, logits)
    return tf.reduce_sum(values * sampled), tf.reduce_sum(sampled)


def smooth_l1(deltas, targets, labels, beta):
    """Smooth L1 between box deltas: quadratic below `beta`, linear above. For anchors and for boxes.

    Only positive rows have a box to be compared with, but the sum is divided by the number of all sampled rows, as in
    Fast R-CNN: otherwise an image with one positive row would weigh as much as one with a hundred.

    Args:
        deltas, targets: float `(..., 4)`.
        labels: int32 `(...,)`.
        beta: float > 0.
    """
    difference = tf.abs(deltas - targets)
    values = tf.where(difference < beta, 0.5 * difference**2 / beta, difference - 0.5 * beta)
    positive = tf.cast(labels == POSITIVE, tf.float32)
    return (
        tf.reduce_sum(tf.reduce_sum(values, axis=-1) * positive),
        tf.reduce_sum(tf.cast(labels != IGNORED, tf.float32)),
    )


def mask_loss(logits, targets, known):
    """Cross-entropy, dice and extent of the mask of the true class; other classes' masks do not take part.

    Cross-entropy asks of each cell by itself; dice asks, like the IoU that masks are judged by, for the overlap as a
    whole, so that a thin tail is not drowned by a large body's many easy cells. Dice: Milletari et al., "V-Net", 2016
    (https://arxiv.org/abs/1606.04797), equation 3 with squares. The extent asks of each row and each column whether it
    has any cell of the object: where a foot or an ear ends a mask is unsure of every single cell, and cut at one half
    it ends before the object does. It is the projection of Tian et al., "BoxInst", 2021
    (https://arxiv.org/abs/2012.02310), section 3.1, with cross-entropy.

    Args:
        logits: float `(K, S, S)`. K may be 0.
        targets: float `(K, S, S)`, 0 or 1.
        known: float `(K, S, S)`, 1 or 0. Cells with 0 do not take part, and masks that have no others do not count.
    """
    cells = tf.reduce_sum(known, axis=(1, 2))
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(targets, logits) * known
    entropy = tf.reduce_sum(entropy, axis=(1, 2)) / tf.maximum(cells, 1.0)
    found, shown = tf.sigmoid(logits) * known, targets * known
    shared = tf.reduce_sum(found * shown, axis=(1, 2))
    whole = tf.reduce_sum(found**2 + shown, axis=(1, 2))
    dice = 1.0 - 2.0 * shared / (whole + 1e-3)
    extent = (_extent_loss(logits, targets, known, 1) + _extent_loss(logits, targets, known, 2)) / 2.0
    counted = tf.cast(cells > 0.0, tf.float32)
    return tf.reduce_sum((entropy + dice + extent) * counted), tf.reduce_sum(counted)


def _extent_loss(logits, targets, known, axis):
    """Cross-entropy `(K,)` of whether there is any cell of the object along an axis, the mean of the known lines."""
    lines = tf.reduce_max(known, axis=axis)
    logits = tf.reduce_max(tf.where(known > 0.0, logits, NO_CELL), axis=axis)
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(tf.reduce_max(targets * known, axis=axis), logits) * lines
    return tf.reduce_sum(entropy, axis=1) / tf.maximum(tf.reduce_sum(lines, axis=1), 1.0)
