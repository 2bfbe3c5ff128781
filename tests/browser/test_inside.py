"""The Inside tab: a walk through the network with the photo of the first tab."""

import pytest
from playwright.sync_api import expect

from interface.inside_tab import STEPS
from tests.browser.tabs import open_tab
from tests.browser.test_page import segment

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_without_a_photo_it_says_what_to_do(page):
    open_tab(page, "Inside")
    expect(page.locator("#inside")).to_contain_text("Choose a photo in the first tab")
    expect(page.locator("#step")).to_be_hidden()


@pytest.mark.parametrize("width, height", [(1366, 900), (390, 844)])
def test_the_slider_walks_through_the_network(open_page, width, height):
    page = open_page(viewport={"width": width, "height": height})
    segment(page)
    open_tab(page, "Inside")
    expect(page.locator(".step h2")).to_contain_text(f"1 of {STEPS}")
    slider = page.locator("#step input[type=range]")
    slider.focus()
    for number in range(2, STEPS + 1):
        page.keyboard.press("ArrowRight")
        expect(page.locator(".step h2")).to_contain_text(f"{number} of {STEPS}")
        images = page.locator(".step img")
        assert images.count() >= 1
        assert all(images.nth(index).evaluate("image => image.naturalWidth") for index in range(images.count()))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.locator(".step p")).to_contain_text("1 cat")
    # The page remembers the walk for as long as photo, model and confidence stay.
    open_tab(page, "Photo")
    open_tab(page, "Inside")
    expect(page.locator(".step h2")).to_contain_text(f"{STEPS} of {STEPS}")
    assert page.problems == []
