"""The browser edition as visitors use it, and what it promises of their photos."""

import http.server
import io
import json
import platform
import re
import threading

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Error, expect
from pycocotools.coco import COCO
from skimage import data

from mrcnn.results import drawing
from tests.browser.conftest import CHROMIUM_FLAGS, PATIENCE, PROGRAM
from tests.browser.web_pictures import four_cats

pytestmark = pytest.mark.browser

FOUND = "#status:has-text('sure.')"


@pytest.fixture
def page(open_site):
    page = open_site()
    yield page
    assert page.problems == []


@pytest.fixture(scope="module")
def chelsea_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "chelsea.png"
    Image.fromarray(data.chelsea()).save(path)
    return path


@pytest.fixture(scope="module")
def four_cats_file(tmp_path_factory):
    """Chelsea four times, once upside down: of that one the network is less sure."""
    path = tmp_path_factory.mktemp("photo") / "four.png"
    four_cats().save(path)
    return path


def segment(page, path):
    page.set_input_files("#files", path)
    page.wait_for_selector(FOUND)


def pixels(locator):
    """What a canvas shows, as uint8 (H, W, 3)."""
    with Image.open(io.BytesIO(locator.screenshot())) as image:
        return np.array(image.convert("RGB"))


def downloaded(page, name):
    with page.expect_download() as download:
        page.get_by_role("button", name=name, exact=True).click()
    return download.value.path(), download.value.suggested_filename


def test_it_opens_with_a_finished_example(open_site):
    page = open_site(ready=False)
    expect(page.get_by_role("heading", name="Every cat, cut out")).to_be_visible()
    expect(page.locator("#cutouts li")).to_have_count(1)
    left, right = (page.locator(name).bounding_box() for name in ("#instances", "#semantic"))
    assert left["y"] == right["y"] and left["x"] + left["width"] <= right["x"] and left["width"] > 500
    assert left["y"] + left["height"] < 900, "in the first view"
    colour = np.array(drawing.class_colour(1))
    share = (np.abs(pixels(page.locator("#semantic")).astype(int) - colour) < 8).all(axis=2).mean()
    assert 0.5 < share < 0.9
    expect(page.locator("body")).to_contain_text("Nothing is uploaded")


def test_a_photo_gives_both_pictures_and_a_cut_out(page, chelsea_file, model):
    segment(page, chelsea_file)
    expect(page.locator("#status")).to_contain_text("Found 1 cat in ")
    expect(page.get_by_role("img", name="The photo with 1 cat marked")).to_be_visible()
    expect(page.get_by_role("img", name="Map of the classes with 1 cat")).to_be_visible()
    path, name = downloaded(page, "Save cat 1 as PNG")
    assert name == "chelsea-cutout-1.png"
    with Image.open(path) as image:
        cut = np.array(image)
    found = model.segment(data.chelsea())
    expected = drawing.cut_out(data.chelsea(), found[0], crop=True)
    assert cut.shape == expected.shape
    difference = np.abs(cut.astype(int) - expected)
    assert difference[..., 3].max() <= 8, "as soft at its edges as in Python"
    assert difference[cut[..., 3] > 128].max() <= 4, "in the same colours"
    assert not cut[cut[..., 3] == 0].any(), "who shares a cut-out shares nothing else"
    path, name = downloaded(page, "COCO JSON")
    document = COCO(path)
    (annotation,) = document.loadAnns(document.getAnnIds())
    mask = document.annToMask(annotation)
    assert mask.sum() == annotation["area"] == pytest.approx(found.areas[0], rel=0.001)
    for button, kind in (("Instances PNG", "overlay"), ("Semantic PNG", "semantic")):
        path, name = downloaded(page, button)
        assert name == f"chelsea-{kind}.png"
        with Image.open(path) as image:
            assert image.size == (451, 300)


@pytest.mark.slow
def test_a_cut_out_goes_to_the_clipboard(page, chelsea_file):
    segment(page, chelsea_file)
    page.get_by_role("button", name="Copy cat 1").click()
    expect(page.locator("#cutouts button").first).to_have_text("Copied")
    copied = page.evaluate(
        """async () => {
            const [item] = await navigator.clipboard.read();
            const image = await createImageBitmap(await item.getType("image/png"));
            return [image.width, image.height];
        }"""
    )
    path, _ = downloaded(page, "Save cat 1 as PNG")
    with Image.open(path) as image:
        assert copied == list(image.size)
    # What was copied can be pasted: Chelsea is found again in her own cut-out.
    page.keyboard.press("Control+V")
    expect(page.locator("#strip li")).to_have_count(2)
    expect(page.locator("#strip [aria-label$=': waiting']")).to_have_count(0)


