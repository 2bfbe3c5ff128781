"""The Many photos tab."""

import csv
import io
import re
import zipfile

import pytest
from PIL import Image
from playwright.sync_api import expect

from interface.examples import example_photos
from interface.poster import TALLEST, WIDTH
from tests.browser.tabs import open_tab

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_photos_and_a_zip_give_a_gallery_and_one_zip(page, tmp_path):
    chelsea, _, _, coffee, _ = example_photos()
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.write(chelsea, "album/chelsea.png")
        archive.writestr("album/notes.txt", "no image either")
    open_tab(page, "Many photos")
    expect(page.locator("#batch-download")).to_be_disabled()
    place = page.locator("#batch-start").bounding_box()
    page.set_input_files("#batch-files input[type=file]", [tmp_path / "in.zip", coffee, tmp_path / "bad.jpg", chelsea])
    expect(page.locator("#batch-files")).to_contain_text("bad")
    assert page.locator("#batch-start").bounding_box() == pytest.approx(place, abs=1)
    page.locator("#batch-start").click()
    status = page.locator("#batch-status")
    expect(status).to_contain_text("5 of 5 photos done, 2 of them could not be read")
    expect(status).to_contain_text("bad.jpg is not an image in a known format")
    expect(page.locator("#batch-gallery img")).to_have_count(3)
    expect(page.locator("#batch-gallery img[alt='coffee.png: nothing']")).to_have_count(1)
    with page.expect_download() as download:
        page.locator("#batch-download").click()
    download.value.save_as(tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        rows = list(csv.DictReader(io.StringIO(archive.read("photos.csv").decode())))
    for stem in ("chelsea", "chelsea-2", "coffee"):
        assert {f"{stem}/overlay.png", f"{stem}/coco.json", f"{stem}/instances-16bit.png"} <= set(names)
    assert [(row["photo"], row["objects"]) for row in rows] == [
        ("chelsea.png", "1"),
        ("notes.txt", ""),
        ("coffee.png", "0"),
        ("bad.jpg", ""),
        ("chelsea.png", "1"),
    ]


def test_a_stopped_run_keeps_what_is_done_and_the_gallery_stays_where_it_is(page):
    open_tab(page, "Many photos")
    page.set_input_files("#batch-files input[type=file]", [example_photos()[0]] * 100)
    expect(page.locator("#batch-files")).to_contain_text("chelsea")
    page.locator("#batch-start").click()
    images, grid = page.locator("#batch-gallery img"), page.locator("#batch-gallery .grid-wrap")
    expect(images.nth(9)).to_be_attached()
    grid.evaluate("(grid) => { grid.scrollTop = 150; }")
    place = grid.bounding_box()
    expect(images.nth(19)).to_be_attached()
    assert grid.evaluate("(grid) => grid.scrollTop") == 150 and grid.bounding_box() == place
    page.locator("#batch-stop").click()
    expect(page.locator("#batch-download")).to_be_enabled()
    done = int(re.search(r"(\d+) of 100 photos done", page.locator("#batch-status").inner_text())[1])
    assert 20 <= done < 100
    expect(images).to_have_count(done)


def test_the_most_doubtful_comes_first_and_is_corrected(page, tmp_path):
    open_tab(page, "Many photos")
    page.locator("#batch-examples").click()
    status = page.locator("#batch-status")
    expect(status).to_contain_text("21 cats in 8 photos, 4 of them without")
    page.get_by_role("radio", name="Without").check()
    expect(page.locator("#batch-gallery img")).to_have_count(4)
    page.get_by_role("radio", name="All").check()
    page.get_by_role("radio", name="Most doubtful first").check()
    photos = page.locator("#batch-gallery .thumbnail-item")
    expect(photos.first).to_contain_text("a cheetah.jpg: nothing, a guess at")
    expect(photos.nth(1)).to_contain_text(
        re.compile(r"twelve-cats-at-their-windows.jpg: 12 cats, one only \d\d % sure")
    )
    cheetah = photos.first
    # What is written of a photo stands below it, not on its map.
    image, words = cheetah.locator("img").bounding_box(), cheetah.locator(".caption-label").bounding_box()
    assert image["y"] + image["height"] <= words["y"] + 1
    with page.expect_download() as download:
        page.locator("#batch-poster").click()
    download.value.save_as(tmp_path / "line-up.png")
    with Image.open(tmp_path / "line-up.png") as poster:
        assert poster.width == WIDTH and poster.height < TALLEST
    cheetah.click()
    page.get_by_role("button", name="Correct a cheetah.jpg").click()
    expect(page.locator("#editor .editor")).to_be_visible()
    expect(page.locator("#correct-status")).to_contain_text("a cheetah.jpg: nothing found")
