"""Targets: the label and the true box of each anchor and proposal, and which of them are sampled.

Matching compares boxes with the true boxes; sampling then picks a few of each kind, since nearly all are background.
All functions treat one image; `training_losses.py` maps them over the batch. True instances come padded:

    boxes      float (M, 4)    pixels
    class_ids  int32 (M,)      1-based; 0 = padding, -1 = ignore region (a crowd, or too small to learn from)
    masks      uint8 (M, S, S) the instance inside its own box, stretched to S x S, 0 to 255
    known      float (M, 4)    pixels; where it is known what belongs to the instance and what does not: the photo on
                               its canvas, or nothing (zeros) where an instance has a box and no mask

Sampling is stateless: the same seed gives the same sample, so that a resumed training run repeats itself exactly.

Paper: Ren et al., "Faster R-CNN", 2015, sections 3.1.2 and 3.2; Girshick, "Fast R-CNN", 2015, section 2.3.
"""

import tensorflow as tf

from mrcnn import boxes as box_ops

POSITIVE, NEGATIVE, IGNORED = 1, 0, -1
IGNORE_IOA = 0.5  # what lies in an ignore region by more than this share is neither right nor wrong


def match(candidates, boxes, class_ids, positive_iou, negative_iou, allow_low_quality_matches=False):
    """Find the true instance that each candidate box stands for.

    Args:
        candidates: float `(N, 4)`. Anchors or proposals.
        boxes: float `(M, 4)`. True boxes.
        class_ids: int32 `(M,)`. See the module.
        positive_iou: float. From this overlap on a candidate is positive.
        negative_iou: float. Below this overlap a candidate is negative; between the two it is ignored.
        allow_low_quality_matches: bool. Whether the candidates that overlap a true box most (within 1e-4) are positive
            whatever their overlap, as long as there is any. They are matched to that box even where they overlap
            another one more; a candidate that is the best of several true boxes goes to the one it overlaps most, and
            the others may get none. Defaults to `False`.

    Returns:
        int32 `(N,)` labels POSITIVE, NEGATIVE or IGNORED, and int32 `(N,)` the row of the matched true box.
    """
    real = class_ids > 0
    overlaps = tf.where(real, box_ops.iou(candidates, boxes), -1.0)
    matched = tf.argmax(overlaps, axis=-1, output_type=tf.int32)
    best = tf.reduce_max(overlaps, axis=-1)
    labels = tf.where(best >= positive_iou, POSITIVE, tf.where(best < negative_iou, NEGATIVE, IGNORED))
    if allow_low_quality_matches:
        reached = tf.reduce_max(overlaps, axis=0)
        best_for_box = (overlaps >= reached - 1e-4) & (reached > 0.0) & real
        is_best = tf.reduce_any(best_for_box, axis=-1)
        # Of several boxes that it is the best for, the one it overlaps most, whatever their order.
        reached_by = tf.argmax(tf.where(best_for_box, overlaps, -1.0), axis=-1, output_type=tf.int32)
        matched = tf.where(is_best, reached_by, matched)
        labels = tf.where(is_best, POSITIVE, labels)
    regions = tf.where((class_ids < 0)[:, None], boxes, 0.0)
    in_region = box_ops.ioa(candidates, regions) > IGNORE_IOA
    empty = box_ops.area(candidates) <= 0.0
    return tf.where(empty | (in_region & (labels != POSITIVE)), IGNORED, labels), matched


