"""The page for all who visit it: keyboard, screen readers, contrast, locales."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.photo_page import (
    changes,
    segment,
    set_slider,
)
from tests.browser.tabs import open_tab

pytestmark = pytest.mark.browser


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
