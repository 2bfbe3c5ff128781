"""Reading a real .tflite file, written here by TensorFlow's converter with float16 weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mrcnn.mobilenet_v2 import convolutions, mobilenet_v2
from pipeline.training.convert_backbone import fill, read_convolutions


def test_kernels_come_back_in_keras_order(tmp_path):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((16, 16, 3), batch_size=1),
            keras.layers.Conv2D(4, 3, strides=2, activation="relu6", bias_initializer="uniform"),
            keras.layers.DepthwiseConv2D(3, bias_initializer="uniform"),
            keras.layers.Conv2D(5, 1, bias_initializer="uniform"),
        ]
    )
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    path = tmp_path / "model.tflite"
    path.write_bytes(converter.convert())

    found = read_convolutions(path)
    assert len(found) == 3
    for layer, (kernel, bias) in zip(model.layers, found, strict=True):
        expected_kernel, expected_bias = layer.get_weights()
        np.testing.assert_allclose(kernel, expected_kernel, atol=1e-3)
        np.testing.assert_allclose(bias, expected_bias, atol=1e-3)


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"this is no flatbuffer at all")
    with pytest.raises(ValueError, match="is not a .tflite file"):
        read_convolutions(path)


def test_fill_skips_the_predictors_and_refuses_other_shapes():
    backbone = mobilenet_v2()
    random = np.random.default_rng(0)
    shapes = [(layer.kernel.shape, layer.bias.shape) for layer in convolutions(backbone)]
    found = [(random.normal(size=kernel), random.normal(size=bias)) for kernel, bias in shapes]
    predictor = (np.zeros((1, 1, 576, 12)), np.zeros(12))
    graph = [*found[:40], predictor, predictor, *found[40:]]
    fill(backbone, graph)
    for layer, (kernel, bias) in zip(convolutions(backbone), found, strict=True):
        np.testing.assert_allclose(layer.get_weights()[0], kernel, rtol=1e-6)
        np.testing.assert_allclose(layer.get_weights()[1], bias, rtol=1e-6)
    with pytest.raises(ValueError, match="in the file, expected"):
        fill(backbone, found[1:] + found[:3])
    with pytest.raises(ValueError, match="the file has 10 backbone convolutions"):
        fill(backbone, found[:10])
