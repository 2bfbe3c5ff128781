"""Where a photo comes from: camera, clipboard, examples, files of all kinds; and that it goes again."""

import base64
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from skimage import data

from tests.browser.photo_page import (
    BLANK,
    CHELSEA,
    IMAGES,
    choose,
    image,
    is_cat_coloured,
    segment,
)

pytestmark = pytest.mark.browser


@pytest.mark.slow
def test_webcam_photo(page):
    page.get_by_label("Capture from camera").click()
    page.locator("#photo .source-selection").get_by_label("Upload file").click()  # and back again
    page.get_by_label("Capture from camera").click()
    page.get_by_role("button", name="Click to Access Webcam").click()
    page.wait_for_function(
        "() => [...document.querySelectorAll('#photo video')].some((video) => video.videoWidth === 320)"
    )
    page.get_by_label("capture photo").click()
    expect(page.locator(IMAGES)).to_have_count(2)
    expect(page.locator("#status p")).to_have_text(re.compile(r"^Found \d cats? in \d+ ms"))
    # Not mirrored: Chelsea looks to the right of the image, where the background is.
    semantic = is_cat_coloured(image(page, "semantic"))
    assert semantic[:, :100].mean() > semantic[:, -100:].mean()


@pytest.mark.slow
def test_pasted_photo(page):
    page.evaluate(
        """async (encoded) => {
            const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
            const item = new ClipboardItem({ "image/png": new Blob([bytes], { type: "image/png" }) });
            await navigator.clipboard.write([item]);
        }""",
        base64.b64encode(Path(CHELSEA).read_bytes()).decode(),
    )
    status = page.locator("#status p")
    page.bring_to_front()  # only a window in front may read the clipboard
    page.get_by_label("Paste from clipboard").click()
    expect(status).to_have_text(re.compile(r"^Found \d cats? in \d+ ms"))


def test_examples(page):
    page.get_by_role("button", name="Example: a cat", exact=True).click()
    expect(page.locator("#status p")).to_have_text(re.compile(r"^Found \d cats? in \d+ ms"))
    page.get_by_role("button", name="Example: a cup of coffee").click()
    expect(page.locator("#status p")).to_have_text(re.compile(r"^No cat "))
    expect(page.locator(IMAGES)).to_have_count(2)
    assert not is_cat_coloured(image(page, "semantic")).any()
    expect(page.locator("#table tr")).to_have_count(0)


def test_removing_an_example_removes_its_result(page):
    page.get_by_role("button", name="Example: a cat", exact=True).click()
    expect(page.locator("#table tbody tr")).to_have_count(1)
    page.get_by_label("Remove Image").click()
    expect(page.locator(BLANK)).to_have_count(2)
    page.wait_for_timeout(2000)
    expect(page.locator(BLANK)).to_have_count(2)
    expect(page.locator("#table tr")).to_have_count(0)
    expect(page.locator("#download")).to_be_disabled()
    # The same one may be chosen again.
    page.get_by_role("button", name="Example: a cat", exact=True).click()
    expect(page.locator("#table tbody tr")).to_have_count(1)


@pytest.mark.slow
def test_removing_the_photo(page):
    segment(page)
    page.get_by_label("Remove Image").click()
    expect(page.locator(BLANK)).to_have_count(2)
    expect(page.locator("#table tr")).to_have_count(0)
    expect(page.locator("#download")).to_be_disabled()


def odd_photos():
    cat = Image.fromarray(data.chelsea())
    turned = cat.transpose(Image.Transpose.ROTATE_90)
    exif = turned.getexif()
    exif[274] = 6  # turn clockwise to see it upright
    grey = np.array(cat.convert("L"))
    return {
        "turned.jpg": (turned, {"exif": exif}),
        "grey.png": (Image.fromarray(grey), {}),
        "deep.png": (Image.fromarray(grey.astype(np.uint16) * 257), {}),
        "clear.png": (cat.convert("RGBA"), {}),
        "print.jpg": (cat.convert("CMYK"), {}),
        "palette.gif": (cat.quantize(128), {}),
        "moving.webp": (cat, {"save_all": True, "append_images": [cat.rotate(180)]}),
        "scan.tiff": (cat, {}),
        "phone.heic": (cat, {}),
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", odd_photos())
def test_odd_formats(page, tmp_path, name):
    photo, options = odd_photos()[name]
    photo.save(tmp_path / name, **options)
    segment(page, tmp_path / name)
    expect(page.locator("#status p")).to_have_text(re.compile(r"^Found \d cats? in \d+ ms"))
    height, width = image(page, "instances").shape[:2]
    assert width / height == pytest.approx(451 / 300, rel=0.01)
    # The visitor sees the photo too, in a format that the browser knows.
    page.wait_for_function("() => document.querySelector('#photo img')?.naturalWidth > 0")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, content, sentence",
    [
        ("notes.jpg", b"not an image", "is not an image in a known format"),
        ("small.png", None, "each side must have at least 32"),
    ],
)
def test_refusals_are_one_sentence(page, tmp_path, name, content, sentence):
    segment(page)
    if content is None:
        Image.new("RGB", (20, 300)).save(tmp_path / name)
    else:
        (tmp_path / name).write_bytes(content)
    page.get_by_label("Remove Image").click()
    expect(page.locator(BLANK)).to_have_count(2)
    choose(page, tmp_path / name)
    expect(page.locator("#status p")).to_contain_text(sentence)
    expect(page.locator(BLANK)).to_have_count(2)
    assert "Traceback" not in page.content()
