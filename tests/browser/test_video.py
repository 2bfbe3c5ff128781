"""The Video tab with a clip of Chelsea the cat, who moves from side to side."""

import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from skimage import data

from mrcnn.results import drawing
from tests.browser.tabs import open_tab
from tests.films import read_film, write_film

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("film") / "chelsea.mp4"
    picture = np.asarray(Image.fromarray(data.chelsea()).resize((320, 212)))
    write_film(path, [np.roll(picture, int(10 * np.sin(number / 5)), axis=1) for number in range(30)])
    return path


def choose_clip(page, path):
    open_tab(page, "Video")
    page.set_input_files("#clip input[type=file]", path)
    page.wait_for_selector("#clip video")


def test_a_clip_comes_back_with_masks_and_sound(page, film, tmp_path, server):
    choose_clip(page, film)
    page.locator("#clip-start").click()
    expect(page.locator("#clip-status")).to_have_text(
        re.compile(r"Done: 30 pictures, 1 found at most, [\d.]+ a second\.")
    )
    page.wait_for_function("() => document.querySelector('#clip-result video')?.videoWidth === 640")
    with page.expect_download() as download:
        page.locator("#clip-result").get_by_label("Download").click()
    download.value.save_as(tmp_path / "out.mp4")
    assert download.value.suggested_filename == "chelsea-segmented.mp4"
    pictures, _, sound = read_film(tmp_path / "out.mp4")
    assert len(pictures) == 30 and sound is not None
    semantic = np.abs(pictures[0][:, 320:].astype(int) - drawing.class_colour(1)).max(axis=2) < 60
    assert 0.3 < semantic.mean() < 0.95
    assert {address for address in page.requested if not address.startswith((server, "data:", "blob:"))} == set()


def test_a_stopped_clip_gives_what_was_done(page, film, tmp_path):
    long = tmp_path / "long.mp4"
    write_film(long, read_film(film)[0] * 10, rate=30)
    choose_clip(page, long)
    page.locator("#clip-start").click()
    expect(page.locator("#clip-status")).to_contain_text("Picture ")
    page.locator("#clip-stop").click()
    expect(page.locator("#clip-status")).to_contain_text(re.compile(r"Stopped after \d+ pictures"))
    page.wait_for_function("() => document.querySelector('#clip-result video')?.duration > 0")


def test_a_broken_clip_gives_one_sentence(page, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    choose_clip(page, tmp_path / "broken.mp4")
    page.locator("#clip-start").click()
    expect(page.locator("#clip-status")).to_contain_text("Sorry. broken.mp4 cannot be read as a film")
