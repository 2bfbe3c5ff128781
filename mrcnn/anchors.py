"""Anchors: the boxes that the region proposals start from, a few at every cell of every pyramid level.

Paper: Ren et al., "Faster R-CNN", 2015, section 3.1.1 (https://arxiv.org/abs/1506.01497).
"""

import math

import tensorflow as tf


def cell_anchors(stride, scales, ratios):
    """Anchors of one cell around its centre, as a list of `(height, width)` in pixels, scale by scale.

    All anchors of one scale have the same area, `(scale * stride)^2`; `ratio` is height over width.
    """
    return [
        (scale * stride * math.sqrt(ratio), scale * stride / math.sqrt(ratio)) for scale in scales for ratio in ratios
    ]


def anchors(level_shapes, strides, scales, ratios):
    """All anchors of an image.

    Args:
        level_shapes: list of `(height, width)`. Cells of each pyramid level, ints or scalar int tensors.
        strides: list of int. Pixels from one cell to the next, one a level.
        scales: list of float. Anchor side in strides.
        ratios: list of float. Anchor height over anchor width.

    Returns:
        float32 `(A, 4)` boxes in pixels, not clipped, in the order level, row, column, scale, ratio: the order in
        which the region proposal head's `(H, W, scales * ratios)` outputs flatten.
    """
    levels = []
    for (height, width), stride in zip(level_shapes, strides, strict=True):
        sizes = tf.constant(cell_anchors(stride, scales, ratios), tf.float32)
        y = (tf.range(height, dtype=tf.float32) + 0.5) * stride
        x = (tf.range(width, dtype=tf.float32) + 0.5) * stride
        y, x = tf.meshgrid(y, x, indexing="ij")
        centres = tf.stack([y, x], axis=-1)[:, :, None, :]
        boxes = tf.concat([centres - 0.5 * sizes, centres + 0.5 * sizes], axis=-1)
        levels.append(tf.reshape(boxes, (-1, 4)))
    return tf.concat(levels, axis=0)
