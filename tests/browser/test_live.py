"""The Live tab with the fake webcam, in which Chelsea the cat sits still."""

import re

from playwright.sync_api import expect

CAMERA_STATES = """() => [...document.querySelectorAll("#live-camera video")]
    .flatMap((video) => video.srcObject ? video.srcObject.getTracks().map((track) => track.readyState) : [])"""


def start_camera(page):
    page.get_by_role("tab", name="Live").click()
    page.get_by_text("Click to Access Webcam").locator("visible=true").click()
    page.locator("#live-camera").get_by_role("button", name="capture photo").click()


def test_live_pictures_side_by_side_with_their_rate(page):
    start_camera(page)
    status = page.locator("#live-status")
    expect(status).to_contain_text(re.compile(r"^\s*1 found · [\d.]+ pictures a second · model \d+ ms"))
    pictures = page.locator("#live-pictures img")
    expect(pictures).to_have_count(2)
    assert "1 cat marked" in pictures.first.get_attribute("alt")
    left, right = (pictures.nth(number).bounding_box() for number in (0, 1))
    assert left["y"] == right["y"] and left["x"] + left["width"] < right["x"]
    before = pictures.first.get_attribute("src")
    # Sensor noise is not in the fake camera; a moved slider changes the words, so new pictures do arrive.
    page.locator("#live-confidence input[type=number]").fill("99")
    page.locator("#live-confidence input[type=number]").press("Enter")
    expect(status).to_contain_text(re.compile(r"[01] found"))
    assert before.startswith("data:image/jpeg")


def test_the_camera_stops_when_its_tab_is_left(page):
    start_camera(page)
    expect(page.locator("#live-pictures img")).to_have_count(2)
    assert page.evaluate(CAMERA_STATES) == ["live"]
    page.get_by_role("tab", name="Photo").click()
    page.wait_for_function(f"() => !({CAMERA_STATES})().includes('live')")
    page.get_by_role("tab", name="Live").click()
    words = page.locator("#live-status").inner_text()
    page.wait_for_timeout(3000)
    assert page.locator("#live-status").inner_text() == words, "no picture came after the tab was left"


def test_on_a_phone_the_pictures_lie_below_each_other(open_page):
    page = open_page(viewport={"width": 390, "height": 844})
    start_camera(page)
    pictures = page.locator("#live-pictures img")
    expect(pictures).to_have_count(2)
    first, second = (pictures.nth(number).bounding_box() for number in (0, 1))
    assert second["y"] > first["y"] + first["height"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.problems == []
