"""The Inside tab: a walk through the network with the photo of the first tab, or with the page's own example."""

import re

import pytest
from playwright.sync_api import expect

from interface.inside_view import STEPS
from tests.browser.photo_page import segment
from tests.browser.tabs import open_tab

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NUMBER = {step.title: number for number, step in enumerate(STEPS, start=1)}


def title(page, name):
    return expect(page.locator(".step h2")), f"{NUMBER[name]} of {len(STEPS)}: {name}"


def choose(page, name):
    """Presses a step's name and waits for it."""
    page.locator("#step-names").get_by_text(f"{NUMBER[name]} {name}", exact=True).click()
    step, words = title(page, name)
    step.to_have_text(words)


def stage(page):
    """Where the tiles begin, and how high they are."""
    return page.locator(".step .tiles").evaluate(
        "tiles => [Math.round(tiles.getBoundingClientRect().top + scrollY), tiles.offsetHeight]"
    )


@pytest.mark.parametrize("width, height", [(1366, 900), (390, 844)])
def test_an_example_is_walked_by_name_by_button_and_by_slider(open_page, width, height):
    """Without a photo of the visitor's own; one cat is followed, and nothing jumps."""
    page = open_page(viewport={"width": width, "height": height})
    open_tab(page, "Inside")
    step, words = title(page, "what the network sees")
    step.to_have_text(words)
    where = stage(page)
    page.locator("#step-next").click()
    step, words = title(page, "feature pyramid")
    step.to_have_text(words)
    assert stage(page) == where
    page.locator("#step input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    step, words = title(page, "anchors")
    step.to_have_text(words)
    assert stage(page) == where
    page.locator("#step-back").click()
    step, words = title(page, "feature pyramid")
    step.to_have_text(words)
    for name in ("RoIAlign", "proposals that stay", "masks on the photo"):
        choose(page, name)
        images = page.locator(".step img")
        assert all(images.nth(index).evaluate("image => image.naturalWidth") for index in range(images.count()))
        expect(page.locator(".step .tiles")).to_contain_text("cat 1")
        assert stage(page) == where
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#follow").get_by_text(re.compile("^cat 2")).click()
    expect(page.locator(".step .tiles")).to_contain_text("cat 2")
    # The page remembers where one was for as long as photo, model and confidence stay.
    open_tab(page, "Photo")
    open_tab(page, "Inside")
    step, words = title(page, "masks on the photo")
    step.to_have_text(words)
    assert page.problems == []


def test_a_photo_of_ones_own_is_looked_into(page):
    segment(page)
    open_tab(page, "Inside")
    step, words = title(page, "what the network sees")
    step.to_have_text(words)
    choose(page, "masks on the photo")
    expect(page.locator(".step p").first).to_contain_text("1 cat.")


def test_suppression_acts_at_once(page):
    open_tab(page, "Inside")
    page.wait_for_selector(".step h2")
    choose(page, "detections that stay")
    expect(page.locator(".step figcaption")).to_contain_text("6 detections")
    slider = page.locator(f"#overlap-{NUMBER['detections that stay']} input[type=range]")
    slider.focus()
    page.keyboard.press("End")
    expect(page.locator(".step p").first).to_contain_text("by more than 0.99")
    caption = page.locator(".step figcaption").inner_text()
    assert int(re.match(r"\d+", caption)[0]) > 6


def ask_why(page):
    """Opens "Why not this one?", and gives its picture."""
    open_tab(page, "Inside")
    page.wait_for_selector(".step h2")
    page.locator("#why").click()
    picture = page.locator(".why img")
    picture.wait_for()
    return picture


def test_why_not_this_one_by_keyboard(page):
    picture = ask_why(page)
    for _ in range(40):
        page.keyboard.press("Tab")
        if picture.evaluate("image => image === document.activeElement"):
            break
    expect(picture).to_be_focused()
    expect(picture).to_have_accessible_name(re.compile("Arrow keys move .* Enter asks"))
    cursor = page.locator(".why .drag")
    expect(cursor).to_be_visible()

    def where():
        box, frame = picture.bounding_box(), cursor.bounding_box()
        return [
            (frame[side] + frame[length] / 2 - box[side]) / box[length]
            for side, length in (("x", "width"), ("y", "height"))
        ]

    assert where() == pytest.approx([0.5, 0.5], abs=0.01), "it begins in the middle"
    for _ in range(10):
        page.keyboard.press("ArrowUp")
    assert where() == pytest.approx([0.5, 0.3], abs=0.01)
    expect(picture).to_have_attribute("aria-valuetext", "50 % from the left, 30 % from the top")
    page.keyboard.press("Enter")
    verdict = page.locator(".verdict")
    expect(verdict).to_contain_text(re.compile(r"That is cat \d: it was found"))
    # The answer is another picture, and the keyboard is still on it: a box is asked for next.
    expect(picture).to_be_focused()
    expect(cursor).to_be_visible()
    page.keyboard.press("ArrowRight")
    assert where() == pytest.approx([0.52, 0.3], abs=0.01)
    for key, times in (("ArrowRight", 2), ("ArrowDown", 20), ("Space", 1), ("ArrowRight", 17), ("ArrowDown", 13)):
        for _ in range(times):
            page.keyboard.press(key)
    box, frame = picture.bounding_box(), cursor.bounding_box()
    assert frame["width"] / box["width"] == pytest.approx(0.34, abs=0.02)
    assert frame["height"] / box["height"] == pytest.approx(0.26, abs=0.02)
    page.keyboard.press("Enter")
    expect(verdict).to_contain_text(re.compile(r"Lost in step \d+, "))
    expect(picture).to_be_focused()
    page.locator("#step-back").focus()
    expect(cursor).to_have_count(0)
    # Another step has no place to ask about.
    choose(page, "RoIAlign")
    expect(page.locator(".step img[tabindex]")).to_have_count(0)
    assert page.problems == []


def test_why_not_this_one(page):
    image = ask_why(page)
    image.scroll_into_view_if_needed()
    box = image.bounding_box()

    def place(x, y):
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    page.mouse.click(*place(0.5, 0.3))
    expect(page.locator(".verdict")).to_contain_text(re.compile(r"That is cat \d: it was found"))
    image.scroll_into_view_if_needed()
    box = image.bounding_box()
    page.mouse.move(*place(0.55, 0.7))
    page.mouse.down()
    page.mouse.move(*place(0.9, 0.97), steps=4)
    page.mouse.up()
    verdict = page.locator(".verdict")
    expect(verdict).to_contain_text(re.compile(r"Lost in step \d+, "))
    step, name = re.search(r"Lost in step (\d+), (.+?)\.", verdict.inner_text()).groups()
    assert NUMBER[name] == int(step)
