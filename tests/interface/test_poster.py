"""The line-up poster."""

import io

import numpy as np
import pytest
from PIL import Image

from interface import poster
from interface.poster import GROUND, TALLEST, WIDTH, LineUp


def cutout(width, height, colour=(200, 0, 0, 255)):
    stored = io.BytesIO()
    Image.new("RGBA", (width, height), colour).save(stored, "PNG")
    return stored.getvalue()


def pixels(line_up):
    return np.asarray(line_up.draw("title"))


def test_nothing_gives_no_poster():
    assert LineUp().draw("title") is None


@pytest.mark.parametrize("count", [1, 7, *(pytest.param(count, marks=pytest.mark.slow) for count in (60, 300))])
def test_every_cut_out_stands_on_it_and_its_size_is_bounded(count):
    line_up = LineUp()
    for number in range(count):
        line_up.add(cutout(200, 260, (250, number % 256, number // 256, 255)))
    image = pixels(line_up)
    assert image.shape[1] == WIDTH and image.shape[0] <= TALLEST
    seen = {tuple(colour) for colour in np.unique(image.reshape(-1, 3), axis=0).tolist()}
    assert all((250, number % 256, number // 256) in seen for number in range(count))


def test_rows_are_about_as_wide():
    line_up = LineUp()
    for _ in range(9):  # eight fit in a row
        line_up.add(cutout(240, 240))
    rows = (pixels(line_up) == (200, 0, 0)).all(axis=2).sum(axis=1)
    assert set(rows[rows > 0].tolist()) == {5 * 240, 4 * 240}


def test_transparent_parts_show_the_ground():
    line_up = LineUp()
    line_up.add(cutout(240, 240, (9, 9, 9, 0)))
    assert not (pixels(line_up) == (9, 9, 9)).all(axis=2).any()
    assert tuple(pixels(line_up)[70, WIDTH // 2]) == GROUND


def test_a_panorama_is_no_wider_than_its_share_and_a_speck_no_larger_than_twice():
    line_up = LineUp()
    line_up.add(cutout(3000, 100))
    line_up.add(cutout(10, 10))
    red = (pixels(line_up) == (200, 0, 0)).all(axis=2)
    assert red.sum(axis=1).max() <= poster.WIDEST * poster.HEIGHTS[0] + 20
    assert red.sum(axis=0).max() == 20


def test_beyond_the_most_they_are_counted(monkeypatch):
    monkeypatch.setattr(poster, "MOST", 2)
    line_up = LineUp()
    for _ in range(5):
        line_up.add(cutout(20, 20))
    assert len(line_up) == 2 and line_up.left_out == 3
