"""Mask head: the outline of each detection, one soft mask a class.

The paper's head pools 14 x 14 cells and predicts 28 x 28. Pasted over a cat of 600 pixels, each cell of such a mask is
21 pixels wide and the outline looks like stairs. This head doubles twice, to 56 x 56, and on the last step looks again
at the image's finest features (P2, four pixels a cell), pooled at the full 56 x 56: the coarse path knows what is
cat, the fine path knows where it ends. Few channels up there keep it cheap.

Papers: He et al., "Mask R-CNN", 2017, section 3 and figure 4; the second look at fine features follows Zhang et al.,
"RefineMask", 2021 (https://arxiv.org/abs/2104.08569), without its extra stages.
"""

import keras
import tensorflow as tf


def _convolution(filters, name):
    return keras.layers.Conv2D(filters, 3, padding="same", activation="relu", name=name)


def _doubling(filters, name):
    return keras.layers.Conv2DTranspose(filters, 2, strides=2, activation="relu", name=name)


class CoarseMaskLayers(keras.layers.Layer):
    """What both mask heads begin with: convolutions at 14 x 14.

    Args:
        class_count: int. Number of classes with the background.
        channels: int. Width at 14 x 14.
        depth: int. 3x3 convolutions at 14 x 14. Defaults to 4.
    """

    def __init__(self, class_count, channels, depth=4, **kwargs):
        super().__init__(**kwargs)
        self.class_count = class_count
        self.channels = channels
        self.depth = depth
        self.coarse = [_convolution(channels, f"coarse{n + 1}") for n in range(depth)]

    def get_config(self):
        return {
            **super().get_config(),
            "class_count": self.class_count,
            "channels": self.channels,
            "depth": self.depth,
        }


@keras.saving.register_keras_serializable(package="mrcnn")
class MaskHead(CoarseMaskLayers):
    """Mask logits from pooled features. Arguments are those of `CoarseMaskLayers`; each doubling halves the width."""

    def __init__(self, class_count, channels, depth=4, **kwargs):
        super().__init__(class_count, channels, depth, **kwargs)
        self.double = [_doubling(channels // 2, "double1"), _doubling(channels // 4, "double2")]
        self.middle = _convolution(channels // 2, "middle")
        self.fine = _convolution(channels // 4, "fine")
        self.logits = keras.layers.Conv2D(class_count - 1, 1, name="logits")  # the background has no mask

    def build(self, input_shapes):
        (_, _, _, pooled), (_, _, _, fine_features) = input_shapes
        width = self.channels
        for n, layer in enumerate(self.coarse):
            layer.build((None, None, None, width if n else pooled))
        self.double[0].build((None, None, None, width))
        self.middle.build((None, None, None, width // 2))
        self.double[1].build((None, None, None, width // 2))
        self.fine.build((None, None, None, width // 4 + fine_features))
        self.logits.build((None, None, None, width // 4))
        self.built = True

    def call(self, inputs):
        """Pooled pyramid `(N, 14, 14, C)` and fine features `(N, 56, 56, D)` to logits `(N, 56, 56, classes - 1)`."""
        x, fine_features = inputs
        for layer in self.coarse:
            x = layer(x)
        x = self.middle(self.double[0](x))
        x = self.double[1](x)
        return self.logits(self.fine(tf.concat([x, fine_features], axis=-1)))


@keras.saving.register_keras_serializable(package="mrcnn")
class PlainMaskHead(CoarseMaskLayers):
    """The mask head of the paper: 14 x 14 cells in, one doubling, 28 x 28 out, all of the same width.

    Arguments are those of `CoarseMaskLayers`.
    """

    def __init__(self, class_count, channels, depth=4, **kwargs):
        super().__init__(class_count, channels, depth, **kwargs)
        self.double = _doubling(channels, "double")
        self.logits = keras.layers.Conv2D(class_count - 1, 1, name="logits")  # the background has no mask

    def build(self, input_shapes):
        shape = input_shapes[0]
        for layer in (*self.coarse, self.double, self.logits):
            layer.build(shape)
            shape = (None, None, None, self.channels)
        self.built = True

    def call(self, inputs):
        """`[pooled]`, float `(N, 14, 14, C)`, to logits `(N, 28, 28, classes - 1)`."""
        (x,) = inputs
        for layer in self.coarse:
            x = layer(x)
        return self.logits(self.double(x))


def select_class(logits, class_ids):
    """The mask of the class asked for: `(N, S, S, classes - 1)` and int `(N,)` 1-based to `(N, S, S)`."""
    if logits.shape[-1] == 1:
        return logits[..., 0]
    return tf.gather(tf.transpose(logits, (0, 3, 1, 2)), class_ids - 1, batch_dims=1)
