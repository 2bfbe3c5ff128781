"""The page as visitors use it."""

import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from pycocotools.coco import COCO
from skimage import data

from interface.collage import SCENES
from interface.examples import example_photos
from tests.browser.photo_page import (
    BLANK,
    CHELSEA,
    IMAGES,
    changes,
    download,
    image,
    is_cat_coloured,
    segment,
    set_slider,
)
from tests.browser.tabs import open_tab

pytestmark = pytest.mark.browser


def test_empty_page(page, server):
    assert {address for address in page.requested if not address.startswith((server, "data:", "blob:"))} == set()
    expect(page.locator(BLANK)).to_have_count(2)
    expect(page.locator("#status p")).to_have_text("Choose a photo, or one of the examples.")
    expect(page.locator("#download")).to_be_disabled()
    expect(page.locator(".gallery-item img")).to_have_count(6 + len(SCENES))


@pytest.mark.parametrize("size", [(1280, 720), (390, 844)])
def test_first_view_is_a_finished_result_on_the_first_screen(open_page, size):
    page = open_page(first_view=True, viewport={"width": size[0], "height": size[1]})
    expect(page.locator("#status p")).to_have_text(re.compile(r"^Found 6 cats in \d+ ms"))
    expect(page.locator("#table tbody tr")).to_have_count(6)
    expect(page.locator("#download")).to_be_enabled()
    upload = page.get_by_role("button", name="Try your photo")
    second = page.locator(IMAGES).nth(1)
    wide = size[0] > 640
    rest = [second, page.locator("#looks"), page.get_by_label("Compare")] if wide else []
    for part in (upload, page.locator(IMAGES).nth(0), *rest):
        box = part.bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= size[1], "on the first screen"
    assert second.bounding_box()["y"] < size[1], "the second one begins there, even on a phone"
    # Gradio folds tabs that do not fit a moment after it has drawn them.
    page.wait_for_function(f"document.documentElement.scrollWidth <= {size[0]}")
    expect(page.locator("#looks [aria-pressed=true]")).to_have_text("Masks")
    # No empty bands above and below the picture, and nothing shows the photo a second time.
    frame, shown = (page.locator(f"figure.instances {part}").bounding_box() for part in (".frame", ".image"))
    assert shown["height"] == pytest.approx(frame["height"], abs=1)
    assert shown["width"] > 0.9 * frame["width"]
    assert page.locator("#photo").bounding_box()["height"] < 60
    # It can be redrawn like any other.
    changes(page, "instances", lambda: page.get_by_role("button", name="Blurred", exact=True).click())
    with page.expect_file_chooser() as chooser:
        upload.click()
    chooser.value.set_files(CHELSEA)
    expect(page.locator("#status p")).to_have_text(re.compile(r"^Found 1 cat in \d+ ms"))
    assert page.problems == []


LOOKS = [("Cut-out", 4), ("Sticker", 4), ("Blurred", 3), ("Only cats in colour", 3), ("Outlines", 3)]


def test_looks(page):
    segment(page)
    for look, channels in LOOKS:
        button = page.get_by_role("button", name=look, exact=True)
        changed = changes(page, "instances", button.click)
        assert changed.shape[2] == channels
        expect(button).to_have_attribute("aria-pressed", "true")
        expect(page.locator("#shown input:checked")).to_have_count(1 if look == "Outlines" else 0)
        if look == "Only cats in colour":
            beyond = ~is_cat_coloured(image(page, "semantic"))
            grey = np.ptp(changed.astype(int), axis=2)
            assert grey[beyond].mean() < 8 < grey[~beyond].mean()
    changes(page, "instances", lambda: page.get_by_label("boxes", exact=True).check())
    expect(page.locator("#looks [aria-pressed=true]")).to_have_count(0)


def test_upload_shows_both_images_side_by_side(page):
    segment(page)
    expect(page.locator("#status p")).to_have_text(re.compile(r"^Found \d cats? in \d+ ms, .*% sure\.$"))
    left, right = (page.locator(IMAGES).nth(index).bounding_box() for index in (0, 1))
    assert left["y"] == right["y"] and left["x"] + left["width"] <= right["x"]
    assert left["width"] == pytest.approx(right["width"], abs=1) and left["width"] > 300
    assert left["width"] / left["height"] == pytest.approx(451 / 300, rel=0.01)
    assert max(box["y"] + box["height"] for box in (left, right)) < 900
    for index in (0, 1):
        assert page.locator(IMAGES).nth(index).get_attribute("alt")
        assert page.locator(IMAGES).nth(index).evaluate("image => image.naturalWidth") == 800
    semantic = is_cat_coloured(image(page, "semantic"))
    height, width = semantic.shape
    # Chelsea's face, between her eyes.
    assert semantic[int(0.4 * height), int(0.5 * width)]
    assert 0.3 < semantic.mean() < 0.95
    instances = image(page, "instances")
    photo = np.array(Image.fromarray(data.chelsea()).resize((width, height)))
    tinted = (np.abs(instances.astype(int) - photo).sum(axis=2) > 30) & semantic
    assert tinted.sum() > 0.8 * semantic.sum()


