"""Attacks of strangers on the running app, and what they get."""

import base64
import contextlib
import http.server
import os
import socket
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interface.examples import example_photos
from interface.safety.uploads import REFUSAL
from tests.videos import write_video
from tools.app_process import running_app
from tools.visitor import DOORS, Visitor, words

META = {"meta": {"_type": "gradio.FileData"}}
POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\n{} loop\n"


@pytest.fixture
def visitor(server):
    return Visitor(server)


@contextlib.contextmanager
def listener():
    """A server of somebody else: its address, and what was asked of it."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"secret")

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=other.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{other.server_address[1]}", asked
    finally:
        other.shutdown()
        other.server_close()


@pytest.mark.parametrize("door", [*DOORS, "api"])
def test_only_uploaded_files_are_read(visitor, door, tmp_path):
    secret = tmp_path / "secret.png"
    Image.new("RGB", (64, 64), "red").save(secret)
    kept = os.path.dirname(os.path.dirname(visitor.upload(secret, "mine.png")))
    with listener() as (address, asked):
        paths = [
            str(secret),
            str(tmp_path / "missing.png"),
            str(tmp_path),
            "/etc/passwd",
            "relative.png",
            kept,
            f"{kept}/../{secret.name}",
            f"{kept}/../../../../../../../..{secret}",
            f"{address}/a.png",
            f"file://{secret}",
            "a\0b",
            "x" * 5000,
            ["a"],
            7,
        ]
        link = os.path.join(kept, f"link-{door}.png")
        os.symlink(secret, link)
        answers = set()
        for path in [*paths, link]:
            for more in ({}, META, {"meta": {}}, {"url": f"{address}/b.png"}, {"is_stream": True, **META}):
                value = {"path": path, **more}
                answers.add(words(visitor.send(door, [value] if door == "files" else value)))
        os.unlink(link)
        assert len(answers) == 1 and REFUSAL in answers.pop()
        assert not asked


def test_no_address_is_fetched(visitor):
    with listener() as (address, asked):
        for path in (f"file={address}/a", f"proxy={address}/a", f"file/{address}/a"):
            assert visitor.http.get(f"/gradio_api/{path}").status_code in (400, 403, 404)
        for url in (f"{address}/c.png", "http://127.0.0.1:1/"):
            answer = visitor.send("api", {"path": None, "url": url})
            assert not answer["success"]
        assert not asked


def test_only_what_the_page_needs_has_an_address(visitor):
    for path in ("/monitoring", "/gradio_api/vibe-code", "/gradio_api/component_server", "/docs", "/gradio_api/runs"):
        assert visitor.http.get(path).status_code == 404
        assert visitor.http.post(path, json={}).status_code == 404


@pytest.mark.parametrize("way", ["run", "api"])
def test_no_way_leads_around_the_queue(visitor, way):
    photo = visitor.file(example_photos()[0], "a.png")
    number, data = visitor.event("api", photo)
    end = "" if way == "run" else "/"
    for name, more in (("segment", {}), ("predict", {"fn_index": number})):
        answer = visitor.http.post(f"/gradio_api/{way}/{name}{end}", json={"data": data, **more})
        assert answer.status_code == 404, answer.text[:200]


def test_icons_come_in_the_sizes_of_the_manifest_alone(visitor):
    assert visitor.http.get("/pwa_icon/192").status_code == 200
    for size in ("60000", "193", "-1"):
        assert visitor.http.get(f"/pwa_icon/{size}").status_code == 404


@pytest.mark.parametrize("pair", ["[]", "{}"])
def test_lists_that_would_fill_the_memory_are_not_read(visitor, pair):
    body = '{"data": [' + ",".join([pair] * 1_000_000) + "]}"
    for address in ("queue/join", "run/predict", "cancel"):
        assert visitor.http.post(f"/gradio_api/{address}", content=body).status_code == 413


def test_unknown_endpoints_are_said(visitor):
    for number in (99999, -1, "7", [], 1.5, True):
        assert visitor.join(number, [])["status"] == 404


def test_other_programs_are_not_started(visitor):
    """PostScript by the name of a PNG would be handed to Ghostscript, and run for ever."""
    start = time.perf_counter()
    picture = visitor.file(POSTSCRIPT, "a.png")
    for door in ("photo", "inside", "files", "api"):
        answer = visitor.send(door, [picture] if door == "files" else picture)
        assert "not an image in a known format" in words(answer)
    for value in (picture, {"url": "data:image/png;base64," + base64.b64encode(POSTSCRIPT).decode()}):
        answer = visitor.send("camera", value)
        assert "cannot be read" in words(answer) or "not an image" in words(answer)
    assert time.perf_counter() - start < 60


def test_playlists_read_no_films_of_the_server(visitor, tmp_path):
    film = tmp_path / "secret.mp4"
    write_video(film, [np.full((64, 64, 3), 200, np.uint8)] * 5)
    playlists = {
        "a.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{film}\n#EXT-X-ENDLIST\n",
        "a.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{film}\n#EXT-X-ENDLIST\n",
        "a.ffconcat": f"ffconcat version 1.0\nfile '{film}'\n",
        "a.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
        "a.mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"/>',
    }
    for name, content in playlists.items():
        answer = visitor.send("clip", visitor.file(content.encode(), name))
        assert f"{name} is not a video in a known format" in words(answer)
    assert "Done: 5 images" in words(visitor.send("clip", visitor.file(film, "b.mp4")))


def memory(process_id):
    """Bytes that a process holds in memory."""
    return 4096 * int(Path(f"/proc/{process_id}/statm").read_text().split()[1])


@pytest.mark.slow
def test_opening_the_page_does_not_copy_the_photos_of_all_visitors():
    """Gradio copies the page for each visitor, and with it whatever hangs on it."""
    photo = example_photos()[0]

    def opening(visitor):
        times = []
        for _ in range(8):
            for path in ("/", "/config"):
                start = time.perf_counter()
                visitor.http.get(path).raise_for_status()
                times.append(time.perf_counter() - start)
        return sorted(times)[len(times) // 2]

    with running_app() as app:
        visitor = Visitor(app.address)
        opening(visitor)
        empty = opening(visitor)
        for number in range(30):
            other = Visitor(app.address)
            with Image.open(photo) as image, tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "a.jpg")
                image.resize((1280, 900 + number)).convert("RGB").save(path)
                with open(path, "rb") as file:
                    assert "Found 1 cat" in words(other.send("photo", other.file(file.read(), f"{number}.jpg")))
        before = memory(app.process_id)
        full = opening(visitor)
        assert full < 2 * empty + 0.05
        assert memory(app.process_id) - before < 100_000_000


@pytest.mark.slow
def test_values_that_no_widget_sends_are_answered_in_words(visitor):
    """Private endpoints can be called by their numbers; that is harmless, and stays so."""
    picture = visitor.file(example_photos()[0], "a.png")
    odd = [None, True, -1, 1e308, "x", "x" * 100_000, [], [[]], {}, {"a": {"path": None}}, [None], "\0"]
    for value in odd:
        for message in (
            visitor.send("api", picture, confidence=value),
            visitor.send("api", picture, model=value),
            visitor.send("photo", picture, confidence=value, opacity=value),
            visitor.send("photo", picture, shown=value, model=value),
            visitor.send("inside", value, confidence=value, model=value),
            visitor.send("clip", value, clip_confidence=value),
            visitor.send("files", value, batch_model=value),
            visitor.send("camera", value or "", live_model=value),  # without an image it would wait for one,
        ):
            assert message["success"] or message["output"]["error"]
    for dependency in visitor.config["dependencies"]:
        for data in ([], [{}] * len(dependency["inputs"])):
            message = visitor.join(dependency["id"], data)
            assert message["success"] or message["output"]["error"]


def test_one_visitor_leaves_room_for_others(server):
    greedy, other = Visitor(server), Visitor(server)
    picture = greedy.file(example_photos()[0], "a.png")
    number, data = greedy.event("api", picture)
    codes = [greedy.begin(number, data).status_code for _ in range(60)]
    assert 429 in codes and codes.count(200) < 60
    answer = other.send("api", other.file(example_photos()[0], "a.png"))
    assert answer["success"], words(answer)


def test_answers_tell_the_browser_what_not_to_do(visitor):
    for path in ("/", "/config", "/nothing", "/healthz"):
        headers = visitor.http.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'self'" in headers["content-security-policy"]
        assert headers["x-frame-options"] == "SAMEORIGIN"


def test_names_of_other_hosts_are_not_believed(visitor):
    answer = visitor.http.get("/config", headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"})
    assert "evil.example" not in answer.text and visitor.http.get("/healthz").json() == {"status": "ready"}


def test_the_code_beside_the_figures_is_not_served(visitor):
    figures = Path(__file__).resolve().parent.parent.parent / "docs" / "figures"
    assert visitor.http.get(f"/gradio_api/file={figures}/segmentation.png").status_code == 200
    assert visitor.http.get(f"/gradio_api/file={figures}/draw.py").status_code in (403, 404)


@pytest.mark.slow
@pytest.mark.parametrize("pause", [1, 25])
def test_uploads_that_stop_or_trickle_are_dropped(server, pause):
    host, port = server.removeprefix("http://").split(":")
    head = b"POST /gradio_api/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n"
    head += b"Content-Type: multipart/form-data; boundary=X\r\n\r\n--X\r\n"
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(head + b'Content-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n')
        start, answer = time.perf_counter(), b""
        while not answer and time.perf_counter() - start < 60:
            with contextlib.suppress(OSError):
                connection.sendall(b"x")
            connection.settimeout(pause)
            with contextlib.suppress(TimeoutError):
                answer = connection.recv(10_000)
        assert b" 408 " in answer
