"""The Video tab with a clip of Chelsea the cat, who moves from side to side."""

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from skimage import data

from mrcnn.results import drawing
from tests.browser.tabs import open_tab
from tests.videos import read_video, write_video

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "chelsea.mp4"
    image = np.asarray(Image.fromarray(data.chelsea()).resize((320, 212)))
    write_video(path, [np.roll(image, int(10 * np.sin(number / 5)), axis=1) for number in range(30)])
    return path


def choose_clip(page, path):
    open_tab(page, "Video")
    page.set_input_files("#clip input[type=file]", path)
    page.wait_for_selector("#clip video")


def test_a_clip_comes_back_with_masks_and_sound(page, video, tmp_path, server):
    choose_clip(page, video)
    page.locator("#clip-start").click()
    expect(page.locator("#clip-status")).to_have_text(re.compile(r"Done: 30 images, 1 cat, [\d.]+ images a second\."))
    page.wait_for_function("() => document.querySelector('#clip-result video')?.videoWidth === 640")
    with page.expect_download() as download:
        page.locator("#clip-result").get_by_label("Download").click()
    download.value.save_as(tmp_path / "out.mp4")
    assert download.value.suggested_filename == "chelsea-segmented.mp4"
    images, _, sound = read_video(tmp_path / "out.mp4")
    assert len(images) == 30 and sound is not None
    semantic = np.abs(images[0][:, 320:].astype(int) - drawing.class_colour(1)).max(axis=2) < 60
    assert 0.3 < semantic.mean() < 0.95
    with page.expect_download() as download:
        page.locator("#clip-csv").click()
    assert download.value.suggested_filename == "chelsea-presence.csv"
    (row,) = csv.DictReader(io.StringIO(Path(download.value.path()).read_text()))
    assert row["class"] == "cat" and row["images"] == "30" and float(row["present_s"]) == pytest.approx(3, abs=0.15)
    expect(page.locator("#clip-table tbody tr")).to_have_count(1)
    assert {address for address in page.requested if not address.startswith((server, "data:", "blob:"))} == set()


def test_a_stopped_clip_gives_what_was_done(page, video, tmp_path):
    long = tmp_path / "long.mp4"
    write_video(long, read_video(video)[0] * 10, rate=30)
    choose_clip(page, long)
    page.locator("#clip-start").click()
    expect(page.locator("#clip-status")).to_contain_text("Image ")
    # What is done is seen while the rest is in work.
    images = page.locator("#clip-view img")
    expect(images).to_have_count(2)
    before = images.first.get_attribute("src")
    page.wait_for_function(f"() => document.querySelector('#clip-view img').src !== {json.dumps(before)}")
    page.locator("#clip-stop").click()
    expect(page.locator("#clip-status")).to_contain_text(re.compile(r"Stopped after \d+ images"))
    page.wait_for_function("() => document.querySelector('#clip-result video')?.duration > 0")


def test_a_broken_clip_gives_one_sentence(page, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    choose_clip(page, tmp_path / "broken.mp4")
    page.locator("#clip-start").click()
    expect(page.locator("#clip-status")).to_contain_text("Sorry. broken.mp4 is not a video in a known format")


def test_the_example_has_six_cats_who_keep_their_numbers(page):
    open_tab(page, "Video")
    page.locator("#clip-examples .gallery-item").click()
    page.wait_for_selector("#clip video")
    page.get_by_label("Only cats in colour").click()
    page.locator("#clip-start").click()
    expect(page.locator("#clip-status")).to_contain_text(re.compile(r"Done: 72 images, 6 cats, "))
    assert page.locator("#clip-table td:first-child").all_inner_texts() == list("123456")
