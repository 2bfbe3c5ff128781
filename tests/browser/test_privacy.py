"""What docs/hosting.md promises of visitors' photos."""

import os
import socket
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from PIL import Image
from playwright.sync_api import expect
from skimage import data

from interface import housekeeping
from interface.collage import SCENES
from interface.examples import example_photos
from interface.page import build_page, serve
from interface.session import AnalysisCache, Models
from tests.browser.conftest import PATIENCE
from tests.browser.photo_page import download, segment, set_slider
from tools.app_process import free_port, running_app

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BROKEN_UPLOAD = (
    b"POST /gradio_api/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9000000\r\n"
    b"Content-Type: multipart/form-data; boundary=X\r\n\r\n"
    b'--X\r\nContent-Disposition: form-data; name="files"; filename="secret.png"\r\n\r\n' + bytes(1_000_000)
)


def files(folder):
    return {str(path) for path in Path(folder).rglob("*") if path.is_file()}


def test_nothing_outlives_its_time(browser, monkeypatch, tmp_path):
    kept = tmp_path / "kept"
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(kept))
    monkeypatch.setattr(housekeeping, "EVERY", 0.5)
    photo = tmp_path / "mine.png"
    Image.fromarray(data.chelsea()).save(photo)
    recent = AnalysisCache()
    blocks = build_page(Models(), recent)
    examples = files(kept)
    assert len(examples) == len(example_photos()) + len(SCENES) + 3  # the drawn dog, the clips of Live and of Video
    port = free_port()
    serve(blocks, "127.0.0.1", port)
    context = browser.new_context(viewport={"width": 1366, "height": 900})
    context.set_default_timeout(PATIENCE)
    try:
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{port}")
        page.get_by_label("Remove Image").click()
        page.wait_for_selector(".result .blank")
        page.get_by_role("button", name="Fine-tune").click()
        segment(page, photo)
        download(page, tmp_path)
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(BROKEN_UPLOAD)
            while not any(os.path.getsize(path) > 900_000 for path in files(kept) - examples):
                page.wait_for_timeout(100)
        assert len(files(kept) - examples) >= 3 and len(recent) == 1 and blocks.state_holder.session_data

        monkeypatch.setattr(housekeeping, "AGE", 0)
        while files(kept) != examples or len(recent) or blocks.state_holder.session_data:
            page.wait_for_timeout(100)
        set_slider(page, "opacity", 80)
        expect(page.locator("#status p")).to_have_text(
            "Sorry. The photo is no longer kept here: please choose it again."
        )
    finally:
        context.close()
        blocks.close()


def test_nothing_is_left_when_the_server_is_stopped(tmp_path):
    with running_app(GRADIO_TEMP_DIR=str(tmp_path)) as app:
        client = Client(app.address, verbose=False, download_files=str(tmp_path.parent))
        client.predict(handle_file(example_photos()[0]), api_name="/segment")
        assert {Path(path).name for path in files(tmp_path)} >= {"chelsea.png", "overlay.png"}
    assert list(tmp_path.iterdir()) == []
