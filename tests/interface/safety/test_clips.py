"""Clips that ask for more than they may have: pixels, images, seconds."""

import contextlib
import struct
import time

import numpy as np
import pytest

from interface import video_io
from interface.safety import budget
from interface.video_io import redraw_clip
from tests.videos import write_video


def redraw(tmp_path, name="a.mp4"):
    return list(redraw_clip(tmp_path / name, tmp_path / "out.mp4", np.copy))


def test_images_that_are_too_large_are_refused(tmp_path):
    write_video(tmp_path / "a.mp4", [np.zeros((3002, 3000, 3), np.uint8)], sound=None)
    with pytest.raises(ValueError, match=r"^a.mp4 has images of 3000 x 3002 pixels, but at most 9 megapixels are"):
        redraw(tmp_path)


def test_the_largest_that_phones_film_is_taken(tmp_path):
    write_video(tmp_path / "a.mp4", [np.zeros((2160, 4096, 3), np.uint8)], sound=None)
    assert redraw(tmp_path)[-1] == (1, 1, 0.0)


@pytest.mark.parametrize("side", [14_000, 16_384, 65_534])
def test_a_header_that_promises_huge_images_costs_nothing(tmp_path, side):
    write_video(tmp_path / "a.avi", [np.zeros((48, 64, 3), np.uint8)] * 4, codec="mpeg4", sound=None)
    content = (tmp_path / "a.avi").read_bytes().replace(struct.pack("<II", 64, 48), struct.pack("<II", side, side))
    (tmp_path / "a.avi").write_bytes(content)
    start = time.perf_counter()
    try:
        redraw(tmp_path, "a.avi")
    except ValueError as error:  # or the images say their own size, and it is that
        assert str(error).startswith("a.avi ")
    assert time.perf_counter() - start < 5


def test_images_that_grow_within_a_clip_are_not_decoded(tmp_path, monkeypatch):
    """The size in the header is one thing, that of an image another: MPEG says it anew in each key image."""
    monkeypatch.setattr(budget, "CLIP_PIXELS", 100 * 100)
    monkeypatch.setitem(video_io.OPTIONS, "max_pixels", str(100 * 100))
    parts = []
    for side in (64, 400):
        write_video(
            tmp_path / "part.mpg", [np.zeros((side, side, 3), np.uint8)] * 5, codec="mpeg2video", sound=None, rate=25
        )
        parts.append((tmp_path / "part.mpg").read_bytes())
    (tmp_path / "a.mpg").write_bytes(b"".join(parts))
    shapes = set()
    with contextlib.suppress(ValueError):  # the second part begins before the first one ends
        for _ in redraw_clip(tmp_path / "a.mpg", tmp_path / "out.mp4", lambda i: (shapes.add(i.shape), i)[1]):
            pass
    assert shapes == {(64, 64, 3)}


def test_no_more_images_are_decoded_than_the_budget_has(tmp_path, monkeypatch):
    """However many are shown: of 100 a second 30 are."""
    monkeypatch.setattr(budget, "CLIP_IMAGES", 50)
    write_video(tmp_path / "a.mp4", [np.zeros((48, 64, 3), np.uint8)] * 200, rate=100, sound=None)
    done, *_ = redraw(tmp_path)[-1]
    assert done <= 0.5 * 30 + 2


def test_a_clip_ends_after_half_a_minute(tmp_path):
    write_video(tmp_path / "a.mp4", [np.zeros((48, 64, 3), np.uint8)] * 80, rate=2, sound=None)
    assert video_io.LONGEST == 30
    assert redraw(tmp_path)[-1] == (60, 60, 29.5)
