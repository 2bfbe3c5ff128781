"""The Live tab with the fake webcam, in which Chelsea the cat sits still."""

import json
import re
import time

import gradio as gr
import pytest
from playwright.sync_api import expect
from skimage import data

from interface.encoding import data_uri, jpeg
from interface.live_tab import AHEAD, VISITORS, WAITING, live_tab
from interface.session import Models
from tests.browser.conftest import CHROMIUM_FLAGS, PATIENCE, PROGRAM
from tests.browser.tabs import open_tab
from tools.visitor import Visitor

pytestmark = pytest.mark.slow

CAMERA_STATES = """() => [...document.querySelectorAll("#live-camera video")]
    .flatMap((video) => video.srcObject ? video.srcObject.getTracks().map((track) => track.readyState) : [])"""


def start_camera(page):
    open_tab(page, "Live")
    page.get_by_role("button", name="Start the camera").click()


def test_live_images_side_by_side_with_their_rate(page):
    start_camera(page)
    status = page.locator("#live-status")
    expect(status).to_contain_text(re.compile(r"1 found · [\d.]+ images a second · model \d+ ms"))
    images = page.locator("#live-images img")
    expect(images).to_have_count(2)
    assert "1 cat marked" in images.first.get_attribute("alt")
    left, right = (images.nth(number).bounding_box() for number in (0, 1))
    assert left["y"] == right["y"] and left["x"] + left["width"] < right["x"]
    before = images.first.get_attribute("src")
    page.wait_for_function(f"() => document.querySelector('#live-images img').src !== {json.dumps(before)}")


def test_no_more_images_are_sent_than_are_answered(browser):
    """With a model that takes a second, images do not pile up on their way to it."""

    class SlowModels(Models):
        looks = 0

        def detect(self, *arguments):
            self.looks += 1
            time.sleep(1)
            return super().detect(*arguments)

    models = SlowModels()
    models.get("cat")
    with gr.Blocks() as blocks, gr.Tabs():
        with gr.Tab("Photo"):
            gr.Markdown("Nothing here.")
        with gr.Tab("Live"):
            live_tab(models)
    _, address, _ = blocks.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    context = browser.new_context(permissions=["camera"])
    context.set_default_timeout(PATIENCE)
    try:
        page = context.new_page()
        sent = []
        page.on("request", lambda request: sent.append(request.url) if "/stream/" in request.url else None)
        page.goto(address)
        start = time.monotonic()
        start_camera(page)
        while models.looks < 5:
            assert time.monotonic() - start < PATIENCE / 1000
            page.wait_for_timeout(200)
        # What is not answered within two seconds is no longer waited for.
        assert len(sent) <= models.looks + AHEAD + 2
        open_tab(page, "Photo")
        page.wait_for_function(f"() => !({CAMERA_STATES})().includes('live')")
        seconds, looks = time.monotonic() - start, models.looks
        page.wait_for_timeout(4000)
        assert models.looks <= seconds
        assert models.looks <= looks + 1, "none waited in a queue"
    finally:
        context.close()
        blocks.close()


def test_the_example_takes_the_place_of_a_camera_and_looks_work(page):
    open_tab(page, "Live")
    page.locator("#live-example").click()
    status = page.locator("#live-status")
    expect(status).to_contain_text(re.compile(r"[4-7] found"))
    page.locator("#live-look").get_by_label("Only cats in colour").click()
    page.get_by_label("Semantic map beside it").click()
    images = page.locator("#live-images img")
    expect(images).to_have_count(1)
    # The wall around the cats is red without the look.
    grey = """image => {
        const canvas = Object.assign(document.createElement("canvas"), { width: 32, height: 24 });
        const context = canvas.getContext("2d");
        context.drawImage(image, 0, 0, 32, 24);
        const pixels = context.getImageData(0, 0, 32, 24).data;
        let count = 0;
        for (let i = 0; i < pixels.length; i += 4) count += Math.abs(pixels[i] - pixels[i + 2]) < 12;
        return count / (32 * 24);
    }"""
    assert images.first.evaluate(grey) > 0.33
    page.locator("#live-look").get_by_label("Outlines").click()
    page.wait_for_function(f"() => ({grey})(document.querySelector('#live-images img')) < 0.3")
    page.get_by_role("button", name="Stop").first.click()
    page.wait_for_function(f"() => !({CAMERA_STATES})().includes('live')")
    # And the camera comes on as if there had been no example.
    page.get_by_role("button", name="Start the camera").click()
    expect(status).to_contain_text("1 found")


def test_who_waits_for_a_place_is_told(page, server):
    frame = {"path": None, "url": data_uri(jpeg(data.chelsea()))}
    others = [Visitor(server) for _ in range(VISITORS)]
    events = [other.begin(*other.event("camera", frame)).json()["event_id"] for other in others]
    start_camera(page)
    expect(page.get_by_role("button", name=WAITING)).to_be_visible()
    for other, event in zip(others, events, strict=True):
        other.http.post(f"/gradio_api/stream/{event}/close")
    expect(page.locator("#live-status")).to_contain_text("1 found")
    expect(page.get_by_role("button", name="Stop", exact=True).first).to_be_visible()


