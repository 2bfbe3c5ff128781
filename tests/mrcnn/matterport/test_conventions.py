"""The two ways of measuring boxes, and the original's way of scaling images."""

import numpy as np
import pytest
import skimage.transform
import tensorflow as tf

from mrcnn.conventions import CONVENTIONS
from mrcnn.letterbox import from_square, resize_bilinear, square_letterbox


@pytest.mark.parametrize("brightness", [0, 100])  # the darkest value of an image limits how dark its border becomes
@pytest.mark.parametrize("shape", [(77, 128), (150, 225), (300, 451), (601, 333)])
def test_resize_is_that_of_scikit_image(chelsea, shape, brightness):
    chelsea = np.maximum(chelsea, brightness)
    resized = skimage.transform.resize(
        chelsea, shape, order=1, mode="constant", cval=0, preserve_range=True, anti_aliasing=False
    )
    difference = np.abs(resize_bilinear(chelsea, shape).astype(int) - resized.astype(np.uint8))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-4


@pytest.mark.parametrize(
    ("shape", "min_size", "window"),
    [
        ((300, 451), 800, (171, 0, 852, 1024)),  # enlarged until the longer side is full
        ((100, 100), 800, (112, 112, 912, 912)),  # enlarged until the shorter side has 800
        ((900, 1000), 800, (62, 12, 962, 1012)),  # left as it is
        ((3000, 2000), 800, (0, 170, 1024, 853)),  # shrunk
        ((100, 100), 0, (462, 462, 562, 562)),
        ((32, 4000), 800, (508, 0, 516, 1024)),
    ],
)
def test_square_letterbox(shape, min_size, window):
    canvas, found = square_letterbox(np.full((*shape, 3), 200, np.uint8), 1024, min_size)
    assert found == window
    top, left, bottom, right = window
    assert canvas.shape == (1024, 1024, 3)
    assert (canvas[top + 4 : bottom - 4, left + 4 : right - 4] >= 199).all()  # fractions are cut off
    assert canvas.any(axis=(1, 2)).nonzero()[0].tolist() == list(range(top, bottom))
    assert canvas.any(axis=(0, 2)).nonzero()[0].tolist() == list(range(left, right))


def test_boxes_of_the_square_become_whole_pixels_of_the_image():
    window, image_size = (171, 0, 852, 1024), (300, 451)
    boxes = np.array([[171, 0, 852, 1024], [300.4, 100.2, 500.9, 600.1], [600, 5, 598, 9]])
    found = from_square(boxes, window, image_size)
    assert found[0].tolist() == [0, 0, 300, 451]
    assert (found == np.round(found)).all()
    expected = (boxes[1] - [171, 0, 171, 0]) * (300 / 681)
    assert found[1] == pytest.approx(expected, abs=1.2)
    assert CONVENTIONS["matterport"].visible(found).tolist() == [True, True, False]


def test_measure_goes_from_the_first_to_the_last_pixel_and_back():
    conventions = CONVENTIONS["matterport"]
    boxes = tf.constant([[0.0, 0, 64, 128], [10, 20, 30, 40]])
    measured = conventions.from_pixels(boxes, (64, 128))
    assert measured[0].numpy().tolist() == [0, 0, 1, 1]
    assert measured[1].numpy() == pytest.approx(np.array([10 / 63, 20 / 127, 29 / 63, 39 / 127]))
    assert conventions.to_pixels(measured, (64, 128)).numpy() == pytest.approx(boxes.numpy(), abs=1e-4)
    assert np.array_equal(CONVENTIONS["pixel"].from_pixels(boxes, (64, 128)), boxes)


def test_targets_are_the_inverse_of_how_deltas_are_applied():
    conventions = CONVENTIONS["matterport"]
    anchors = tf.constant([[0.1, 0.1, 0.3, 0.5], [0.5, 0.5, 0.501, 0.502]])
    boxes = tf.constant([[0.15, 0.2, 0.4, 0.45], [0.4, 0.5, 0.6, 0.505]])
    std = (0.1, 0.1, 0.2, 0.2)
    deltas = conventions.encode(boxes, anchors, std)
    assert conventions._decode(deltas, anchors, std).numpy() == pytest.approx(boxes.numpy(), abs=1e-5)


def test_padding_gives_finite_targets():
    zeros = tf.zeros((1, 4))
    assert np.isfinite(CONVENTIONS["matterport"].encode(zeros, zeros - [0.0, 0, 1, 1], (0.1, 0.1, 0.2, 0.2))).all()
