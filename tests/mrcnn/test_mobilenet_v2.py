"""The folded backbone computes what keras.applications computes."""

import keras
import numpy as np
import pytest

from mrcnn.mobilenet_v2 import FEATURES, convolutions, fold_batch_norms, mobilenet_v2


def random_application():
    """keras.applications.MobileNetV2 with random weights and random batch-norm statistics."""
    keras.utils.set_random_seed(0)
    source = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(96, 128, 3))
    random = np.random.default_rng(0)
    for layer in source.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = (weight.shape for weight in layer.get_weights())
            layer.set_weights(
                [
                    random.uniform(0.5, 1.5, gamma),
                    random.normal(0, 0.2, beta),
                    random.normal(0, 0.2, mean),
                    random.uniform(0.5, 2.0, variance),
                ]
            )
    return source


def test_folded_network_has_the_same_features():
    source = random_application()
    target = mobilenet_v2()
    fold_batch_norms(source, target)
    # In keras.applications the linear outputs of a block are those of the batch norm behind the convolution.
    layers = [layer if "project" not in layer else f"{layer}_BN" for layer in FEATURES.values()]
    reference = keras.Model(source.input, [source.get_layer(layer).output for layer in layers])
    images = np.random.default_rng(1).uniform(-1, 1, (2, 96, 128, 3)).astype(np.float32)
    expected, actual = reference(images, training=False), target(images)
    for level, (wanted, got) in enumerate(zip(expected, actual, strict=True), start=2):
        wanted = np.asarray(wanted)
        assert wanted.shape == (2, 96 // 2**level, 128 // 2**level, wanted.shape[-1])
        assert wanted.std() > 1e-3, "features that are all zero would agree with anything"
        np.testing.assert_allclose(np.asarray(got), wanted, rtol=0, atol=1e-4)


def test_another_network_is_refused():
    source = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Conv2D(8, 3, name="Conv1")])
    with pytest.raises(ValueError, match="not a MobileNetV2"):
        fold_batch_norms(source, mobilenet_v2())


def test_a_narrower_network_is_refused():
    source = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(96, 96, 3), alpha=0.5)
    with pytest.raises(ValueError, match="kernel of shape"):
        fold_batch_norms(source, mobilenet_v2())


def test_has_all_51_convolutions_up_to_block_16():
    assert len(convolutions(mobilenet_v2())) == 1 + 2 + 16 * 3