def test_sliders_and_switches_redraw_without_the_network(page):
    segment(page)
    sentence = page.locator("#status p").inner_text()
    photo = np.array(Image.fromarray(data.chelsea()).resize((800, 532)))
    semantic = is_cat_coloured(image(page, "semantic"))

    faint = changes(page, "instances", lambda: set_slider(page, "opacity", 0))
    bold = changes(page, "instances", lambda: set_slider(page, "opacity", 100))
    difference = np.abs(bold.astype(int) - photo).sum(axis=2)[semantic].mean()
    assert difference > 3 * np.abs(faint.astype(int) - photo).sum(axis=2)[semantic].mean()
    changes(page, "instances", lambda: set_slider(page, "opacity", 50))
    for name in ("boxes", "outlines", "labels", "scores", "masks"):
        changes(page, "instances", lambda name=name: page.get_by_label(name, exact=True).uncheck())
    # Nothing is drawn any more: the photo itself, but for JPEG.
    assert np.abs(image(page, "instances").astype(int) - photo).mean() < 6

    changes(page, "semantic", lambda: page.get_by_label("overlay", exact=True).check())
    larger = changes(page, "semantic", lambda: set_slider(page, "mask-threshold", 5))
    assert larger.shape == (532, 800, 3)
    # The time is measured anew whenever the network runs; it stands in the sentence, so it did not run.
    assert page.locator("#status p").inner_text() == sentence


def test_confidence_decides_what_counts(page):
    segment(page)
    scores = [int(text.rstrip(" %")) for text in page.locator("#table tbody td:nth-child(3)").all_inner_texts()]
    assert scores and min(scores) >= 50 and max(scores) < 100
    cheetah = example_photos()[1]  # a guess: neither sure nor out of the question
    page.get_by_label("Remove Image").click()
    segment(page, cheetah)
    surest = page.locator("#status p").inner_text()
    for confidence in (5, 99):
        set_slider(page, "confidence", confidence)
        expect(page.locator("#status p")).not_to_have_text(surest)
        surest = page.locator("#status p").inner_text()
        texts = page.locator("#table tbody td:nth-child(3)").all_inner_texts()
        assert all(int(text.rstrip(" %")) >= confidence for text in texts)


@pytest.mark.slow
@pytest.mark.parametrize("background, channels", [("grey", 3), ("blurred", 3), ("colour", 3), ("transparent", 4)])
def test_background(page, background, channels):
    segment(page)
    original = image(page, "instances")
    changed = changes(page, "instances", lambda: page.get_by_label(background, exact=True).check())
    assert changed.shape == (*original.shape[:2], channels)
    semantic = is_cat_coloured(image(page, "semantic"))
    beyond = ~semantic
    if background == "transparent":
        assert (changed[..., 3][beyond] > 0).mean() < 0.1 and (changed[..., 3][semantic] > 0).mean() > 0.9
    else:
        moved = np.abs(changed.astype(int) - original).sum(axis=2)
        assert moved[beyond].mean() > 3 * moved[semantic].mean()


@pytest.mark.slow
def test_the_background_takes_a_colour_of_ones_own(page):
    segment(page)
    changes(page, "instances", lambda: page.get_by_label("colour", exact=True).check())
    page.locator("#background-colour button").first.click()
    field = page.locator("#background-colour input[type=text]")
    expect(field).to_be_visible()

    def choose_green():
        field.fill("#00c800")
        field.press("Enter")

    shown = changes(page, "instances", choose_green)
    beyond = ~is_cat_coloured(image(page, "semantic"))
    assert (np.abs(shown[beyond].astype(int) - (0, 200, 0)).max(axis=1) < 40).mean() > 0.8


@pytest.mark.slow
def test_pointing_names_the_cat_in_images_and_table(page):
    segment(page)
    row = page.locator("#table tr[data-row='0']")
    page.locator("figure.instances path[data-row='0']").hover()
    expect(row).to_have_class("active")
    expect(page.locator(".pointed")).to_have_text(re.compile(r"^Cat 1, \d+ % sure, [\d.]+ % of the image$"))
    page.mouse.move(1, 1)
    expect(row).not_to_have_class("active")
    row.hover()
    expect(page.locator("path.active")).to_have_count(2)
    page.mouse.move(1, 1)
    # By keyboard too, and what was chosen stays through a redraw.
    row.focus()
    expect(page.locator("path.active")).to_have_count(2)
    row.press("Enter")
    changes(page, "instances", lambda: set_slider(page, "opacity", 80))
    expect(page.locator("path.active")).to_have_count(2)
    expect(row).to_have_class("active")
    # Through a click on a switch as well.
    changes(page, "instances", lambda: page.get_by_label("boxes", exact=True).uncheck())
    expect(page.locator("path.active")).to_have_count(2)
    page.locator("#table tr[data-row='0']").press("Escape")
    expect(page.locator("path.active")).to_have_count(0)


