"""RoIAlign against a slow loop written from the paper."""

import numpy as np
import pytest
import tensorflow as tf

from mrcnn.roi_align import assign_levels, roi_align


def slow_roi_align(level, box, stride, pool_size):
    """One sample at the centre of each bin, bilinear between the four cell centres around it, borders continued."""
    height, width, channels = level.shape
    y1, x1, y2, x2 = np.array(box, np.float64) / stride
    pooled = np.zeros((pool_size, pool_size, channels))
    for i in range(pool_size):
        for j in range(pool_size):
            y = y1 + (i + 0.5) * (y2 - y1) / pool_size - 0.5
            x = x1 + (j + 0.5) * (x2 - x1) / pool_size - 0.5
            for row in (int(np.floor(y)), int(np.floor(y)) + 1):
                for column in (int(np.floor(x)), int(np.floor(x)) + 1):
                    weight = (1 - abs(y - row)) * (1 - abs(x - column))
                    cell = level[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
                    pooled[i, j] += weight * cell
    return pooled


def test_agrees_with_the_loop_on_every_level():
    random = np.random.default_rng(1)
    levels = [random.normal(size=(2, 64 // 2**k, 48 // 2**k, 5)).astype(np.float32) for k in range(3)]
    boxes = np.array(
        [[3, 5, 20, 31], [0, 0, 256, 192], [100.5, 20.25, 190.75, 120], [10, 10, 60, 60], [250, 180, 256, 192]],
        np.float32,
    )
    images = np.array([0, 1, 1, 0, 1])
    pooled = roi_align([tf.constant(level) for level in levels], boxes, images, 7).numpy()
    chosen = assign_levels(boxes, 7, 2, 4).numpy()
    assert set(chosen) == {2, 3, 4}, "the boxes of this test should reach all levels"
    for row, (box, image, level) in enumerate(zip(boxes, images, chosen, strict=True)):
        expected = slow_roi_align(levels[level - 2][image], box, 2**level, 7)
        assert pooled[row] == pytest.approx(expected, abs=1e-4)


def test_samples_are_not_rounded_to_cells():
    """A ramp is reproduced exactly: RoIPool would be off by up to half a cell."""
    ramp = np.broadcast_to(np.arange(32, dtype=np.float32)[:, None], (32, 32))[None, :, :, None]
    pooled = roi_align([tf.constant(ramp)], np.array([[10.4, 8, 66.4, 64]], np.float32), np.array([0]), 14).numpy()
    centres = 10.4 + (np.arange(14) + 0.5) * 56 / 14  # pixels
    assert pooled[0, :, 0, 0] == pytest.approx(centres / 4 - 0.5, abs=1e-4)


@pytest.mark.parametrize(
    ("side", "pool_size", "level"), [(224, 14, 4), (223, 14, 3), (112, 7, 4), (447, 14, 4), (4, 7, 2), (5000, 7, 5)]
)
def test_assign_levels(side, pool_size, level):
    assert assign_levels(tf.constant([[0.0, 0, side, side]]), pool_size, 2, 5).numpy() == [level]


def test_without_boxes_gives_nothing():
    level = tf.zeros((1, 8, 8, 3))
    assert roi_align([level], tf.zeros((0, 4)), tf.zeros((0,), tf.int32), 7).shape == (0, 7, 7, 3)


def test_gradient_reaches_only_the_sampled_cells():
    level = tf.Variable(tf.zeros((1, 8, 8, 1)))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(roi_align([level], tf.constant([[8.0, 8.0, 16.0, 16.0]]), tf.constant([0]), 2))
    gradient = tf.convert_to_tensor(tape.gradient(total, level)).numpy()[0, :, :, 0]
    assert gradient.sum() == pytest.approx(4)  # each of the four bins hands back its weight of 1
    assert gradient[2:4, 2:4] == pytest.approx(np.ones((2, 2)))
