"""Conventions: how images are scaled, and how boxes are measured, pooled and selected.

Weights learn the conventions they are trained with, down to half a cell, and find nothing under others. There are two
sets of them, with the same methods; everything else is the same code for all presets.

`PixelConventions` are this project's own. Boxes are in pixels, far edges exclusive, features are pooled by RoIAlign,
and all classes of a proposal compete.

`MatterportConventions` are those of matterport's Mask_RCNN (2017, MIT licence), whose weights they keep usable. Boxes
go from 0 at the centre of the first pixel to 1 at the centre of the last; anchors stand on the corners of their cells;
features are pooled by `crop_and_resize`, which samples from edge to edge; only the best class of a proposal counts; and
boxes without area take part like all others. Source of all of it: `mrcnn/model.py` and `mrcnn/utils.py` of
https://github.com/matterport/Mask_RCNN.
"""

import numpy as np
import tensorflow as tf

from mrcnn import boxes as box_ops
from mrcnn import letterbox
from mrcnn.anchors import anchors, cell_anchors
from mrcnn.batching import map_images
from mrcnn.detections import select_detections
from mrcnn.region_proposals import ANCHOR_VARIANCE, propose
from mrcnn.roi_align import roi_align


class PixelConventions:
    """Boxes in pixels of the network's input, `y1, x1, y2, x2`, far edges exclusive."""

    size_multiple = 1  # the letterbox fills up to what the backbone needs
    soft_mask_type = np.float16
    mask_fading = True  # outlines end softly within the enlarged box that the mask head looks at

    def letterbox(self, image, size, config):
        """Image uint8 `(H, W, 3)` to canvas uint8, and the image's `(top, left, bottom, right)` in it."""
        canvas, (height, width) = letterbox.letterbox(image, size)
        return canvas, (0, 0, height, width)

    def to_image(self, boxes, window, image_size):
        """Boxes `(N, 4)` in pixels of the canvas to pixels of the original image."""
        return letterbox.to_image(boxes, window[2:], image_size)

    def visible(self, boxes):
        """Which boxes in the image `(N, 4)` are shown: an index for rows."""
        return slice(None)

    def anchors(self, level_shapes, strides, scales, ratios, image_shape):
        """All anchors, float `(A, 4)`; see `mrcnn.anchors.anchors`."""
        return anchors(level_shapes, strides, scales, ratios)

    def propose(self, logits, deltas, anchors, image_shape, candidates, limit, nms_iou):
        """Proposals float `(B, limit, 4)`; see `mrcnn.region_proposals.propose`."""
        return propose(logits, deltas, anchors, image_shape, candidates, limit, nms_iou)

    def pool(self, levels, boxes, box_indices, pool_size):
        """Features float `(N, pool_size, pool_size, C)` of boxes `(N, 4)` from the levels P2, P3, ..."""
        return roi_align(levels, boxes, box_indices, pool_size)

    def select(self, logits, deltas, proposals, image_shape, windows, variance, nms_iou, confidence, limit):
        """Boxes, scores and class_ids, padded; see `mrcnn.detections.select_detections`."""
        return select_detections(logits, deltas, proposals, image_shape, variance, nms_iou, confidence, limit)

    def encode(self, boxes, anchors, variance):
        """Deltas that turn `anchors` into `boxes`."""
        return box_ops.encode(boxes, anchors, variance)

    def to_pixels(self, boxes, image_shape):
        """Boxes from this measure to pixels with exclusive far edges."""
        return boxes

    def from_pixels(self, boxes, image_shape):
        """Boxes from pixels with exclusive far edges to this measure."""
        return boxes


