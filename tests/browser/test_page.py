"""The page as visitors use it."""

import base64
import io
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
from mrcnn.results import drawing
from tests.browser.tabs import open_tab

pytestmark = pytest.mark.browser

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


@pytest.mark.slow
def test_a_photo_that_is_removed_while_it_is_looked_at_does_not_come_back(page, tmp_path):
    large = tmp_path / "large.png"
    Image.fromarray(data.chelsea()).resize((6000, 4000), Image.NEAREST).save(large)
    page.locator("#photo input[type=file]").set_input_files(large)
    page.get_by_label("Remove Image").click()
    page.evaluate(
        """() => {
            const status = document.querySelector("#status"), note = () => said.push(status.textContent);
            window.said = [];
            new MutationObserver(note).observe(status, { childList: true, subtree: true, characterData: true });
        }"""
    )
    page.wait_for_timeout(6000)
    assert not [words for words in page.evaluate("said") if "Found" in words]
    expect(page.locator("#status p")).to_have_text("Choose a photo, or one of the examples.")
    expect(page.locator(BLANK)).to_have_count(2)
    expect(page.get_by_label("Remove Image")).to_have_count(0)
    segment(page)


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
@pytest.mark.parametrize("locale", ["de-DE", "fr-FR"])
def test_sliders_know_no_decimal_marks(open_page, locale):
    page = open_page(locale=locale)
    assert page.evaluate("(0.5).toLocaleString()") == "0,5"
    segment(page)
    for name in ("confidence", "opacity", "mask-threshold"):
        assert page.locator(f"#{name} input[type=range]").get_attribute("step") == "1"
    faint = changes(page, "instances", lambda: set_slider(page, "opacity", 7))
    handle = page.locator("#opacity input[type=range]")
    handle.focus()
    bold = changes(page, "instances", lambda: handle.press("End"))
    assert np.abs(bold.astype(int) - faint).mean() > 5
    expect(page.locator("#opacity input[type=number]")).to_have_value("100")
    assert page.problems == []


@pytest.mark.slow
def test_everything_is_reached_by_keyboard(page):
    segment(page)
    page.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(100):
        page.keyboard.press("Tab")
        reached |= set(
            page.evaluate(
                """() => {
                    const names = [];
                    for (let part = document.activeElement; part; part = part.parentElement)
                        names.push(part.id, part.dataset?.row && "row");
                    return names.filter(Boolean);
                }"""
            )
        )
    wanted = {"photo", "confidence", "opacity", "mask-threshold", "shown", "styles", "row", "download"}
    wanted |= {"view", "upload", "looks"}
    assert wanted <= reached


@pytest.mark.slow
def test_screen_readers_are_told_of_results(page):
    line = page.locator("#status").get_by_role("status")
    expect(line).to_have_text("Choose a photo, or one of the examples.")
    before = line.element_handle()
    segment(page)
    assert re.match(r"Found \d cats? in ", before.inner_text()), "in a region that was there before"
    for tab, name in (("Video", "clip-status"), ("Many photos", "batch-status"), ("Correct", "correct-status")):
        open_tab(page, tab)
        line = page.locator(f"#{name}").get_by_role("status")
        expect(line).to_be_visible()
        assert line.inner_text(), "the words themselves"
        expect(line.get_by_test_id("status-tracker")).to_have_count(0)
    # The line of the camera changes several times a second.
    open_tab(page, "Live")
    expect(page.locator("#live-status p")).to_be_visible()
    expect(page.locator("#live-row").get_by_role("status")).to_have_count(0)


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


def contrast(page, selector):
    """Contrast of text and the ground behind it, by WCAG's formula, once no colour is on its way to another."""
    return page.locator(selector).first.evaluate(
        """async (element) => {
            const ends = (animation) => animation.effect.getComputedTiming().endTime < Infinity;
            await Promise.allSettled(document.getAnimations().filter(ends).map((animation) => animation.finished));
            const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
            let ground = element;
            while (ground && parse(getComputedStyle(ground).backgroundColor)[3] === 0) ground = ground.parentElement;
            const luminance = (colour) => parse(colour).slice(0, 3)
                .map((value) => value / 255)
                .map((value) => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
                .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
            const pair = [getComputedStyle(element).color, getComputedStyle(ground ?? document.body).backgroundColor];
            const [low, high] = pair.map(luminance).sort((a, b) => a - b);
            return (high + 0.05) / (low + 0.05);
        }"""
    )


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(open_page, scheme):
    page = open_page(color_scheme=scheme)
    segment(page)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (max(int(value) for value in re.findall(r"\d+", ground)[:3]) < 90) == (scheme == "dark")
    for selector in (
        *("#status p", ".result figcaption", ".result .pointed", "#table td", "#table th"),
        *("#card p", "#download", "#sliders label span", "#wanted [data-testid=block-info]"),
        *("#looks [aria-pressed=true]", "#looks [aria-pressed=false]", "#view label.selected span", ".result .legend"),
    ):
        assert contrast(page, selector) >= 4.5, selector
    for name, selector in (("Photo", "button[role=tab].selected"), ("Video", "#clip-start")):
        open_tab(page, name)
        page.mouse.move(1, 1)
        assert contrast(page, selector) >= 4.5, selector


def test_the_model_card_has_the_width_of_the_page(page):
    page.get_by_role("button", name="About this model").click()
    cells = page.locator("#about td")
    cells.first.wait_for()
    whole = page.locator("#photo-row").bounding_box()["width"]
    assert page.locator("#about").bounding_box()["width"] == pytest.approx(whole, abs=2)
    broken = page.evaluate(
        """() => [...document.querySelectorAll("#about td")].filter((cell) => {
            const text = document.createRange();
            text.selectNodeContents(cell);
            const lines = new Set([...text.getClientRects()].map((part) => Math.round(part.top)));
            return /^[\\d.]+$/.test(cell.innerText.trim()) && lines.size > 1;
        }).length"""
    )
    assert broken == 0, "a figure stands on one line"


def test_the_chosen_option_stays_filled_under_the_pointer(page):
    option = page.locator("#styles input[type=radio]:checked").first
    colour = "element => getComputedStyle(element).backgroundColor"
    before = option.evaluate(colour)
    option.hover()
    page.wait_for_timeout(500)
    assert option.evaluate(colour) == before


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["range", "checkbox", "radio"])
def test_keyboard_focus_is_seen(page, kind):
    page.locator("#status").click()
    page.evaluate("document.activeElement.blur()")
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == kind:
            break
    style = page.evaluate(
        "(({ outlineStyle, outlineWidth }) => [outlineStyle, outlineWidth])(getComputedStyle(document.activeElement))"
    )
    assert style == ["solid", "3px"]
