"""Feature pyramid: every level gets the meaning of the coarse levels and the resolution of its own.

    C5 ------------> P5 -> P6 (every second cell of P5)
    C4 --lateral--(+)> P4       coarser sum, doubled in size, plus a 1x1 projection of the backbone's map,
    C3 --lateral--(+)> P3       then a 3x3 convolution against the checkerboard of the doubling
    C2 --lateral--(+)> P2

Paper: Lin et al., "Feature Pyramid Networks for Object Detection", 2017 (https://arxiv.org/abs/1612.03144).
"""

import keras


@keras.saving.register_keras_serializable(package="mrcnn")
class FeaturePyramid(keras.layers.Layer):
    """Top-down pyramid P2..P6 over the backbone's C2..C5.

    Args:
        channels: int. Channels of every level.
        separable: bool. Depthwise-separable 3x3 convolutions: a tenth of the multiplications. Defaults to `True`.
    """

    def __init__(self, channels, separable=True, **kwargs):
        super().__init__(**kwargs)
        self.channels = channels
        self.separable = separable
        convolution = keras.layers.SeparableConv2D if separable else keras.layers.Conv2D
        self.laterals = [keras.layers.Conv2D(channels, 1, name=f"lateral{level}") for level in (2, 3, 4, 5)]
        self.outputs = [convolution(channels, 3, padding="same", name=f"output{level}") for level in (2, 3, 4, 5)]
        self.double = keras.layers.UpSampling2D(2, interpolation="nearest")
        self.halve = keras.layers.MaxPooling2D(1, strides=2)

    def build(self, input_shapes):
        for shape, lateral, output in zip(input_shapes, self.laterals, self.outputs, strict=True):
            lateral.build(shape)
            output.build((*shape[:-1], self.channels))
        self.built = True

    def call(self, features):
        """`[C2, C3, C4, C5]`, finest first, to `[P2, P3, P4, P5, P6]`, float `(B, H/2^k, W/2^k, channels)`."""
        merged = [lateral(feature) for lateral, feature in zip(self.laterals, features, strict=True)]
        for level in (2, 1, 0):
            merged[level] = merged[level] + self.double(merged[level + 1])
        levels = [output(feature) for output, feature in zip(self.outputs, merged, strict=True)]
        return [*levels, self.halve(levels[-1])]

    def get_config(self):
        return {**super().get_config(), "channels": self.channels, "separable": self.separable}
