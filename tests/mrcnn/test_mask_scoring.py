"""What masks say of themselves, and what that does to the scores."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mrcnn.build import build_network
from mrcnn.config import PRESETS, replace
from mrcnn.mask_scoring import expected_iou, score_padded, score_rows


def masks(*values):
    """Masks of 2 x 2 cells, all of a mask alike."""
    return tf.constant([[[value] * 2] * 2 for value in values])


def test_a_sure_mask_expects_to_be_right_and_an_empty_one_does_not():
    np.testing.assert_allclose(expected_iou(masks(1.0, 0.0, 0.5, 0.8)), [1.0, 0.0, 0.0, 0.8], atol=1e-6)


def test_what_a_mask_may_miss_lowers_it_as_what_it_may_have_in_excess():
    mask = tf.constant([[[1.0, 0.9], [0.4, 0.1]]])
    assert float(expected_iou(mask)[0]) == pytest.approx(1.9 / (2 + 0.4 + 0.1))


def test_it_is_the_iou_that_masks_have_on_average_with_objects_drawn_from_them():
    random = np.random.default_rng(0)
    mask = random.beta(0.4, 0.4, (1, 40, 40)).astype(np.float32)
    objects = random.random((200, 40, 40)) < mask
    inside = mask > 0.5
    ious = (objects & inside).sum((1, 2)) / (objects | inside).sum((1, 2))
    assert float(expected_iou(tf.constant(mask))[0]) == pytest.approx(ious.mean(), abs=0.005)


def test_rows_are_sorted_again_within_each_image_and_those_below_the_confidence_go():
    rows = {
        "image_index": tf.constant([0, 0, 0, 1, 1]),
        "scores": tf.constant([0.9, 0.8, 0.7, 1.0, 0.9]),
        "class_ids": tf.constant([1, 2, 3, 4, 5]),
        "masks": masks(0.6, 0.9, 0.9, 0.4, 1.0),
    }
    found = score_rows(rows, 0.6)
    assert found["class_ids"].numpy().tolist() == [2, 3, 5]
    assert found["image_index"].numpy().tolist() == [0, 0, 1]
    np.testing.assert_allclose(found["scores"], [0.72, 0.63, 0.9], atol=1e-6)
    assert score_rows(rows, 0.0)["class_ids"].numpy().tolist() == [2, 3, 1, 5], "an empty mask is no detection"
    assert not len(score_rows(rows, 0.95)["scores"])


def test_padded_rows_are_sorted_as_well_with_zeros_behind():
    found = {
        "scores": tf.constant([[0.9, 0.8, 0.0], [0.5, 0.0, 0.0]]),
        "class_ids": tf.constant([[1, 2, 0], [3, 0, 0]]),
        "boxes": tf.reshape(tf.range(24.0), (2, 3, 4)),
        "masks": tf.stack([masks(0.6, 0.9, 0.0), masks(0.8, 0.0, 0.0)]),
    }
    scored = score_padded(found, 0.45)
    np.testing.assert_allclose(scored["scores"], [[0.72, 0.54, 0.0], [0.0, 0.0, 0.0]], atol=1e-6)
    assert scored["class_ids"].numpy().tolist() == [[2, 1, 0], [0, 0, 0]]
    np.testing.assert_array_equal(scored["boxes"][0, :2], found["boxes"].numpy()[0, [1, 0]])
    assert not scored["boxes"][0, 2:].numpy().any() and not scored["masks"][1].numpy().any()


def test_a_config_decides_whether_the_mask_counts():
    config = replace(PRESETS["lite"], pre_nms_top_n=40, post_nms_top_n=20)
    keras.utils.set_random_seed(0)
    network = build_network(config)
    assert not config.mask_scoring, "weights trained before it was there keep their scores"
    images = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), np.uint8)
    plain = network.detect(images, 0.0, 5)
    network.config = replace(config, mask_scoring=True)
    counted = network.detect(images, 0.0, 5)
    products = np.sort(plain["scores"].numpy() * expected_iou(plain["masks"]).numpy())[::-1]
    np.testing.assert_allclose(counted["scores"], products[products > 0], atol=1e-6)
