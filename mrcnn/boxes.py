"""Box arithmetic: areas, overlaps, and the deltas in which the network speaks of boxes.

A box is `y1, x1, y2, x2` in pixels, the far edges exclusive, so that its height is `y2 - y1`. All functions take
float32 tensors `(..., N, 4)` and broadcast over the leading axes.
"""

import tensorflow as tf

# exp() of more than this would overflow on a wild delta: an anchor grows by at most 1000 / 16.
LARGEST_LOG_SCALE = 4.135
SMALLEST_SIDE = 1e-3  # pixels; keeps divisions and logarithms finite


def area(boxes):
    """Areas `(..., N)` in square pixels; 0 for degenerate boxes."""
    y1, x1, y2, x2 = tf.unstack(boxes, axis=-1)
    return tf.maximum(y2 - y1, 0.0) * tf.maximum(x2 - x1, 0.0)


def intersection(boxes, others):
    """Areas `(..., N, M)` that each of `(..., N, 4)` shares with each of `(..., M, 4)`."""
    y1, x1, y2, x2 = tf.split(boxes, 4, axis=-1)
    oy1, ox1, oy2, ox2 = (tf.squeeze(edge, -1)[..., None, :] for edge in tf.split(others, 4, axis=-1))
    height = tf.maximum(tf.minimum(y2, oy2) - tf.maximum(y1, oy1), 0.0)
    width = tf.maximum(tf.minimum(x2, ox2) - tf.maximum(x1, ox1), 0.0)
    return height * width


def iou(boxes, others):
    """Intersection over union `(..., N, M)`, 0 to 1. Empty boxes overlap nothing."""
    shared = intersection(boxes, others)
    union = area(boxes)[..., :, None] + area(others)[..., None, :] - shared
    return tf.math.divide_no_nan(shared, union)


def ioa(boxes, regions):
    """The largest fraction `(..., N)` of each box that one of the `(..., M, 4)` regions covers. 0 without regions."""
    share = tf.math.divide_no_nan(intersection(boxes, regions), area(boxes)[..., None])
    return tf.maximum(tf.reduce_max(share, axis=-1), 0.0)


def encode(boxes, anchors, variance, smallest=SMALLEST_SIDE):
    """Deltas `(..., 4)` that turn `anchors` into `boxes`: shift of the centre over the anchor's size and log of scale.

    Paper: Girshick et al., "Rich feature hierarchies ...", 2014, appendix C; divided by `variance`, which
    brings all four to about one scale. Sides are taken as at least `smallest`, so that padding gives finite deltas.
    """
    height, width, y, x = _centre_form(anchors, smallest)
    box_height, box_width, box_y, box_x = _centre_form(boxes, smallest)
    deltas = [
        (box_y - y) / height,
        (box_x - x) / width,
        tf.math.log(box_height / height),
        tf.math.log(box_width / width),
    ]
    return tf.stack(deltas, axis=-1) / tf.constant(variance, tf.float32)


def decode(deltas, anchors, variance):
    """Inverse of `encode`: boxes `(..., 4)`."""
    dy, dx, dh, dw = tf.unstack(deltas * tf.constant(variance, tf.float32), axis=-1)
    height, width, y, x = _centre_form(anchors)
    y, x = y + dy * height, x + dx * width
    half_height = 0.5 * height * tf.exp(tf.minimum(dh, LARGEST_LOG_SCALE))
    half_width = 0.5 * width * tf.exp(tf.minimum(dw, LARGEST_LOG_SCALE))
    return tf.stack([y - half_height, x - half_width, y + half_height, x + half_width], axis=-1)


def clip(boxes, height, width):
    """Boxes cut to an image of `height` x `width` pixels (scalars or tensors that broadcast with `(..., N)`)."""
    height, width = tf.cast(height, tf.float32), tf.cast(width, tf.float32)
    y1, x1, y2, x2 = tf.unstack(boxes, axis=-1)
    edges = [tf.clip_by_value(y, 0.0, height) for y in (y1, y2)] + [tf.clip_by_value(x, 0.0, width) for x in (x1, x2)]
    return tf.stack([edges[0], edges[2], edges[1], edges[3]], axis=-1)


def to_edges(boxes, windows, share):
    """Boxes that end within `share` of a window's height or width of its edges, moved onto them.

    Args:
        boxes: float `(..., N, 4)`.
        windows: float `(..., 4)`, in the same unit.
        share: float, 0 to 1.

    Returns:
        float `(..., N, 4)`. What lies beyond an edge stays there.
    """
    near, far = tf.split(boxes, 2, axis=-1)
    top_left, bottom_right = tf.split(windows[..., None, :], 2, axis=-1)
    reach = share * (bottom_right - top_left)
    near = tf.where(near - top_left < reach, tf.minimum(near, top_left), near)
    far = tf.where(bottom_right - far < reach, tf.maximum(far, bottom_right), far)
    return tf.concat([near, far], axis=-1)


def nms(boxes, scores, limit, iou_threshold, least_score):
    """Non-maximum suppression: of boxes that overlap, the one with the best score.

    The plain operation, because `tf.image.non_max_suppression_padded` unrolls into loops that ONNX does not take.

    Args:
        boxes: float `(N, 4)`.
        scores: float `(N,)`.
        limit: int or int32 scalar. Boxes to keep.
        iou_threshold: float. Overlap above which the worse of two boxes goes.
        least_score: float. Scores must be above this.

    Returns:
        index int32 `(limit,)` of the kept boxes, best first, and kept bool `(limit,)`, `False` where there are fewer.
    """
    index, count = tf.raw_ops.NonMaxSuppressionV4(
        boxes=boxes,
        scores=scores,
        max_output_size=limit,
        iou_threshold=iou_threshold,
        score_threshold=least_score,
        pad_to_max_output_size=True,
    )
    return index, tf.range(limit) < count


def take_kept(values, index, kept):
    """Rows of `values` `(N, ...)` in the order that `nms` gives, zeros where it kept fewer."""
    rows = tf.gather(values, index)
    return tf.where(tf.reshape(kept, [-1] + [1] * (rows.shape.rank - 1)), rows, tf.zeros((), rows.dtype))


def _centre_form(boxes, smallest=SMALLEST_SIDE):
    y1, x1, y2, x2 = tf.unstack(boxes, axis=-1)
    height, width = tf.maximum(y2 - y1, smallest), tf.maximum(x2 - x1, smallest)
    return height, width, y1 + 0.5 * height, x1 + 0.5 * width
