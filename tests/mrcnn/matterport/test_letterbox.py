"""The original's way of scaling images, and the way back."""

import numpy as np
import pytest
import skimage.transform

from mrcnn.matterport.letterbox import from_square, resize_bilinear, square_letterbox


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
    assert found[2, 0] >= found[2, 2], "upside down"
