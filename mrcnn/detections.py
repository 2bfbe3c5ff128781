"""Detections: from class scores and boxes of all proposals to the few that are shown.

`select_detections` is the last step before the mask head, inside the network's graph. `Detections` is what comes out of
the network for one image, small enough to be kept: 30 detections with their 56 x 56 soft masks are 190 KB, whatever
the size of the image. Thresholds are applied to it afterwards, so that a slider does not run the network again.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from mrcnn import boxes as box_ops
from mrcnn.layers import map_images
from mrcnn.results.instances import Instances
from mrcnn.results.paste import paste_mask

# Pairs of proposal and class that enter the suppression; beyond this rank nothing is ever shown.
CANDIDATES = 1000


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


@dataclasses.dataclass(frozen=True)
class Detections:
    """What the network says of one image, before thresholds.

    Attributes:
        boxes: float32 `(N, 4)` y1, x1, y2, x2 in pixels of the original image, inside it.
        scores: float32 `(N,)`, 0 to 1, descending.
        class_ids: int32 `(N,)`, 1-based.
        soft_masks: float16 `(N, S, S)`, float32 for matterport's models. Probability that a cell belongs to the object;
            the cells tile the box enlarged by `mask_margin`.
        image_size: `(height, width)` of the original image in pixels.
        class_names: tuple of str. Names of the classes 1, 2, ...
        mask_margin: float. Share of the box's sides that its soft mask reaches beyond each edge.
        mask_fading: bool. Whether masks fade out at the edge of their box, see `mrcnn.results.paste.paste_mask`.
    """

    boxes: np.ndarray
    scores: np.ndarray
    class_ids: np.ndarray
    soft_masks: np.ndarray
    image_size: tuple[int, int]
    class_names: tuple[str, ...]
    mask_margin: float = 0.0
    mask_fading: bool = True

    def __len__(self):
        return len(self.scores)

    def resized(self, image_size):
        """The same detections in the image scaled to `image_size` `(height, width)`."""
        scale = np.tile(np.array(image_size) / np.array(self.image_size), 2).astype(np.float32)
        return dataclasses.replace(self, boxes=self.boxes * scale, image_size=tuple(int(side) for side in image_size))

    def instances(self, confidence=0.5, mask_threshold=0.5):
        """The detections of at least this score, with their masks pasted into the image.

        Args:
            confidence: float. Lowest score, 0 to 1. Defaults to 0.5.
            mask_threshold: float. Pixels above this probability belong to the object. Defaults to 0.5.

        Returns:
            `mrcnn.Instances`.
        """
        kept = np.flatnonzero(self.scores >= confidence)
        regions = box_ops.expand_boxes(self.boxes, self.mask_margin)
        return Instances(
            boxes=self.boxes[kept],
            scores=self.scores[kept],
            class_ids=self.class_ids[kept],
            class_names=[self.class_names[class_id - 1] for class_id in self.class_ids[kept]],
            image_size=self.image_size,
            windows=[
                paste_mask(self.soft_masks[i], regions[i], self.image_size, mask_threshold, self.mask_fading)
                for i in kept
            ],
        )
