"""Backbone of the `lite` preset: MobileNetV2 with its batch norms folded away.

    image (B, H, W, 3)  ->  C2, C3, C4, C5 at strides 4, 8, 16, 32

A batch norm at inference is a scale and a shift, so it can be multiplied into the convolution before it. The network
below is what remains of `keras.applications.MobileNetV2` after that: fewer tensors, fewer passes over memory, and
nothing that behaves differently in training. (Detection batches are far too small for batch statistics anyway.)
Layers keep the names of `keras.applications`, so its ImageNet weights can be folded in by `fold_batch_norms`.

Paper: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018 (https://arxiv.org/abs/1801.04381).
"""

import keras
import numpy as np

# One row a stage, as in table 2 of the paper: expansion factor, output channels, number of blocks, first stride.
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))

# Where the features are taken: the last tensor before each halving of the resolution. C3 and C4 are taken after the
# expansion of the block that halves: six times the channels at no further cost, and it is C4's expansion that SSD
# detectors predict from.
FEATURES = {"C2": "block_2_add", "C3": "block_6_expand_relu", "C4": "block_13_expand_relu", "C5": "block_16_project"}

# The layers up to C2 see edges and colours, whatever the data; training may leave them as they are.
STEM = ("Conv1/", "expanded_conv_", "block_1_", "block_2_")

BATCH_NORM_EPSILON = 1e-3  # of keras.applications.MobileNetV2


def mobilenet_v2(name="backbone"):
    """MobileNetV2 1.0 without classifier and with folded batch norms.

    Input: float (B, H, W, 3), RGB scaled to [-1, 1]; H and W are multiples of 32.

    Args:
        name: str. Name of the model.

    Returns:
        A `keras.Model` that maps the input to `[C2, C3, C4, C5]`.
    """
    inputs = keras.Input((None, None, 3), name="image")
    x = _convolution(inputs, 32, 3, "Conv1", stride=2)
    x = keras.layers.ReLU(6.0, name="Conv1_relu")(x)
    block = 0
    for expansion, filters, repeats, first_stride in STAGES:
        for repeat in range(repeats):
            x = _inverted_residual(x, expansion, filters, first_stride if repeat == 0 else 1, block)
            block += 1
    model = keras.Model(inputs, x)
    return keras.Model(inputs, [model.get_layer(layer).output for layer in FEATURES.values()], name=name)


def _convolution(x, filters, size, name, stride=1):
    return keras.layers.Conv2D(filters, size, strides=stride, padding="same", name=name)(x)


def _inverted_residual(x, expansion, filters, stride, block):
    """Expand to `expansion` times the channels, filter each channel by itself, project back; add where shapes agree."""
    prefix = f"block_{block}_" if block else "expanded_conv_"
    shortcut = x
    if expansion != 1:
        x = _convolution(x, expansion * x.shape[-1], 1, prefix + "expand")
        x = keras.layers.ReLU(6.0, name=prefix + "expand_relu")(x)
    # keras.applications pads by hand and uses "valid"; for even sizes "same" puts the padding in the same place.
    x = keras.layers.DepthwiseConv2D(3, strides=stride, padding="same", name=prefix + "depthwise")(x)
    x = keras.layers.ReLU(6.0, name=prefix + "depthwise_relu")(x)
    x = _convolution(x, filters, 1, prefix + "project")  # linear: a ReLU here would destroy information
    if stride == 1 and shortcut.shape[-1] == filters:
        x = keras.layers.Add(name=prefix + "add")([shortcut, x])
    return x


def convolutions(model):
    """The convolutions of a folded backbone in graph order, as `keras.layers.Layer`."""
    return [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D)]


def fold_batch_norms(source, target):
    """Copy a `keras.applications.MobileNetV2` into a folded backbone, its batch norms multiplied into the kernels.

    With gamma, beta, mean and variance of the batch norm after a convolution without bias:
    `kernel' = kernel * gamma / sqrt(variance + epsilon)` and `bias' = beta - mean * gamma / sqrt(variance + epsilon)`.

    Args:
        source: `keras.Model`. `keras.applications.MobileNetV2(include_top=False, alpha=1.0)`, any weights.
        target: `keras.Model`. From `mobilenet_v2()`; changed in place.

    Raises:
        ValueError: if `source` lacks a layer that `target` has, or has it in another shape.
    """
    names = {layer.name for layer in source.layers}
    for layer in convolutions(target):
        norm = "expanded_conv_depthwise_BN" if layer.name == "expanded_conv_depthwise" else layer.name + "_BN"
        norm = "bn_Conv1" if layer.name == "Conv1" else norm
        if not {layer.name, norm} <= names:
            raise ValueError(f"not a MobileNetV2 of keras.applications: it has no layer {layer.name!r} with {norm!r}")
        kernel = np.asarray(source.get_layer(layer.name).get_weights()[0])
        gamma, beta, mean, variance = (np.asarray(value) for value in source.get_layer(norm).get_weights())
        scale = gamma / np.sqrt(variance + BATCH_NORM_EPSILON)
        if kernel.shape != tuple(layer.kernel.shape):
            raise ValueError(
                f"layer {layer.name!r} has a kernel of shape {kernel.shape}, expected {tuple(layer.kernel.shape)}"
            )
        # A depthwise kernel is (h, w, channels, 1): its output channels are on the third axis.
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        layer.set_weights([kernel * (scale[:, None] if depthwise else scale), beta - mean * scale])
