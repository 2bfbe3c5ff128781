"""The stage of the Photo tab: its views, the enlarged picture, stickers, and what goes into and out of the page."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from skimage import data

from tests.browser.conftest import PATIENCE
from tests.browser.photo_page import CHELSEA, IMAGES, image
from tests.browser.tabs import open_tab

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FOUND = re.compile(r"^Found \d+ cats? in \d+ ms")
DROP = """([selector, encoded, count, type]) => {
    const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
    const brought = new DataTransfer();
    for (let number = 0; number < count; number++)
        brought.items.add(new File([bytes], `dropped-${number}.png`, { type: "image/png" }));
    const target = document.querySelector(selector);
    const options = { bubbles: true, cancelable: true };
    if (type === "paste")
        return target.dispatchEvent(new ClipboardEvent("paste", { clipboardData: brought, ...options }));
    for (const name of ["dragenter", "dragover", "drop"])
        target.dispatchEvent(new DragEvent(name, { dataTransfer: brought, ...options }));
}"""


@pytest.fixture
def first_view(open_page):
    page = open_page(first_view=True)
    expect(page.locator("#status p")).to_have_text(FOUND)
    yield page
    assert page.problems == []


def encoded(path=CHELSEA):
    return base64.b64encode(Path(path).read_bytes()).decode()


def clipboard_image(page):
    """The picture in the clipboard, as an array."""
    page.bring_to_front()
    content = page.evaluate(
        """async () => {
            const [item] = await navigator.clipboard.read();
            const bytes = new Uint8Array(await (await item.getType("image/png")).arrayBuffer());
            return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
        }"""
    )
    with Image.open(io.BytesIO(base64.b64decode(content))) as image:
        return np.array(image)


def test_looks_that_are_built_late_are_marked(first_view):
    """As where a busy browser builds them after the result."""
    looks = first_view.locator("#looks")
    expect(looks.locator("[aria-pressed=true]")).to_have_text("Masks")
    first_view.evaluate(
        """() => {
            const looks = document.querySelector("#looks"), next = looks.nextSibling, parent = looks.parentNode;
            for (const button of looks.querySelectorAll("button")) button.removeAttribute("aria-pressed");
            looks.remove();
            parent.insertBefore(looks, next);
        }"""
    )
    expect(looks.locator("[aria-pressed=true]")).to_have_text("Masks")


def test_views(first_view):
    page = first_view
    height = page.locator(IMAGES).first.bounding_box()["height"]
    page.get_by_label("Semantic map", exact=True).check()
    expect(page.locator("figure.instances")).to_be_hidden()
    assert page.locator("figure.semantic img").bounding_box()["height"] >= height
    page.get_by_label("Compare").check()
    expect(page.locator("figure.semantic")).to_be_hidden()
    slider = page.get_by_label("How much of the photo is seen")
    slider.focus()
    slider.press("End")
    before = page.locator("figure.instances .before")
    clip = "element => getComputedStyle(element).clipPath"
    assert before.evaluate(clip) in ("inset(0px)", "inset(0px 0% 0px 0px)")
    assert before.evaluate("element => getComputedStyle(element).backgroundImage").endswith('.jpg")')
    # Pointing at the picture moves it too, and a redraw leaves it where it is.
    box = page.locator("figure.instances .image").bounding_box()
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
    expect(slider).to_have_value("25")
    page.locator("#look-blurred").click()
    expect(page.locator("#look-blurred")).to_have_attribute("aria-pressed", "true")
    assert before.evaluate("element => getComputedStyle(element).backgroundImage").endswith('.jpg")')
    assert (
        abs(float(slider.input_value()) - 25) < 30 and page.locator("#images").get_attribute("data-view") == "compare"
    )
    page.get_by_label("Side by side").check()
    expect(page.locator(IMAGES).nth(1)).to_be_visible()


def test_enlarged_picture_zooms_and_moves(first_view):
    page = first_view
    opener = page.get_by_label("Enlarge the semantic map")
    opener.focus()
    opener.press("Enter")
    shown, level = page.locator("#enlarged img"), page.locator("#enlarged output")
    expect(shown).to_be_visible()
    assert shown.get_attribute("src") == page.locator("figure.semantic img").get_attribute("src")
    page.keyboard.press("+")
    page.keyboard.press("+")
    expect(level).to_have_text("225 %")
    left = shown.bounding_box()["x"]
    page.keyboard.press("ArrowRight")
    assert shown.bounding_box()["x"] == pytest.approx(left - 60, abs=2)
    # The wheel zooms about the pointer: what lies under it stays there.
    box = shown.bounding_box()
    x, y = 500, 400
    share = (x - box["x"]) / box["width"], (y - box["y"]) / box["height"]
    page.mouse.move(x, y)
    page.mouse.wheel(0, -300)
    page.wait_for_function("document.querySelector('#enlarged output').value !== '225 %'")
    box = shown.bounding_box()
    assert (x - box["x"]) / box["width"] == pytest.approx(share[0], abs=0.01)
    assert (y - box["y"]) / box["height"] == pytest.approx(share[1], abs=0.01)
    page.mouse.down()
    page.mouse.move(x + 40, y)
    page.mouse.up()
    assert shown.bounding_box()["x"] == pytest.approx(box["x"] + 40, abs=2)
    page.get_by_role("button", name="Photo", exact=True).click()
    assert shown.get_attribute("src").endswith(".jpg")
    page.keyboard.press("0")
    page.keyboard.press("Escape")
    expect(page.locator("#enlarged")).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_pressed_cat_lifts_as_a_sticker(first_view, tmp_path):
    page = first_view
    page.locator("figure.instances path[data-row='0']").click()
    sticker = page.locator(".sticker img")
    expect(sticker).to_be_visible()
    page.wait_for_timeout(400)  # until it has risen
    cat = page.locator("figure.instances path[data-row='0']").bounding_box()
    lifted = sticker.bounding_box()
    for side in ("x", "y"):
        length = {"x": "width", "y": "height"}[side]
        assert lifted[side] < cat[side] and lifted[side] + lifted[length] > cat[side] + cat[length] - 8
        assert lifted[length] < cat[length] + 80
    page.locator(".sticker").get_by_role("button", name="Copy").click()
    expect(page.locator(".sticker").get_by_role("button", name="Copied")).to_be_visible()
    copied = clipboard_image(page)
    with page.expect_download() as waiting:
        page.locator(".sticker a").click()
    waiting.value.save_as(tmp_path / "sticker.png")
    assert waiting.value.suggested_filename == "cat-1-sticker.png"
    with Image.open(tmp_path / "sticker.png") as saved:
        saved = np.array(saved)
    assert saved.shape[2] == 4 and copied.shape == saved.shape
    rim = saved[(saved[..., 3] == 255) & (saved[..., :3] > 250).all(axis=2)]
    assert len(rim) > 0.03 * (saved[..., 3] > 0).sum() and saved[0, 0, 3] == 0
    # Dragged out it carries a file, and this page does not take it for a photo.
    types = page.evaluate(
        """() => {
            const dataTransfer = new DataTransfer();
            const event = new DragEvent("dragstart", { dataTransfer, bubbles: true });
            document.querySelector(".sticker img").dispatchEvent(event);
            return dataTransfer.getData("DownloadURL").slice(0, 40);
        }"""
    )
    assert types.startswith("image/png:cat-1-sticker.png:data:image/p")
    page.keyboard.press("Escape")
    expect(sticker).to_have_count(0)
    # By keyboard: from the table, and back to it. A redraw puts it back too.
    lift = page.get_by_label("Lift cat 2 as a sticker")
    lift.focus()
    lift.press("Enter")
    expect(page.locator(".sticker").get_by_role("button", name="Copy")).to_be_focused()
    page.keyboard.press("Escape")
    expect(lift).to_be_focused()
    lift.press("Enter")
    expect(sticker).to_be_visible()
    page.locator("#look-outlines").click()
    expect(sticker).to_have_count(0)


def test_a_picture_is_copied(first_view):
    page = first_view
    button = page.get_by_label("Copy the instances")
    button.focus()
    button.press("Enter")
    expect(page.locator(".pointed")).to_have_text(re.compile("^Copied"))
    assert np.abs(clipboard_image(page)[..., :3].astype(int) - image(page, "instances")).mean() < 2


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_photo_may_come_in_anywhere(first_view, way):
    page = first_view
    page.evaluate(DROP, ["#table", encoded(), 1, way])
    expect(page.locator("#status p")).to_have_text(re.compile(r"^Found 1 cat in \d+ ms"))
    # From a tab that takes no files too.
    open_tab(page, "How it works")
    astronaut = io.BytesIO()
    Image.fromarray(data.astronaut()).save(astronaut, "PNG")
    page.evaluate(DROP, ["body", base64.b64encode(astronaut.getvalue()).decode(), 1, way])
    expect(page.locator("#status p")).to_have_text(re.compile(r"^No cat here, decided in \d+ ms\.$"))
    expect(page.locator("#status")).to_be_visible()


@pytest.mark.slow
def test_several_photos_go_where_many_do(first_view):
    page = first_view
    page.evaluate(DROP, ["#table", encoded(), 2, "drop"])
    expect(page.get_by_role("tab", name="Many photos")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#batch-files")).to_contain_text("dropped-1")


def test_the_link_carries_confidence_and_look(open_page, server):
    page = open_page(first_view=True)
    page.locator("#look-cut-out").click()
    page.wait_for_url(f"{server}/?look=cut-out")
    field = page.locator("#confidence input[type=number]")
    field.fill("90")
    field.press("Tab")
    page.wait_for_url(f"{server}/?confidence=90&look=cut-out")
    count = page.locator("#table tbody tr").count()
    assert 0 < count < 6
    # Whoever opens it sees the same; what stands there for others stays, what is not offered is dropped.
    page.goto(f"{server}/?confidence=90&look=cut-out&from=a-friend&model=none", timeout=PATIENCE)
    page.wait_for_url(re.compile(r"\?from=a-friend&confidence=90&look=cut-out$"))
    expect(page.locator("#look-cut-out")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#confidence input[type=number]")).to_have_value("90")
    expect(page.locator("#table tbody tr")).to_have_count(count)
    assert image(page, "instances").shape[2] == 4 and page.problems == []


def test_labels_of_many_cats_are_numbers(first_view):
    page = first_view
    page.get_by_role("button", name="Example: twelve cats").click()
    expect(page.locator("#table tbody tr")).to_have_count(12)
    page.locator("figure.instances path[data-row='3']").hover()
    expect(page.locator(".pointed")).to_have_text(re.compile(r"^Cat 4, \d+ % sure, [\d.]+ % of the image$"))
    legend = page.locator(".legend li").all_inner_texts()
    shares = [float(re.search(r"([\d.]+) %", entry)[1]) for entry in legend]
    assert [entry.split()[0] for entry in legend] == ["cat", "background"] and sum(shares) == pytest.approx(
        100, abs=0.2
    )