def test_the_camera_stops_when_its_tab_is_left(page):
    start_camera(page)
    expect(page.locator("#live-images img")).to_have_count(2)
    assert page.evaluate(CAMERA_STATES) == ["live"]
    open_tab(page, "Photo")
    page.wait_for_function(f"() => !({CAMERA_STATES})().includes('live')")
    open_tab(page, "Live")
    page.wait_for_timeout(1000)  # what was on its way arrives
    words = page.locator("#live-status").inner_text()
    assert "1 found" in words, "the last image is one of the camera, not a black one"
    page.wait_for_timeout(3000)
    assert page.locator("#live-status").inner_text() == words, "no image came after the tab was left"
    # And it comes to life again, however often.
    for _ in range(3):
        shown = page.locator("#live-images img").first.get_attribute("src")
        page.get_by_role("button", name="Start the camera").click()
        page.wait_for_function(f"() => document.querySelector('#live-images img').src !== {json.dumps(shown)}")
        page.get_by_role("button", name="Stop").first.click()
        page.wait_for_function(f"() => !({CAMERA_STATES})().includes('live')")
    # A press while the camera is on its way takes the start back.
    for _ in range(4):
        page.evaluate("() => document.querySelector('#live-start').click()")
    page.wait_for_timeout(2000)
    assert "live" not in page.evaluate(CAMERA_STATES)
    expect(page.get_by_role("button", name="Start the camera")).to_be_visible()


def test_the_camera_of_a_photo_stops_when_its_tab_is_left(page):
    page.evaluate(
        """() => {
            window.streams = [];
            const ask = navigator.mediaDevices.getUserMedia;
            navigator.mediaDevices.getUserMedia = async (wishes) => {
                const stream = await ask(wishes);
                streams.push(stream);
                return stream;
            };
        }"""
    )
    live = "() => streams.some((stream) => stream.getTracks().some((track) => track.readyState === 'live'))"
    page.get_by_label("Capture from camera").click()
    page.locator("#photo").get_by_role("button", name="Click to Access Webcam").click()
    page.wait_for_function(live)
    open_tab(page, "Video")
    page.wait_for_function(f"() => !({live})()")
    open_tab(page, "Photo")
    page.wait_for_function(live)
    page.get_by_label("Upload file").first.click()
    page.wait_for_function(f"() => !({live})()")


@pytest.mark.parametrize("fake, reason", [(True, "The camera is not allowed here"), (False, "No camera was found")])
def test_without_a_camera_it_says_why(browser, server, fake, reason):
    wanted = ["--use-fake-device-for-media-stream"] if fake else ["--use-fake-ui-for-media-stream"]
    flags = [flag for flag in CHROMIUM_FLAGS if "media-stream" not in flag] + wanted
    refusing = browser.browser_type.launch(executable_path=PROGRAM, args=flags)
    try:
        page = refusing.new_page()
        page.goto(server, timeout=PATIENCE)
        held = []
        page.route(re.compile("/gradio_api/(queue/join|run)"), lambda route: held.append(route))
        page.get_by_label("Capture from camera").click(timeout=PATIENCE)
        page.get_by_role("button", name="Click to Access Webcam").click()
        expect(page.locator("#status p")).to_contain_text(f"Sorry. {reason}")
        # That the photo is gone is answered later, and takes nothing away.
        assert held
        for route in held:
            route.continue_()
        page.unroute_all()
        expect(page.locator(".result .blank")).to_have_count(2)
        expect(page.locator("#status p")).to_contain_text(f"Sorry. {reason}")
        page.get_by_label("Upload file").first.click()
        page.locator(".gallery-item").first.click()
        expect(page.locator("#status p")).to_contain_text("Found 6 cats")
        open_tab(page, "Live")
        page.get_by_role("button", name="Start the camera").click()
        expect(page.locator("#live-status p")).to_contain_text(f"Sorry. {reason}")
    finally:
        refusing.close()


def test_a_page_behind_plain_http_says_that_it_gets_no_camera(browser, server):
    page = browser.new_page()
    page.add_init_script("delete Navigator.prototype.mediaDevices")
    try:
        page.goto(server, timeout=PATIENCE)
        open_tab(page, "Live")
        page.get_by_role("button", name="Start the camera").click()
        expect(page.locator("#live-status p")).to_contain_text(
            "Sorry. A browser gives a camera only to pages behind https"
        )
        expect(page.get_by_role("button", name="Start the camera")).to_be_visible()
    finally:
        page.close()


def test_on_a_phone_the_images_lie_below_each_other(open_page):
    page = open_page(viewport={"width": 390, "height": 844})
    open_tab(page, "Live")
    frame = page.locator("#live-images .frame").first.bounding_box()
    start_camera(page)
    images = page.locator("#live-images img")
    expect(images).to_have_count(2)
    assert images.first.bounding_box() == pytest.approx(frame, abs=1), "nothing moves when the camera starts"
    first, second = (images.nth(number).bounding_box() for number in (0, 1))
    assert second["y"] > first["y"] + first["height"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.problems == []