@pytest.mark.slow
def test_sliders_redraw_at_once_and_without_the_network(page, four_cats_file):
    segment(page, four_cats_file)
    sentence = page.locator("#status").inner_text()
    before = pixels(page.locator("#instances"))
    page.locator("#opacity").fill("0")
    assert np.abs(pixels(page.locator("#instances")).astype(int) - before).mean() > 5
    count = page.locator("#cutouts li").count()
    page.locator("#confidence").fill("15")  # the one that is upside down
    expect(page.locator("#cutouts li")).to_have_count(count + 1)
    page.locator("#confidence").fill("50")
    expect(page.locator("#cutouts li")).to_have_count(count)
    assert page.locator("#status").inner_text() == sentence, "the same run of the network"


@pytest.mark.slow
def test_dropped_photos_come_in_a_row(page, chelsea_file, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photo at all")
    small = tmp_path / "small.png"
    Image.new("RGB", (31, 100)).save(small)
    transfer = page.evaluate_handle(
        """async (files) => {
            const transfer = new DataTransfer();
            for (const [name, type, bytes] of files)
                transfer.items.add(new File([Uint8Array.from(bytes)], name, { type }));
            return transfer;
        }""",
        [[path.name, "image/png", list(path.read_bytes())] for path in (chelsea_file, broken, small)],
    )
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})
    expect(page.locator("#strip li")).to_have_count(3)
    expect(page.get_by_role("button", name="chelsea.png: 1 cat")).to_be_visible()
    page.get_by_role("button", name="broken.jpg: not read").click()
    expect(page.locator("#status")).to_contain_text("is not an image that this browser can read")
    page.get_by_role("button", name="small.png: not read").click()
    expect(page.locator("#status")).to_have_text("The image has 31 x 100 pixels, but each side must have at least 32.")
    page.get_by_role("button", name="chelsea.png: 1 cat").click()
    expect(page.locator("#status")).to_contain_text("Found 1 cat")


@pytest.mark.slow
def test_the_keyboard_reaches_everything(page, chelsea_file):
    segment(page, chelsea_file)
    page.locator("body").click(position={"x": 2, "y": 2})
    reached = []
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "document.activeElement.getAttribute('aria-label') || document.activeElement.id "
                "|| document.activeElement.textContent"
            )
        )
    for name in ("choose", "camera", "confidence", "opacity", "outlines", "Copy cat 1", "COCO JSON"):
        assert name in reached
    names = page.evaluate(
        """() => [...document.querySelectorAll("button, input:not([hidden]), canvas, a")]
            .filter((part) => part.checkVisibility())
            .map((part) => part.ariaLabel || part.textContent.trim() || part.labels?.[0]?.textContent)"""
    )
    assert all(names), "whatever can be reached has a name"
    page.get_by_role("button", name="Save cat 1 as PNG").focus()
    expect(page.locator("#cutouts li.active")).to_have_count(1)


@pytest.mark.slow
@pytest.mark.parametrize("locale", ["de-DE", "fr-FR"])
def test_decimal_commas_do_no_harm(open_site, chelsea_file, locale):
    page = open_site(locale=locale)
    page.locator("#confidence").fill("35")
    expect(page.locator("#confidence-value")).to_have_text("35 %")
    segment(page, chelsea_file)
    path, _ = downloaded(page, "COCO JSON")
    (annotation,) = json.loads(path.read_text())["annotations"]
    assert 0.9 < annotation["score"] < 1 and all(isinstance(value, int | float) for value in annotation["bbox"])
    assert page.problems == []


@pytest.mark.slow
def test_live_camera(page):
    page.get_by_role("button", name="Live camera").click()
    expect(page.locator("#status")).to_have_text(re.compile(r"^Live: 1 cat, [\d.]+ pictures a second$"))
    frame = page.locator("#instances").bounding_box()
    assert frame["width"] > 400
    page.get_by_role("button", name="Take this picture").click()
    page.wait_for_selector(FOUND)
    expect(page.get_by_role("button", name="Live camera")).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#cutouts li")).to_have_count(1)


