"""Clips of several formats, written anew."""

import av
import numpy as np
import pytest

from interface import video_io
from interface.video_io import redraw_clip
from tests.videos import read_video, write_video

RED, BLUE = (220, 30, 30), (30, 30, 220)


def halves(height=48, width=64):
    """Red above, blue below."""
    image = np.full((height, width, 3), RED, np.uint8)
    image[height // 2 :] = BLUE
    return image


def is_colour(region, colour):
    return np.abs(region.reshape(-1, 3).mean(axis=0) - colour).max() < 25


@pytest.mark.parametrize(
    "name, codec, sound",
    [
        ("a.mp4", "libx264", "aac"),
        ("a.webm", "libvpx-vp9", "libopus"),
        ("a.avi", "mpeg4", "mp3"),
        ("a.mov", "mpeg4", "aac"),
    ],
)
def test_images_are_redrawn_and_the_sound_stays(tmp_path, name, codec, sound):
    write_video(tmp_path / name, [halves()] * 20, rate=10, codec=codec, sound=sound)
    steps = list(redraw_clip(tmp_path / name, tmp_path / "out.mp4", lambda image: image[::-1]))
    assert steps[0][0] == 1 and steps[-1][0] == pytest.approx(20, abs=1)
    assert all(done <= total for done, total, _ in steps)
    images, times, heard = read_video(tmp_path / "out.mp4")
    assert len(images) == steps[-1][0]
    assert is_colour(images[10][4:20], BLUE) and is_colour(images[10][28:44], RED)
    assert times[-1] - times[0] == pytest.approx(1.9, abs=0.11)
    assert heard.shape[1] / 48000 == pytest.approx(2, abs=0.1)
    assert np.abs(heard).max() > 0.2, "not silence"


def test_a_film_without_sound(tmp_path):
    write_video(tmp_path / "a.mp4", [halves()] * 5, sound=None)
    assert list(redraw_clip(tmp_path / "a.mp4", tmp_path / "out.mp4", np.copy))[-1][:2] == (5, 5)
    assert read_video(tmp_path / "out.mp4")[2] is None


def test_a_film_held_upright_stands_upright(tmp_path):
    write_video(tmp_path / "a.mp4", [halves()] * 5, rotation=90)
    list(redraw_clip(tmp_path / "a.mp4", tmp_path / "out.mp4", np.copy))
    image = read_video(tmp_path / "out.mp4")[0][0]
    assert image.shape == (64, 48, 3)
    # Counter-clockwise, what was above comes to lie on the left.
    assert is_colour(image[8:-8, 4:20], RED) and is_colour(image[8:-8, 28:44], BLUE)


def test_long_and_fast_films_are_cut_and_thinned(tmp_path, monkeypatch):
    monkeypatch.setattr(video_io, "LONGEST", 2)
    write_video(tmp_path / "a.mp4", [halves()] * 240, rate=60)
    steps = list(redraw_clip(tmp_path / "a.mp4", tmp_path / "out.mp4", np.copy))
    assert steps[-1][:2] == (60, 60)
    _, times, heard = read_video(tmp_path / "out.mp4")
    assert times[-1] < 2
    assert heard.shape[1] / 48000 < 2.6, "what was read ahead, and no more"


@pytest.mark.parametrize("sound", ["flac", "aac"])
def test_a_sound_that_never_ends_is_cut_with_the_images(tmp_path, monkeypatch, sound):
    monkeypatch.setattr(video_io, "LONGEST", 2)
    name = {"flac": "a.mkv", "aac": "a.mp4"}[sound]
    write_video(tmp_path / name, [halves()] * 2, sound=sound, sound_seconds=60)
    list(redraw_clip(tmp_path / name, tmp_path / "out.mp4", np.copy))
    assert read_video(tmp_path / "out.mp4")[2].shape[1] / 48000 < 2.6


def test_odd_sides_lose_a_row(tmp_path):
    write_video(tmp_path / "a.mp4", [halves()] * 3)
    list(redraw_clip(tmp_path / "a.mp4", tmp_path / "out.mp4", lambda image: image[:45, :63]))
    assert read_video(tmp_path / "out.mp4")[0][0].shape == (44, 62, 3)


def test_what_was_done_by_the_time_it_is_stopped_is_a_video(tmp_path):
    write_video(tmp_path / "a.mp4", [halves()] * 40)
    images = redraw_clip(tmp_path / "a.mp4", tmp_path / "out.mp4", np.copy)
    for _ in range(10):
        next(images)
    images.close()
    shown, _, heard = read_video(tmp_path / "out.mp4")
    assert len(shown) == 10 and heard is not None


def test_a_damaged_part_does_not_lose_the_rest(tmp_path):
    rng = np.random.default_rng(0)
    write_video(tmp_path / "a.avi", [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(40)], codec="mpeg4")
    content = bytearray((tmp_path / "a.avi").read_bytes())
    content[len(content) // 2 : len(content) // 2 + 3000] = rng.bytes(3000)
    (tmp_path / "a.avi").write_bytes(content)
    steps = list(redraw_clip(tmp_path / "a.avi", tmp_path / "out.mp4", np.copy))
    assert steps[-1][0] >= 20
    assert len(read_video(tmp_path / "out.mp4")[0]) == steps[-1][0]


@pytest.mark.parametrize("content", [b"", b"no video at all"])
def test_what_is_no_film_is_said(tmp_path, content):
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(ValueError, match="a.mp4 is not a video in a known format"):
        list(redraw_clip(tmp_path / "a.mp4", tmp_path / "out.mp4", np.copy))


def test_what_only_begins_like_a_film_is_said(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"\x00\x00\x00\x20ftypisom" + bytes(100))
    with pytest.raises(ValueError, match="a.mp4 cannot be read as a video"):
        list(redraw_clip(tmp_path / "a.mp4", tmp_path / "out.mp4", np.copy))


def test_sound_alone_is_no_video(tmp_path):
    with av.open(str(tmp_path / "a.ogg"), "w") as writer:
        sound = writer.add_stream("libopus", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.float32), "fltp", "mono")
        frame.sample_rate = 48000
        writer.mux(sound.encode(frame))
        writer.mux(sound.encode(None))
    with pytest.raises(ValueError, match="a.ogg has no images, only sound"):
        list(redraw_clip(tmp_path / "a.ogg", tmp_path / "out.mp4", np.copy))
