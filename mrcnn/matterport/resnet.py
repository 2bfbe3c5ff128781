"""Backbone of the `resnet50` and `resnet101` presets, its batch norms folded away.

    image (B, H, W, 3)  ->  C2, C3, C4, C5 at strides 4, 8, 16, 32

It is the ResNet of matterport's Mask_RCNN, which is that of the Caffe models: the 1x1 convolution at the beginning of a
stage has the stride, not the 3x3 as in later versions, and every convolution has a bias although a batch norm follows.
Folded batch norms are explained in `mrcnn/mobilenet_v2.py`. Layers keep the names of the h5 files.

Paper: He et al., "Deep Residual Learning for Image Recognition", 2015 (https://arxiv.org/abs/1512.03385), table 1.
"""

import keras

STAGE_WIDTHS = {2: 64, 3: 128, 4: 256, 5: 512}  # channels inside a block; its output has four times as many
EXPANSION = 4
STEM_WIDTH = 64
STEM = ("conv1/", "res2")  # layers up to C2, see `mrcnn.mobilenet_v2.STEM`


def block_letters(count):
    """Names of the blocks of a stage: a, b, c, ..."""
    return [chr(ord("a") + number) for number in range(count)]


def resnet(blocks, name="backbone"):
    """ResNet without classifier and with folded batch norms.

    Input: float (B, H, W, 3), RGB minus the mean pixel; H and W are multiples of 32.

    Args:
        blocks: tuple of 4 ints. Residual blocks in the stages 2 to 5: `(3, 4, 6, 3)` is ResNet-50, `(3, 4, 23, 3)`
            ResNet-101.
        name: str. Name of the model.

    Returns:
        A `keras.Model` that maps the input to the list `[C2, C3, C4, C5]`.
    """
    inputs = keras.Input((None, None, 3), name="image")
    # "same" would pad 2 before and 3 after; the original pads 3 on both sides.
    x = keras.layers.ZeroPadding2D(3, name="conv1_pad")(inputs)
    x = keras.layers.Conv2D(STEM_WIDTH, 7, strides=2, activation="relu", name="conv1")(x)
    x = keras.layers.MaxPooling2D(3, strides=2, padding="same", name="pool1")(x)
    features = []
    for (stage, width), count in zip(STAGE_WIDTHS.items(), blocks, strict=True):
        for letter in block_letters(count):
            first = letter == "a"
            x = _residual(x, width, f"res{stage}{letter}", stride=2 if first and stage > 2 else 1, project=first)
        features.append(x)
    return keras.Model(inputs, features, name=name)


def _residual(x, width, name, stride, project):
    """Narrow with 1x1, look around with 3x3, widen with 1x1, and add what came in."""
    shortcut = x
    if project:
        shortcut = keras.layers.Conv2D(EXPANSION * width, 1, strides=stride, name=f"{name}_branch1")(x)
    x = keras.layers.Conv2D(width, 1, strides=stride, activation="relu", name=f"{name}_branch2a")(x)
    x = keras.layers.Conv2D(width, 3, padding="same", activation="relu", name=f"{name}_branch2b")(x)
    x = keras.layers.Conv2D(EXPANSION * width, 1, name=f"{name}_branch2c")(x)
    x = keras.layers.Add(name=f"{name}_add")([x, shortcut])
    return keras.layers.ReLU(name=f"{name}_out")(x)