@pytest.mark.slow
def test_a_camera_that_comes_too_late_is_off(page, chelsea_file):
    """The visitor chose a photo while the browser still asked for the camera."""
    page.evaluate(
        """() => {
            const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
            navigator.mediaDevices.getUserMedia = async (wishes) => {
                await new Promise((resolve) => (window.allow = resolve));
                return (window.stream = await ask(wishes));
            };
        }"""
    )
    page.get_by_role("button", name="Live camera").click()
    page.wait_for_function("() => Boolean(window.allow)")
    segment(page, chelsea_file)
    page.evaluate("allow()")
    page.wait_for_function("() => window.stream?.getTracks().every((track) => track.readyState === 'ended')")
    expect(page.locator("#status")).to_contain_text("Found 1 cat in ")


# Pictures that the worker was asked for and did not answer yet are counted, and the network is let go by hand. The
# browser's question for the camera waits too, if `asks` is true.
SLOW_START = """(asks) => {
    Object.assign(window, { streams: [], prompts: [], most: 0 });
    const open = new Set();
    window.Worker = class extends Worker {
        constructor(...values) {
            super(...values);
            this.addEventListener("message", ({ data }) => open.delete(data.id));  // before the page's own
        }
        postMessage(message, ...others) {
            const post = () => super.postMessage(message, ...others);
            if (message.task === "load") return void (window.letLoad = post);
            if (message.task === "detect") window.most = Math.max(window.most, open.add(message.id).size);
            post();
        }
    };
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wishes) => {
        if (asks) await new Promise((resolve) => prompts.push(resolve));
        const stream = await ask(wishes);
        streams.push(stream);
        return stream;
    };
}"""
LIVE_STREAMS = "streams.filter((stream) => stream.getTracks().some((track) => track.readyState === 'live')).length"


@pytest.mark.slow
@pytest.mark.parametrize("asks", [True, False])
def test_a_camera_that_is_started_twice_runs_once(open_site, site, asks):
    """Started, stopped and started again while the browser asks, or while the network is on its way."""
    page = open_site(address="about:blank", ready=False)
    page.add_init_script(f"({SLOW_START})({json.dumps(asks)})")
    page.goto(site, timeout=PATIENCE)
    page.wait_for_function("() => Boolean(window.letLoad)")
    for count, name in enumerate(("Live camera", "Stop camera", "Live camera")):
        page.get_by_role("button", name=name).click()
        if asks:
            page.wait_for_function(f"() => prompts.length === {1 + count // 2}")
        else:
            page.wait_for_function(f"() => {LIVE_STREAMS} === {1 - count % 2}")
    if asks:
        page.evaluate("prompts[0]()")
        page.wait_for_function("() => streams.length === 1")
        page.wait_for_timeout(500)
        expect(page.get_by_role("button", name="Take this picture")).to_be_hidden()
        page.evaluate("prompts[1]()")
    page.wait_for_function("() => streams.length === 2")
    page.wait_for_timeout(1000)  # each start waits for the network now
    page.evaluate("letLoad()")
    expect(page.locator("#status")).to_have_text(re.compile(r"^Live: 1 cat, [\d.]+ pictures a second$"))
    page.wait_for_timeout(1000)
    assert page.evaluate(LIVE_STREAMS) == 1, "the first camera is off"
    assert page.evaluate("most") == 1, "one picture at a time is looked at"
    expect(page.get_by_role("button", name="Take this picture")).to_be_visible()
    page.get_by_role("button", name="Stop camera").click()
    assert page.evaluate(LIVE_STREAMS) == 0
    assert page.problems == []


