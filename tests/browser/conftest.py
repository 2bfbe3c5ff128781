"""The real app in a process of its own, and a real Chromium in front of it."""

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect, sync_playwright
from skimage import data
from skimage.transform import resize

from tools import serve_site
from tools.app_process import ROOT, running_app

PATIENCE = 90_000  # milliseconds; a machine may be busy with training
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


# Of Gradio's own camera and video, where they are left or hidden while the video is starting: nothing is broken by it.
INTERRUPTED_PLAY = "The play() request was interrupted"


def note_problems(page):
    """Collects what a page's scripts throw in `page.problems`."""
    page.problems = []
    page.on("pageerror", lambda error: INTERRUPTED_PLAY in str(error) or page.problems.append(str(error)))


@pytest.fixture(scope="session")
def server():
    """Address of the running app."""
    with running_app() as app:
        assert any(line.startswith(f"Ready: {app.address} ") for line in app.lines)
        yield app.address


@pytest.fixture(scope="session")
def webcam_video(tmp_path_factory):
    """A video of Chelsea the cat, who moves a little, in the format of Chromium's fake webcam: raw 4:2:0 frames."""
    height, width = 240, 320
    image = (resize(data.chelsea(), (height, width), anti_aliasing=True) * 255).astype(np.float32)
    video = tmp_path_factory.mktemp("webcam") / "chelsea.y4m"
    with video.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F15:1 Ip A1:1 C420jpeg\n".encode())
        for shift in (0, 4, 8, 12, 8, 4):
            frame = np.roll(image, shift, axis=1)
            luma = frame @ [0.299, 0.587, 0.114]
            blue = 128 + (frame[..., 2] - luma) * 0.564
            red = 128 + (frame[..., 0] - luma) * 0.713
            halved = [plane.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)) for plane in (blue, red)]
            # Video range: 16 to 235.
            planes = [16 + luma * 219 / 255, *(128 + (plane - 128) * 224 / 255 for plane in halved)]
            content = b"".join(np.clip(np.rint(plane), 0, 255).astype(np.uint8).tobytes() for plane in planes)
            file.write(b"FRAME\n" + content)
    return video


# The system's Chromium where there is one, else the one that `playwright install` fetched.
PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session")
def browser(webcam_video):
    flags = [*CHROMIUM_FLAGS, f"--use-file-for-fake-video-capture={webcam_video}"]
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        if PROGRAM is None and not Path(playwright.chromium.executable_path).exists():
            pytest.skip("no Chromium: install it with `apt-get install chromium` or `playwright install chromium`")
        chromium = playwright.chromium.launch(executable_path=PROGRAM, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser, server):
    """A function that opens the page in a window of its own: `open_page(viewport={...})`.

    The finished result that visitors see first is removed and the drawer opened, unless `first_view` is true.
    """
    contexts = []

    def open_page(first_view=False, **options):
        options.setdefault("viewport", {"width": 1366, "height": 900})
        context = browser.new_context(permissions=["camera", "clipboard-read", "clipboard-write"], **options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.requested = []
        note_problems(page)
        page.on("request", lambda request: page.requested.append(request.url))
        page.goto(server, timeout=PATIENCE)
        # Not until the network is idle: Gradio keeps a connection open for as long as the page is.
        page.wait_for_selector(".gallery-item img")
        page.wait_for_selector("#photo [aria-label='Remove Image']")
        if not first_view:
            page.get_by_label("Remove Image").click()
            page.wait_for_selector(".result .blank")
            page.get_by_role("button", name="Fine-tune").click()
            page.wait_for_selector("#styles")
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page):
    page = open_page()
    yield page
    assert page.problems == []


# The browser edition.


@pytest.fixture(scope="session")
def site_folder(tmp_path_factory):
    """The page as `python -m pipeline export` writes it for the shipped model."""
    folder = tmp_path_factory.mktemp("web") / "site"
    command = [sys.executable, "-m", "pipeline", "export", "--weights", "cat", "--format", "web", "--out", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode and "npm" in done.stderr:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr
    return folder


def serve(folder, **options):
    """Serves a folder in a thread: its address, and a function that stops it."""
    server = serve_site.server(folder, **options)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def stop():
        server.shutdown()
        server.server_close()

    return f"http://127.0.0.1:{server.server_address[1]}/", stop


@pytest.fixture(scope="session")
def site(site_folder):
    address, stop = serve(site_folder)
    yield address
    stop()


@pytest.fixture(scope="session")
def plain_site(site_folder):
    """The same on a host that sends no headers."""
    address, stop = serve(site_folder, isolated=False)
    yield address
    stop()


@pytest.fixture
def own_site(site_folder):
    """A server of a test's own, which it may stop: its address, and the function that does."""
    address, stop = serve(site_folder)
    yield address, stop
    stop()


@pytest.fixture(scope="module")
def open_site(browser, site):
    """A function that opens the browser edition in a window of its own."""
    contexts = []

    def open_site(address=site, ready=True, **options):
        options.setdefault("viewport", {"width": 1366, "height": 900})
        context = browser.new_context(permissions=["camera", "clipboard-read", "clipboard-write"], **options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.requested = []
        note_problems(page)
        # Of the context: what workers fetch is among it.
        context.on("request", lambda request: page.requested.append(request))
        page.goto(address, timeout=PATIENCE)
        if ready:
            page.wait_for_selector("html[data-ready]")
        return page

    yield open_site
    for context in contexts:
        context.close()
