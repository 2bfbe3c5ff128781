"""Letterbox: sizes, padding, and the way back."""

import numpy as np
import pytest

from mrcnn.letterbox import GREY, letterbox, to_image


@pytest.mark.parametrize(
    ("shape", "canvas_shape", "inner"),
    [
        ((480, 640), (288, 384), (288, 384)),
        ((640, 480), (384, 288), (384, 288)),
        ((100, 100), (384, 384), (384, 384)),
        ((427, 640), (256, 384), (256, 384)),
        ((500, 375), (384, 288), (384, 288)),
        ((333, 500), (256, 384), (256, 384)),
        ((300, 500), (256, 384), (230, 384)),
        ((32, 4000), (32, 384), (3, 384)),
    ],
)
def test_canvas_is_a_multiple_of_32_and_keeps_the_aspect(shape, canvas_shape, inner):
    canvas, window = letterbox(np.zeros((*shape, 3), np.uint8), 384)
    assert canvas.shape == (*canvas_shape, 3)
    assert window == (0, 0, *inner)


def test_filling_is_grey_and_outside_the_image():
    canvas, (_, _, height, width) = letterbox(np.zeros((300, 500, 3), np.uint8), 384)
    assert (canvas[:height, :width] == 0).all()
    assert (canvas[height:] == GREY).all()


def test_boxes_go_back_to_the_image_and_may_reach_out_of_it():
    boxes = np.array([[0, 0, 230, 384], [115, 192, 253, 384]], np.float32)
    expected = np.array([[0, 0, 300, 500], [150, 250, 330, 500]])
    assert to_image(boxes, (0, 0, 230, 384), (300, 500)) == pytest.approx(expected, abs=1e-3)
