"""Looks of moving pictures, and the example clip."""

import numpy as np
import pytest
from PIL import Image

from interface.example_clip import RATE, SECONDS, SIZE, write_clip
from interface.video_frames import LOOKS, draw_both, frame_html, look_choices
from mrcnn import Instances
from mrcnn.results.instances import MaskWindow
from tests.videos import read_video

GREEN = (40, 200, 60)


@pytest.fixture
def scene():
    image = np.full((60, 80, 3), GREEN, np.uint8)
    window = MaskWindow(20, 30, np.ones((20, 20), bool))
    return image, Instances(np.array([[20, 30, 40, 50]]), [0.9], [1], ["cat"], (60, 80), [window])


def test_only_cats_in_colour(scene):
    image, found = scene
    drawn, semantic = draw_both(image, found, ["cat"], [0], "colour")
    assert (drawn[36:40, 34:48] == GREEN).all(), "the cat keeps its colour"
    outside = drawn[45:, :20].astype(int)
    assert (outside.max(axis=2) == outside.min(axis=2)).all(), "and the rest has none"
    assert semantic.shape == image.shape


@pytest.mark.parametrize("look", LOOKS)
def test_every_look_gives_an_image_to_be_shown(scene, look):
    image, found = scene
    (drawn,) = draw_both(image, found, ["cat"], [0], look, semantic=False)
    assert drawn.shape == image.shape and drawn.dtype == np.uint8
    html = frame_html([drawn], found, semantic=False, number=7)
    assert html.count("<img") == 1 and 'data-number="7"' in html and "1 cat marked" in html
    assert look in {key for _, key in look_choices(["cat"])}


def test_looks_are_named_after_what_the_model_finds():
    assert ("Only cats in colour", "colour") in look_choices(["cat"])
    assert ("Only objects in colour", "colour") in look_choices(["cat", "dog"])


def test_the_example_clip_moves_and_can_be_repeated(tmp_path):
    ramp = np.linspace(0, 255, 600).astype(np.uint8)
    Image.fromarray(np.repeat(np.broadcast_to(ramp, (280, 600))[..., None], 3, axis=2)).save(tmp_path / "a.png")
    write_clip(tmp_path / "a.png", tmp_path / "a.mp4")
    images, times, sound = read_video(tmp_path / "a.mp4")
    assert len(images) == RATE * SECONDS and images[0].shape == (SIZE[1], SIZE[0], 3) and sound is None
    levels = [float(image.mean()) for image in images]
    assert levels[len(levels) // 2] - levels[0] > 50, "it pans over the photo"
    assert abs(levels[-1] - levels[0]) < 10, "and back to where it began"
    assert times[-1] == pytest.approx(SECONDS - 1 / RATE, abs=0.02)
    assert (tmp_path / "a.mp4").stat().st_size < 300_000
