"""What the network for matterport's weights does in its own way, and that it is chosen, saved and read as one."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from mrcnn import weights
from mrcnn.build import build_network
from mrcnn.config import PRESETS, config_from_card, replace
from mrcnn.matterport.network import MatterportNetwork
from mrcnn.network import Network


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(5)  # with some first weights everything is background
    small = replace(PRESETS["resnet50"], class_names=("cat", "dog"), backbone_blocks=(1, 1, 1, 1), image_size=128)
    return build_network(replace(small, pyramid_channels=16, proposal_channels=16, box_units=16, post_nms_top_n=20))


def test_the_backbone_decides_the_class(network):
    assert type(network) is MatterportNetwork
    assert type(build_network(PRESETS["lite"])) is Network
    with pytest.raises(ValueError, match="backbone mobilenet_v2.*resnet.*build_network"):
        Network(PRESETS["resnet50"])
    with pytest.raises(ValueError, match="backbone resnet.*mobilenet_v2.*build_network"):
        MatterportNetwork(PRESETS["lite"])
    with pytest.raises(ValueError, match="'vgg', expected one of mobilenet_v2, resnet"):
        build_network(replace(PRESETS["lite"], backbone="vgg"))


def test_cards_of_older_weights_name_the_conventions_too(network):
    for config, word in ((PRESETS["lite"], "pixel"), (network.config, "matterport")):
        settings = json.loads(json.dumps(weights.card_of(build_network(config))["config"]))
        assert config_from_card({**settings, "conventions": word}) == config


def test_a_keras_file_is_read_back_as_the_same_class(network, tmp_path):
    network.save(tmp_path / "a.keras")
    again = keras.saving.load_model(tmp_path / "a.keras")
    assert type(again) is MatterportNetwork and again.config == network.config
    image = np.random.default_rng(0).integers(0, 255, (1, 128, 128, 3), dtype=np.uint8)
    found, expected = again.detect(image, 0.0, 5), network.detect(image, 0.0, 5)
    assert len(expected["scores"]) > 0
    for name, values in expected.items():
        assert found[name].numpy() == pytest.approx(values.numpy(), abs=1e-4), name


def test_detections_without_area_are_not_shown(network):
    found = {
        "boxes": np.array([[171, 0, 852, 1024], [600, 5, 598, 9]], np.float32),
        "scores": np.array([0.9, 0.8], np.float32),
        "class_ids": np.array([1, 2], np.int32),
        "masks": np.ones((2, 28, 28), np.float32),
    }
    detections = network.detections(found, (171, 0, 852, 1024), (300, 451))
    assert detections.boxes.tolist() == [[0, 0, 300, 451]]
    assert detections.class_ids.tolist() == [1] and len(detections.soft_masks) == 1
    assert detections.soft_masks.dtype == np.float32 and not detections.mask_fading


def test_measure_goes_from_the_first_to_the_last_pixel_and_back(network):
    boxes = tf.constant([[0.0, 0, 64, 128], [10, 20, 30, 40]])
    measured = network.from_pixels(boxes, (64, 128))
    assert measured[0].numpy().tolist() == [0, 0, 1, 1]
    assert measured[1].numpy() == pytest.approx(np.array([10 / 63, 20 / 127, 29 / 63, 39 / 127]))
    assert network.to_pixels(measured, (64, 128)).numpy() == pytest.approx(boxes.numpy(), abs=1e-4)
    assert np.array_equal(Network.from_pixels(None, boxes, (64, 128)), boxes)


def test_targets_are_the_inverse_of_how_deltas_are_applied(network):
    anchors = tf.constant([[0.1, 0.1, 0.3, 0.5], [0.5, 0.5, 0.501, 0.502]])
    boxes = tf.constant([[0.15, 0.2, 0.4, 0.45], [0.4, 0.5, 0.6, 0.505]])
    std = (0.1, 0.1, 0.2, 0.2)
    deltas = network.encode_boxes(boxes, anchors, std)
    assert network._decode(deltas, anchors, std).numpy() == pytest.approx(boxes.numpy(), abs=1e-5)


def test_padding_gives_finite_targets(network):
    zeros = tf.zeros((1, 4))
    assert np.isfinite(network.encode_boxes(zeros, zeros - [0.0, 0, 1, 1], (0.1, 0.1, 0.2, 0.2))).all()