def test_archive(page, tmp_path):
    segment(page)
    rows = page.locator("#table tbody tr").count()
    path = download(page, tmp_path)
    assert path.name == "chelsea-segmented.zip"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / "chelsea"
    document = COCO(folder / "coco.json")
    assert len(document.anns) == rows
    cats = np.any([document.annToMask(row) for row in document.anns.values()], axis=0)
    with Image.open(folder / "semantic-classes.png") as image:
        np.testing.assert_array_equal(np.array(image), cats.astype(np.uint8))
    with Image.open(folder / "overlay.png") as image:
        assert image.size == (451, 300)
    assert json.loads((folder / "coco.json").read_text())["images"][0]["file_name"] == "chelsea.png"


@pytest.mark.slow
def test_single_downloads(page, tmp_path):
    segment(page)
    sizes = {}
    for title in ("Overlay (PNG)", "Instance labels (16-bit PNG)", "Cut-out 1, cat (PNG)"):
        with Image.open(download(page, tmp_path, title)) as image:
            sizes[Path(image.filename).name] = (image.mode, image.size)
    assert sizes["chelsea-overlay.png"] == ("RGB", (451, 300))
    assert sizes["chelsea-instances-16bit.png"] == ("I;16", (451, 300))
    mode, (width, height) = sizes["chelsea-cutout-01-cat.png"]
    assert mode == "RGBA" and width <= 451 and height <= 300
    assert download(page, tmp_path, "Table (CSV)").read_text().startswith("number,class,score")
    # A choice that what is shown no longer offers falls back to everything.
    page.locator("#wanted input").click()
    page.get_by_role("option", name="Cut-out 1, cat (PNG)").click()
    page.get_by_role("button", name="Example: a cup of coffee").click()  # a cup of coffee
    expect(page.locator("#status p")).to_have_text(re.compile(r"^No cat "))
    expect(page.locator("#wanted input")).to_have_value("All results (ZIP)")


def places(page):
    """Where the parts of the page stand: left, top, width and height in pixels."""
    return page.evaluate(
        """(names) => names.map((name) => {
            const box = document.querySelector(name).getBoundingClientRect();
            return [name, box.x, box.y + scrollY, box.width, box.height];
        })""",
        ["#status", "#images", "#looks", "#sliders", "#switches", "#styles"],
    )


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1366, 900), (390, 844)])
def test_nothing_moves_when_the_result_comes(open_page, tmp_path, size):
    page = open_page(viewport={"width": size[0], "height": size[1]})
    wide = size[0] > 640

    def standing():
        """On a phone the pictures follow the photo's shape, and what comes below them moves."""
        now = places(page)
        return now if wide else [place[:3] for place in now if place[0] in ("#status", "#images")]

    before = standing()
    upright = tmp_path / "upright.png"
    Image.fromarray(data.chelsea()[:, 60:260]).save(upright)
    for photo in (CHELSEA, upright):
        segment(page, photo)
        assert standing() == before
        frame, shown = (page.locator(f"figure.instances {part}").bounding_box() for part in (".frame", "img"))
        height, width = image(page, "instances").shape[:2]
        assert shown["width"] / shown["height"] == pytest.approx(width / height, rel=0.01)
        assert max(shown["width"] / frame["width"], shown["height"] / frame["height"]) == pytest.approx(1, abs=0.01)
        page.get_by_label("Remove Image").click()
        expect(page.locator(BLANK)).to_have_count(2)
    assert page.problems == []


@pytest.mark.slow
def test_phone(open_page):
    page = open_page(viewport={"width": 390, "height": 844}, device_scale_factor=2, is_mobile=True, has_touch=True)
    segment(page)
    first, second = (page.locator(IMAGES).nth(index).bounding_box() for index in (0, 1))
    assert second["y"] > first["y"] + first["height"]
    assert first["x"] == second["x"] and first["width"] > 330
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("figure.instances path[data-row='0']").tap()
    expect(page.locator(".pointed")).to_contain_text("Cat 1")
    expect(page.locator(".sticker img")).to_be_visible()
    for part in page.locator(".sticker figcaption > *").all():
        box = part.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390, "what can be done with it is on the screen"
    example = page.locator(".gallery-item").first
    assert example.locator("img").bounding_box()["width"] >= example.bounding_box()["width"] - 2, "no strip beside it"
    assert page.problems == []


@pytest.mark.slow
def test_explanation_and_guide(page, server):
    open_tab(page, "How it works")
    figures = page.locator("img.explanation")
    expect(figures).to_have_count(2)
    for index in (0, 1):
        figures.nth(index).scroll_into_view_if_needed()
        page.wait_for_function(f"() => document.querySelectorAll('img.explanation')[{index}].naturalWidth > 1000")
    open_tab(page, "For programs")
    expect(page.locator("#guide")).to_contain_text("gradio_client")
    expect(page.locator("#guide")).to_contain_text(f'client = Client("{server}")')
    expect(page.locator("#guide")).to_contain_text(f"{server}/gradio_api/mcp/")
