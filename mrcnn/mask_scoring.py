"""Scores that also say how good the outline is: the class's probability times the IoU that a mask expects of itself.

The box head has never seen the mask. It is as sure of a cat whose outline comes out as a blur as of one that is cut out
sharply, and a blur is what the mask head draws of what is no cat at all. What it is unsure of shows in the mask itself:
if every cell belonged to the object with the probability that it has, how well would the cells above one half overlap
with the object?

Mask Scoring R-CNN (Huang et al., 2019, https://arxiv.org/abs/1903.00241) learns that number with a head of its own; to
read it off the soft mask costs nothing. SOLO's maskness (Wang et al., 2020, https://arxiv.org/abs/1912.04488) is the
mean probability inside and does not see what a mask misses.
"""

import tensorflow as tf

LEAST_AREA = 1e-6  # of a mask in cells, so that an empty one divides by more than 0


def expected_iou(masks):
    """The IoU that masks cut at one half have with the objects, if each cell's probability is right.

    Args:
        masks: float `(..., S, S)`, 0 to 1.

    Returns:
        float `(...)`, 0 to 1; 0 where no cell is above one half. It is the expected intersection over the expected
        union.
    """
    inside = tf.cast(masks > 0.5, masks.dtype)
    intersection = tf.reduce_sum(masks * inside, axis=(-2, -1))
    union = tf.reduce_sum(tf.maximum(masks, inside), axis=(-2, -1))
    return intersection / tf.maximum(union, LEAST_AREA)


def score_rows(rows, confidence):
    """The detections of a batch with scores that count the masks, in their new order.

    Args:
        rows: dict of tensors, see `mrcnn.network.Network.detect`.
        confidence: float scalar. Rows that fall below it are dropped, as are those with a score of 0.

    Returns:
        dict of the same names, image after image, scores descending.
    """
    scores = rows["scores"] * expected_iou(rows["masks"])
    order = tf.argsort(scores, direction="DESCENDING", stable=True)
    order = tf.gather(order, tf.argsort(tf.gather(rows["image_index"], order), stable=True))
    kept = tf.gather(scores, order)
    order = tf.boolean_mask(order, (kept >= confidence) & (kept > 0.0))
    return {name: tf.gather(values, order) for name, values in {**rows, "scores": scores}.items()}


def score_padded(found, confidence):
    """The same for the padded rows of `mrcnn.network.Network.detect_padded`; zeros after the last one that is left."""
    scores = found["scores"] * expected_iou(found["masks"])
    scores, order = tf.math.top_k(tf.where(scores >= confidence, scores, 0.0), scores.shape[1])

    def in_order(values):
        left = (scores > 0.0)[(..., *[None] * (values.shape.rank - 2))]
        return tf.where(left, tf.gather(values, order, batch_dims=1), tf.zeros((), values.dtype))

    return {**{name: in_order(values) for name, values in found.items()}, "scores": scores}
