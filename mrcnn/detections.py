"""Selection of detections: from class scores and boxes of all proposals to the few that are shown.

The last step before the mask head, inside the network's graph. Paper: Girshick, "Fast R-CNN", 2015, section 2.4.
"""

import tensorflow as tf

from mrcnn import boxes as box_ops
from mrcnn.batching import map_images

# Pairs of proposal and class that enter the suppression; beyond this rank nothing is ever shown.
CANDIDATES = 1000
# Of the photo's height or width: an object whose box ends nearer than this to the photo's edge is taken to be cut off
# by it. On the cat model's training photos half of those at this distance were, more of the nearer, fewer of the rest.
EDGE_SHARE = 0.015


def select_detections(logits, deltas, proposals, image_shape, variance, nms_iou, confidence, limit):
    """Non-maximum suppression for each class by itself, one image after the other.

    Args:
        logits: float `(B, P, classes)`.
        deltas: float `(B, P, classes, 4)`.
        proposals: float `(B, P, 4)` in pixels.
        image_shape: `(height, width)` of the network's input, in pixels.
        variance: tuple of 4 floats. What box deltas were divided by.
        nms_iou: float. Of two detections of one class that overlap more than this, the better one stays.
        confidence: float scalar. Lowest score, 0 to 1.
        limit: int32 scalar. Most detections of an image.

    Returns:
        boxes float `(B, limit, 4)`, scores float `(B, limit)` descending, class_ids int32 `(B, limit)`; zeros after
        the last detection.
    """
    class_count = logits.shape[-1]
    height, width = image_shape
    # Boxes of different classes are moved apart by more than an image, so that one suppression serves all classes.
    distance = 2.0 * tf.cast(tf.maximum(height, width), tf.float32)

    def one(inputs):
        logits, deltas, proposals = inputs
        scores = tf.reshape(tf.nn.softmax(logits)[:, 1:], (-1,))
        scores = tf.where(tf.repeat(box_ops.area(proposals) > 0.0, class_count - 1), scores, 0.0)
        scores, row = tf.math.top_k(scores, tf.minimum(CANDIDATES, tf.size(scores)))
        proposal, class_ids = row // (class_count - 1), row % (class_count - 1) + 1
        deltas = tf.gather_nd(deltas, tf.stack([proposal, class_ids], axis=-1))
        boxes = box_ops.clip(box_ops.decode(deltas, tf.gather(proposals, proposal), variance), height, width)
        # a score of exactly 0 is a padded proposal and never a detection, even at confidence 0
        scores = tf.where((scores >= confidence) & (box_ops.area(boxes) > 0.0), scores, 0.0)
        apart = boxes + tf.cast(class_ids, tf.float32)[:, None] * distance
        kept = box_ops.nms(apart, scores, limit, nms_iou, 1e-9)
        return tuple(box_ops.take_kept(values, *kept) for values in (boxes, scores, class_ids))

    length = limit if isinstance(limit, int) else None
    signature = (
        tf.TensorSpec((length, 4), tf.float32),
        tf.TensorSpec((length,), tf.float32),
        tf.TensorSpec((length,), tf.int32),
    )
    return map_images(one, (logits, deltas, proposals), signature)