def sample(labels, count, positive_share, seed):
    """Pick at random up to `count` candidates, at most `positive_share` of them positive, the rest negative.

    Args:
        labels: int32 `(N,)` from `match`.
        count: int. Size of the sample.
        positive_share: float. 0 to 1.
        seed: int32 `(2,)`.

    Returns:
        int32 `(count,)` rows, positives first, and int32 `(count,)` their labels, IGNORED where there were too few:
        such a row may be any.
    """
    too_few = tf.maximum(count - tf.size(labels), 0)
    labels = tf.pad(labels, [[0, too_few]], constant_values=IGNORED)
    chance = tf.random.stateless_uniform(tf.shape(labels), seed)
    scores, rows = tf.math.top_k(tf.where(labels == POSITIVE, chance, -1.0), int(count * positive_share))
    chosen = tf.scatter_nd(rows[:, None], tf.cast(scores >= 0.0, tf.float32), tf.shape(labels)) > 0.0
    order = tf.where(chosen, 2.0 + chance, tf.where(labels == NEGATIVE, chance, -1.0))
    order, rows = tf.math.top_k(order, count)
    rows = tf.minimum(rows, tf.size(labels) - too_few - 1)
    return rows, tf.where(order >= 2.0, POSITIVE, tf.where(order >= 0.0, NEGATIVE, IGNORED))


def mask_targets(masks, boxes, known, regions, size):
    """The part of each true mask that lies in a region, on a `size` x `size` grid, and which of its cells are known.

    A cell beyond the photo is unknown, not empty: taught as empty, masks would end before the photo does. All cells of
    an instance without a mask are unknown: it teaches what it is and where, not its outline, as in Hu et al.,
    "Learning to Segment Every Thing", 2018 (https://arxiv.org/abs/1711.10370).

    Args:
        masks: uint8 `(K, S, S)`. One true mask for each region, see the module.
        boxes: float `(K, 4)`. The box that each mask fills.
        known: float `(K, 4)`. See the module.
        regions: float `(K, 4)`. Where the mask head looks.
        size: int.

    Returns:
        float `(K, size, size)` targets, 0 or 1, and float `(K, size, size)`, 1 where the centre of a cell is known,
        else 0.
    """
    cells = tf.cast(tf.shape(masks)[1], tf.float32)
    top, left, bottom, right = tf.unstack(boxes, axis=-1)
    origin = tf.stack([top, left, top, left], axis=-1)
    extent = tf.maximum(tf.stack([bottom - top, right - left] * 2, axis=-1), 1e-3)
    # Centres of the first and the last cell of the grid, in cells of the mask. crop_and_resize counts from cell centre
    # to cell centre, with 0 the first and 1 the last, and puts samples on both ends of its box. A ring of cells that
    # repeats the outermost ones lets samples between those and the edge of the box have their value.
    y1, x1, y2, x2 = tf.unstack((regions - origin) / extent * cells, axis=-1)
    half_y, half_x = 0.5 * (y2 - y1) / size, 0.5 * (x2 - x1) / size
    ends = tf.stack([y1 + half_y, x1 + half_x, y2 - half_y, x2 - half_x], axis=-1) + 0.5
    ringed = tf.pad(tf.cast(masks, tf.float32), [[0, 0], [1, 1], [1, 1]], "SYMMETRIC")[..., None]
    rows = tf.range(tf.shape(masks)[0])
    values = tf.image.crop_and_resize(ringed, ends / (cells + 1.0), rows, (size, size), extrapolation_value=0.0)
    targets = (values[..., 0] >= 127.5) & _centres_within(regions, boxes, size)
    return tf.cast(targets, tf.float32), tf.cast(_centres_within(regions, known, size), tf.float32)


def _centres_within(regions, boxes, size):
    """Which cells of `size` x `size` grids over regions `(K, 4)` have their centres in boxes `(K, 4)`: bool."""
    y1, x1, y2, x2 = tf.unstack(regions[:, None], axis=-1)  # (K, 1)
    top, left, bottom, right = tf.unstack(boxes[:, None], axis=-1)
    share = (tf.range(size, dtype=tf.float32) + 0.5) / size
    y, x = y1 + (y2 - y1) * share, x1 + (x2 - x1) * share  # (K, size)
    return ((y >= top) & (y < bottom))[:, :, None] & ((x >= left) & (x < right))[:, None, :]