class MatterportConventions:
    """Boxes from 0 to 1 between the centres of the first and the last pixel; methods as in `PixelConventions`."""

    size_multiple = 64  # the stride of P6: "same" paddings then fall where they fell in the original
    soft_mask_type = np.float32  # untrained or unsure masks lie so near to 0.5 that float16 would move outlines
    mask_fading = False  # a mask that is sure of its whole box fills it to the edge
    largest_pool_level = 5
    canonical_size = 224.0  # a box of this size in pixels is pooled from P4

    def letterbox(self, image, size, config):
        return letterbox.square_letterbox(image, size, config.image_min_size)

    def to_image(self, boxes, window, image_size):
        return letterbox.from_square(boxes, window, image_size)

    def visible(self, boxes):
        return (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])

    def anchors(self, level_shapes, strides, scales, ratios, image_shape):
        levels = []
        # In float64 up to the end, as in the original, so that the anchors are the same to the last bit.
        for (height, width), stride in zip(level_shapes, strides, strict=True):
            sizes = tf.constant(cell_anchors(stride, scales, ratios), tf.float64)
            y, x = (tf.cast(tf.range(length) * stride, tf.float64) for length in (height, width))
            y, x = tf.meshgrid(y, x, indexing="ij")
            corners = tf.stack([y, x], axis=-1)[:, :, None, :]
            boxes = tf.concat([corners - 0.5 * sizes, corners + 0.5 * sizes], axis=-1)
            levels.append(tf.reshape(boxes, (-1, 4)))
        return tf.cast(self.from_pixels(tf.concat(levels, axis=0), image_shape), tf.float32)

    def propose(self, logits, deltas, anchors, image_shape, candidates, limit, nms_iou):
        # Probabilities, not logits: where they round to 1, equal ones are taken in the order of the anchors.
        scores = tf.nn.softmax(logits)[..., 1]

        def one(inputs):
            scores, deltas = inputs
            best, index = tf.math.top_k(scores, tf.minimum(candidates, tf.shape(scores)[0]))
            boxes = self._decode(tf.gather(deltas, index), tf.gather(anchors, index), ANCHOR_VARIANCE)
            boxes = self._clip(boxes, tf.constant([0.0, 0.0, 1.0, 1.0]))
            return box_ops.take_kept(boxes, *box_ops.nms(boxes, best, limit, nms_iou, -1.0))

        return map_images(one, (scores, deltas), tf.TensorSpec((limit, 4), tf.float32))

    def pool(self, levels, boxes, box_indices, pool_size):
        y1, x1, y2, x2 = tf.unstack(boxes, axis=-1)
        # Height and width of the image, from the stride of P2.
        image_area = tf.cast(tf.reduce_prod(4 * tf.shape(levels[0])[1:3]), tf.float32)
        size = tf.sqrt((y2 - y1) * (x2 - x1)) / (self.canonical_size / tf.sqrt(image_area))
        # An empty box has the level of minus infinity, which the lower limit turns into 2.
        level = 4 + tf.cast(tf.round(tf.math.log(size) / tf.math.log(2.0)), tf.int32)
        level = tf.clip_by_value(level, 2, self.largest_pool_level)
        rows, pooled = [], []
        for number, features in enumerate(levels, start=2):
            rows.append(tf.cast(tf.where(level == number)[:, 0], tf.int32))
            there = tf.gather(boxes, rows[-1]), tf.gather(box_indices, rows[-1])
            pooled.append(tf.image.crop_and_resize(features, *there, (pool_size, pool_size)))
        return tf.dynamic_stitch(rows, pooled)

    def select(self, logits, deltas, proposals, image_shape, windows, variance, nms_iou, confidence, limit):
        windows = self.from_pixels(windows, image_shape)

        def one(inputs):
            logits, deltas, proposals, window = inputs
            probabilities = tf.nn.softmax(logits)
            class_ids = tf.argmax(probabilities, axis=-1, output_type=tf.int32)
            scores = tf.gather(probabilities, class_ids, batch_dims=1)
            deltas = tf.gather(deltas, class_ids, batch_dims=1)
            boxes = self._clip(self._decode(deltas, proposals, variance), window)
            scores = tf.where((class_ids > 0) & (scores >= confidence), scores, -1.0)
            # Boxes of different classes are moved apart, so that one suppression serves all classes; in two directions,
            # because float32 loses less of a box that moves less far.
            columns = round(logits.shape[-1] ** 0.5)
            shift = 2.0 * tf.cast(tf.stack([class_ids // columns, class_ids % columns] * 2, axis=-1), tf.float32)
            kept = box_ops.nms(boxes + shift, scores, limit, nms_iou, -0.5)
            return tuple(box_ops.take_kept(values, *kept) for values in (boxes, scores, class_ids))

        length = limit if isinstance(limit, int) else None
        signature = (
            tf.TensorSpec((length, 4), tf.float32),
            tf.TensorSpec((length,), tf.float32),
            tf.TensorSpec((length,), tf.int32),
        )
        return map_images(one, (logits, deltas, proposals, windows), signature)

    def encode(self, boxes, anchors, variance):
        return box_ops.encode(boxes, anchors, variance, smallest=1e-6)  # a millionth of the image

    def to_pixels(self, boxes, image_shape):
        scale, far = self._scale(image_shape, boxes.dtype)
        return boxes * scale + far

    def from_pixels(self, boxes, image_shape):
        scale, far = self._scale(image_shape, boxes.dtype)
        return (boxes - far) / scale

    @staticmethod
    def _scale(image_shape, dtype):
        height, width = (tf.cast(length, dtype) - 1 for length in image_shape)
        return tf.stack([height, width, height, width]), tf.constant([0, 0, 1, 1], dtype)

    @staticmethod
    def _decode(deltas, anchors, variance):
        """As `mrcnn.boxes.decode`, but without limits to sizes, and in the original's order of operations."""
        dy, dx, dh, dw = tf.unstack(deltas * tf.constant(variance, tf.float32), axis=-1)
        y1, x1, y2, x2 = tf.unstack(anchors, axis=-1)
        height, width = y2 - y1, x2 - x1
        y, x = y1 + 0.5 * height + dy * height, x1 + 0.5 * width + dx * width
        height, width = height * tf.exp(dh), width * tf.exp(dw)
        y1, x1 = y - 0.5 * height, x - 0.5 * width
        return tf.stack([y1, x1, y1 + height, x1 + width], axis=-1)

    @staticmethod
    def _clip(boxes, window):
        """Boxes `(N, 4)` cut to the window `(4,)`."""
        return tf.clip_by_value(boxes, tf.tile(window[:2], [2]), tf.tile(window[2:], [2]))


CONVENTIONS = {"pixel": PixelConventions(), "matterport": MatterportConventions()}
