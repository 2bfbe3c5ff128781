"""Region proposals: boxes that may hold an object of any class.

A small convolutional head predicts for each anchor an objectness and four box deltas. The best anchors, moved by their
deltas, cut to the image and thinned by non-maximum suppression, are the proposals.

Paper: Ren et al., "Faster R-CNN", 2015, section 3.1 (https://arxiv.org/abs/1506.01497).
"""

import keras
import tensorflow as tf

from mrcnn import boxes as box_ops
from mrcnn.batching import map_images

ANCHOR_VARIANCE = (0.1, 0.1, 0.2, 0.2)  # anchor deltas are divided by these


@keras.saving.register_keras_serializable(package="mrcnn")
class RegionProposalHead(keras.layers.Layer):
    """Objectness and box deltas for every anchor, with the same weights on every pyramid level.

    Args:
        anchors_per_cell: int. Scales times ratios.
        channels: int. Channels of the shared 3x3 convolution.
        separable: bool. Whether that convolution is depthwise-separable. Defaults to `False`.
    """

    def __init__(self, anchors_per_cell, channels, separable=False, **kwargs):
        super().__init__(**kwargs)
        self.anchors_per_cell = anchors_per_cell
        self.channels = channels
        self.separable = separable
        convolution = keras.layers.SeparableConv2D if separable else keras.layers.Conv2D
        self.shared = convolution(channels, 3, padding="same", activation="relu", name="shared")
        self.objectness = keras.layers.Conv2D(2 * anchors_per_cell, 1, name="objectness")
        self.deltas = keras.layers.Conv2D(4 * anchors_per_cell, 1, name="deltas")

    def build(self, input_shapes):
        self.shared.build(input_shapes[0])
        self.objectness.build((*input_shapes[0][:-1], self.channels))
        self.deltas.build((*input_shapes[0][:-1], self.channels))
        self.built = True

    def call(self, levels):
        """Pyramid levels, float `(B, H, W, C)` each, to logits and deltas in the order of `mrcnn.anchors.anchors`.

        Returns:
            Logits float `(B, A, 2)`, (background, object), and deltas float `(B, A, 4)`.
        """
        logits, deltas = [], []
        for level in levels:
            shared = self.shared(level)
            batch = tf.shape(level)[0]
            logits.append(tf.reshape(self.objectness(shared), (batch, -1, 2)))
            deltas.append(tf.reshape(self.deltas(shared), (batch, -1, 4)))
        return tf.concat(logits, axis=1), tf.concat(deltas, axis=1)

    def get_config(self):
        return {
            **super().get_config(),
            "anchors_per_cell": self.anchors_per_cell,
            "channels": self.channels,
            "separable": self.separable,
        }


def propose(logits, deltas, anchors, image_shape, pre_nms_top_n, post_nms_top_n, nms_iou):
    """The best anchors of each image, moved by their deltas, cut to the image and thinned by non-maximum suppression.

    Sorting and suppression look only at the `pre_nms_top_n` best anchors: the rest could not survive, and the cost of
    suppression grows with the square of their number.

    Args:
        logits: float `(B, A, 2)`.
        deltas: float `(B, A, 4)`.
        anchors: float `(A, 4)` in pixels.
        image_shape: `(height, width)` of the network's input, in pixels.
        pre_nms_top_n: int. Anchors that enter non-maximum suppression.
        post_nms_top_n: int. Proposals that leave it.
        nms_iou: float. Of two proposals that overlap more than this, the better one stays.

    Returns:
        float `(B, post_nms_top_n, 4)` boxes in pixels, best first, padded with zero boxes.
    """
    scores = logits[..., 1] - logits[..., 0]  # orders like the softmax, without computing it
    height, width = image_shape

    def one(inputs):
        scores, deltas = inputs
        top_scores, index = tf.math.top_k(scores, tf.minimum(pre_nms_top_n, tf.shape(scores)[0]))
        boxes = box_ops.decode(tf.gather(deltas, index), tf.gather(anchors, index), ANCHOR_VARIANCE)
        boxes = box_ops.clip(boxes, height, width)
        # An anchor that lies outside the image keeps no area; it must not take the place of a proposal.
        top_scores = tf.where(box_ops.area(boxes) > 0.0, top_scores, top_scores.dtype.min)
        kept = box_ops.nms(boxes, top_scores, post_nms_top_n, nms_iou, top_scores.dtype.min / 2)
        return box_ops.take_kept(boxes, *kept)

    return map_images(one, (scores, deltas), tf.TensorSpec((post_nms_top_n, 4), tf.float32))
