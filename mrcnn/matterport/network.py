"""The network as matterport's Mask_RCNN (2017, MIT licence) computes it, so that its weights remain usable.

Weights depend on how images are scaled and boxes measured, pooled and selected, down to half a cell. Here

- images stand in the middle of a black square;
- boxes go from 0 at the centre of the first pixel to 1 at the centre of the last;
- anchors stand on the corners of their cells;
- features are pooled by `crop_and_resize`, which samples from edge to edge;
- only the most probable class of a proposal counts;
- boxes without area take part like all others.

Source of all of it: `mrcnn/model.py` and `mrcnn/utils.py` of https://github.com/matterport/Mask_RCNN.
"""

import keras
import numpy as np
import tensorflow as tf

from mrcnn import boxes as box_ops
from mrcnn.anchors import cell_anchors
from mrcnn.batching import map_images
from mrcnn.letterbox import Canvas
from mrcnn.matterport import resnet
from mrcnn.matterport.letterbox import from_square, resize_bilinear, square_letterbox
from mrcnn.network import Network
from mrcnn.region_proposals import ANCHOR_VARIANCE
from mrcnn.results.detections import Detections

LARGEST_POOL_LEVEL = 5
CANONICAL_SIZE = 224.0  # a box of this size in pixels is pooled from P4


@keras.saving.register_keras_serializable(package="mrcnn")
class MatterportNetwork(Network):
    """Mask R-CNN with a ResNet and matterport's measure of boxes, see the module.

    Args:
        config: `mrcnn.config.Config` of one of the presets `resnet50` and `resnet101`, or a dict of its fields.
    """

    backbone_kind = "resnet"
    backbone_stem = resnet.STEM
    size_multiple = 64  # the stride of P6: "same" paddings then fall where they fell in the original
    canvas = Canvas(filling=0, centred=True, resize=resize_bilinear)

    @staticmethod
    def _make_backbone(config):
        return resnet.resnet(config.backbone_blocks)

    def letterbox(self, image, size):
        return square_letterbox(image, size, self.config.image_min_size)

    def detections(self, found, window, image_size):
        boxes = from_square(found["boxes"], window, image_size)
        has_area = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        found = {name: values[has_area] for name, values in found.items()}
        # float32: untrained or unsure masks lie so near to 0.5 that float16 would move outlines. No fading: a mask that
        # is sure of its whole box fills it to the edge.
        return Detections.from_network(found, boxes[has_area], image_size, self.config, np.float32, mask_fading=False)

    def anchors(self, levels):
        config = self.config
        image_shape = [4 * length for length in tf.unstack(tf.shape(levels[0])[1:3])]
        by_level = []
        # In float64 up to the end, as in the original, so that the anchors are the same to the last bit.
        for level, stride in zip(self.proposal_levels(levels), self.proposal_strides, strict=True):
            sizes = tf.constant(cell_anchors(stride, config.anchor_scales, config.anchor_ratios), tf.float64)
            y, x = (tf.cast(tf.range(length) * stride, tf.float64) for length in tf.unstack(tf.shape(level)[1:3]))
            y, x = tf.meshgrid(y, x, indexing="ij")
            corners = tf.stack([y, x], axis=-1)[:, :, None, :]
            boxes = tf.concat([corners - 0.5 * sizes, corners + 0.5 * sizes], axis=-1)
            by_level.append(tf.reshape(boxes, (-1, 4)))
        return tf.cast(self.from_pixels(tf.concat(by_level, axis=0), image_shape), tf.float32)

    def decode_proposals(self, logits, deltas, anchors, image_shape, pre_nms_top_n, post_nms_top_n, nms_iou):
        # Probabilities, not logits: where they round to 1, equal ones are taken in the order of the anchors.
        scores = tf.nn.softmax(logits)[..., 1]

        def one(inputs):
            scores, deltas = inputs
            top_scores, index = tf.math.top_k(scores, tf.minimum(pre_nms_top_n, tf.shape(scores)[0]))
            boxes = self._decode(tf.gather(deltas, index), tf.gather(anchors, index), ANCHOR_VARIANCE)
            boxes = self._clip(boxes, tf.constant([0.0, 0.0, 1.0, 1.0]))
            return box_ops.take_kept(boxes, *box_ops.nms(boxes, top_scores, post_nms_top_n, nms_iou, -1.0))

        return map_images(one, (scores, deltas), tf.TensorSpec((post_nms_top_n, 4), tf.float32))

    def pool(self, levels, boxes, box_indices, pool_size):
        y1, x1, y2, x2 = tf.unstack(boxes, axis=-1)
        # Height and width of the image, from the stride of P2.
        image_area = tf.cast(tf.reduce_prod(4 * tf.shape(levels[0])[1:3]), tf.float32)
        size = tf.sqrt((y2 - y1) * (x2 - x1)) / (CANONICAL_SIZE / tf.sqrt(image_area))
        # An empty box has the level of minus infinity, which the lower limit turns into 2.
        level = 4 + tf.cast(tf.round(tf.math.log(size) / tf.math.log(2.0)), tf.int32)
        level = tf.clip_by_value(level, 2, LARGEST_POOL_LEVEL)
        rows, pooled = [], []
        for number, features in enumerate(levels, start=2):
            rows.append(tf.cast(tf.where(level == number)[:, 0], tf.int32))
            level_boxes, level_indices = tf.gather(boxes, rows[-1]), tf.gather(box_indices, rows[-1])
            pooled.append(tf.image.crop_and_resize(features, level_boxes, level_indices, (pool_size, pool_size)))
        return tf.dynamic_stitch(rows, pooled)

    def decode_detections(self, logits, deltas, proposals, image_shape, windows, confidence, limit):
        variance, nms_iou = self.config.box_variance, self.config.detection_nms_iou
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

    def move_to_edges(self, boxes, windows):
        """The boxes as they are: the original moves none."""
        return boxes

    def encode_boxes(self, boxes, anchors, variance):
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