@pytest.mark.slow
def test_a_camera_that_is_refused(browser, site):
    flags = [flag for flag in CHROMIUM_FLAGS if "use-fake-ui" not in flag]
    other = browser.browser_type.launch(executable_path=PROGRAM, args=[*flags, "--deny-permission-prompts"])
    try:
        page = other.new_page()
        page.goto(site)
        page.get_by_role("button", name="Live camera").click()
        expect(page.locator("#status")).to_have_text(
            "No camera: there is none, it is in use, or this page may not use it."
        )
    finally:
        other.close()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_it_fits_every_screen(open_site, width, scheme):
    page = open_site(ready=False, viewport={"width": width, "height": 800}, color_scheme=scheme)
    expect(page.locator("#cutouts li")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") == width, "nothing reaches out to the right"
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (np.mean([int(value) for value in ground[4:-1].split(",")]) > 128) == (scheme == "light")
    if width < 500:
        for button in page.locator("button:visible").all():
            assert button.bounding_box()["height"] >= 40, "large enough for a thumb"


@pytest.mark.slow
def test_one_thread_where_the_host_sends_no_headers(browser, open_site, plain_site, chelsea_file):
    page = open_site(address=plain_site)
    assert page.evaluate("crossOriginIsolated") is False
    expect(page.locator("#engine")).to_contain_text("one thread")
    segment(page, chelsea_file)
    expect(page.locator("#status")).to_contain_text("Found 1 cat")


@pytest.mark.slow
def test_threads_where_it_does(page):
    assert page.evaluate("crossOriginIsolated") is True
    threads = min(page.evaluate("navigator.hardwareConcurrency"), 4)
    expect(page.locator("html")).to_have_attribute("data-ready", str(threads))


@pytest.mark.slow
@pytest.mark.parametrize("flag", ["--jitless", "--no-enable-sse4-1"])
def test_without_webassembly_or_its_vectors_it_says_so(browser, site, flag):
    if "sse" in flag and platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("other processors have no SSE4.1 to switch off")
    other = browser.browser_type.launch(executable_path=PROGRAM, args=[*CHROMIUM_FLAGS, f"--js-flags={flag}"])
    try:
        page = other.new_page()
        page.goto(site)
        expect(page.locator("#status")).to_have_text(
            "This browser lacks WebAssembly SIMD, which the network needs. Browsers since 2023 have it."
        )
        expect(page.locator("#cutouts li")).to_have_count(1)
    finally:
        other.close()


class Listener(http.server.BaseHTTPRequestHandler):
    """Another host, which would take anything."""

    def do_GET(self):
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Cross-Origin-Resource-Policy", "cross-origin")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *arguments):
        pass


@pytest.fixture
def elsewhere():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.slow
def test_nothing_leaves_the_page(page, site, chelsea_file, elsewhere):
    segment(page, chelsea_file)
    page.get_by_role("button", name="Copy cat 1").click()
    expect(page.locator("#cutouts button").first).to_have_text("Copied")
    downloaded(page, "COCO JSON")
    page.get_by_role("button", name="Live camera").click()
    expect(page.locator("#status")).to_contain_text("pictures a second")
    page.get_by_role("button", name="Stop camera").click()
    requested = [request for request in page.requested if not request.url.startswith("blob:")]
    assert requested, "the log is there at all"
    assert {request.method for request in requested} == {"GET"}
    assert all(request.url.startswith(site) and not request.post_data for request in requested)
    # And it could not if it wanted to: neither the page nor its worker may speak to another host.
    address = f"http://127.0.0.1:{elsewhere.server_address[1]}/photo"
    (worker,) = [worker for worker in page.workers if worker.url.startswith("blob:")]
    for place in (page, worker):
        with pytest.raises(Error, match="Failed to fetch"):
            place.evaluate("(url) => fetch(url, { method: 'POST', body: 'photo' })", address)
    assert elsewhere.asked == []


@pytest.mark.slow
def test_after_the_first_visit_it_works_offline(open_site, own_site, chelsea_file):
    """The server is gone for good, not just out of reach."""
    address, stop = own_site
    page = open_site(address=address)
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    segment(page, chelsea_file)
    networks = [request for request in page.requested if request.url.endswith(".gz")]
    fetched = [request.url for request in networks if not request.response().from_service_worker]
    assert len(fetched) == len(set(fetched)) == 2, "the network travels once"
    stop()
    again = page.context.new_page()
    again.goto(address, timeout=PATIENCE)
    again.wait_for_selector("html[data-ready]")
    assert again.evaluate("crossOriginIsolated") is True, "headers are kept as well"
    segment(again, chelsea_file)
    expect(again.locator("#status")).to_contain_text("Found 1 cat")
