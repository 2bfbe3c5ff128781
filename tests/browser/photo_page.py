"""The Photo tab as tests use it."""

import base64
import io
import re

import numpy as np
from PIL import Image
from playwright.sync_api import expect

from interface.examples import example_photos
from mrcnn.results import drawing

CHELSEA = example_photos()[0]
IMAGES = ".result .image img"
BLANK = ".result .blank"
CAT_COLOUR = np.array(drawing.class_colour(1))


def choose(page, path):
    page.set_input_files("#photo input[type=file]", path)


def segment(page, path=CHELSEA):
    choose(page, path)
    expect(page.locator(IMAGES)).to_have_count(2)
    expect(page.locator("#status p")).to_contain_text(re.compile(r" in \d+ ms"))


def image(page, name):
    """What the page shows, as an array."""
    address = page.locator(f"figure.{name} img").get_attribute("src")
    with Image.open(io.BytesIO(base64.b64decode(address.split(",", 1)[1]))) as image:
        return np.array(image)


def changes(page, name, action):
    """Does something that must redraw an image, and returns the new image."""
    before = page.locator(f"figure.{name} img").get_attribute("src")
    action()
    expect(page.locator(f"figure.{name} img")).not_to_have_attribute("src", before)
    return image(page, name)


def set_slider(page, name, value):
    field = page.locator(f"#{name} input[type=number]")
    field.fill(str(value))
    field.press("Tab")


def is_cat_coloured(shown):
    return (np.abs(shown[..., :3].astype(int) - CAT_COLOUR) < 40).all(axis=2)


def download(page, folder, title=None):
    """Chooses what to take home, by default what is chosen already, and returns the path of the file that comes."""
    if title is not None:
        page.locator("#wanted input").click()
        page.get_by_role("option", name=title, exact=True).click()
    with page.expect_download() as waiting:
        page.locator("#download").click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path
