"""The backbone's shapes, and where it has its strides and paddings."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mrcnn.config import PRESETS
from mrcnn.matterport.resnet import STEM, resnet


@pytest.fixture(scope="module")
def small():
    return resnet((1, 2, 1, 1))


def test_features_and_their_strides(small):
    features = small(np.zeros((2, 64, 96, 3), np.float32))
    shapes = [(2, 64 // stride, 96 // stride, width) for stride, width in ((4, 256), (8, 512), (16, 1024), (32, 2048))]
    assert [tuple(feature.shape) for feature in features] == shapes


@pytest.mark.parametrize(("preset", "convolutions"), [("resnet50", 53), ("resnet101", 104)])
def test_depth(preset, convolutions):
    """Four shortcuts more than the layers that the name counts, less the classifier."""
    names = [f"res{stage}" for stage, count in enumerate(PRESETS[preset].backbone_blocks, 2) for _ in range(count)]
    assert 1 + 3 * len(names) + 4 == convolutions


def test_the_first_convolution_of_a_stage_has_the_stride(small):
    strides = {layer.name: layer.strides for layer in small.layers if "branch" in layer.name}
    assert {name for name, stride in strides.items() if stride == (2, 2)} == {
        f"res{stage}a_branch{branch}" for stage in (3, 4, 5) for branch in ("1", "2a")
    }
    assert "res3b_branch1" not in strides


def test_stem_pads_alike_on_both_sides(small):
    random = np.random.default_rng(0)
    image = random.standard_normal((1, 64, 64, 3), np.float32)
    layer = small.get_layer("conv1")
    layer.bias.assign(random.standard_normal(64))
    padded = tf.pad(image, [[0, 0], [3, 3], [3, 3], [0, 0]])
    expected = tf.nn.relu(tf.nn.conv2d(padded, layer.kernel.value, 2, "VALID") + layer.bias.value)
    found = layer(small.get_layer("conv1_pad")(image))
    assert found.shape == (1, 32, 32, 64)
    assert np.abs(found - expected).max() < 1e-4


def test_a_residual_block_adds_what_came_in(small):
    """With the last convolution of a block at zero, the block is the identity."""
    last = small.get_layer("res3b_branch2c")
    last.kernel.assign(np.zeros(last.kernel.shape))
    last.bias.assign(np.zeros(last.bias.shape))
    ends = keras.Model(small.input, [small.get_layer(f"res3{block}_out").output for block in "ab"])
    before, after = ends(np.random.default_rng(1).standard_normal((1, 32, 32, 3), np.float32))
    assert np.abs(before).max() > 0
    assert np.array_equal(before, after)


def test_the_stem_ends_at_c2():
    layers = [layer.name for layer in resnet((2, 1, 1, 1)).layers if layer.weights]
    stem = [name for name in layers if f"{name}/".startswith(STEM)]
    assert stem == layers[: 1 + 4 + 3]
    assert layers[8].startswith("res3a")
