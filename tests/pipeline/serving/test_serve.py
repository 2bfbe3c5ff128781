"""The running service: the answers of the library, one sentence a bad input, and what happens when things break."""

import concurrent.futures
import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interface.session import Models
from mrcnn import MaskRCNN
from mrcnn.results.documents import coco_document
from tools.app_process import running_app
from tools.service_process import running_service
from tools.visitor import Visitor

pytestmark = pytest.mark.slow

httpx = pytest.importorskip("httpx")
pytest.importorskip("uvicorn")
ROOT = Path(__file__).resolve().parents[3]


def running(*options):
    return running_service("--engine", "onnx", "--threads", "1", *options)


@pytest.fixture(scope="module")
def service():
    with (
        running("--most-mb", "2") as (_, address),
        httpx.Client(base_url=address, timeout=120) as http,
    ):
        yield http


@pytest.fixture(scope="module")
def light():
    return MaskRCNN.from_pretrained("cat", engine="onnx")


@pytest.fixture(scope="module")
def cat(chelsea):
    """Chelsea as a PNG, bytes."""
    content = io.BytesIO()
    Image.fromarray(chelsea).save(content, "PNG")
    return content.getvalue()


def metric(http, name):
    return float(re.search(rf"^mrcnn_{name} (\S+)$", http.get("/metrics").text, re.MULTILINE)[1])


def replicas_of(process):
    """Processes below one that hold a model: those of `multiprocessing.spawn`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == process.pid and "spawn_main" in (folder / "cmdline").read_text():
                found.append(int(folder.name))
    return found


def test_segment_answers_as_the_library_does(service, cat, chelsea, light):
    for confidence in (0.5, 0.05):
        found = light.segment(chelsea, confidence=confidence)
        expected = coco_document(found, "cat.png", light.class_names)
        answer = service.post("/segment", content=cat, params={"confidence": confidence, "name": "cat.png"})
        assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
        document = answer.json()
        assert document.pop("info")["milliseconds"] > 0 and expected.pop("info")
        assert document == expected and document["annotations"]
    form = service.post("/segment", files={"photo": ("cat.png", cat)}, params={"confidence": 0.05})
    assert form.json()["annotations"] == document["annotations"]
    assert form.json()["images"][0]["file_name"] == "cat.png"


def test_the_service_is_told_where_the_photo_ends_on_its_canvas(service, cat, chelsea, light):
    model = MaskRCNN.from_service(str(service.base_url))
    canvas = light.letterbox(chelsea).canvas
    height, width = canvas.shape[:2]
    ((_, _, _, right),) = light.detect_canvases([(canvas, (0, 0, height, width))], 0.5)[0]["boxes"]
    window = 0, 0, height, int(right) + 2
    found, expected = (each.detect_canvases([(canvas, window)], 0.5)[0]["boxes"] for each in (model, light))
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert expected[0, 3] == window[3] > right
    # Of a photo nobody asks it.
    assert service.post("/segment", content=cat, params={"width": 5000}).status_code == 200
    refused = service.post("/detect", content=cat, params={"width": 5000})
    assert (refused.status_code, refused.json()["error"]) == (
        400,
        "width must be a number from 1 to 2048, but came as 5000.",
    )


def test_what_is_wrong_is_said_in_one_sentence(service, cat):
    for status, words, request in (
        (422, "not an image in a known format", {"content": b"nonsense"}),
        (422, "damaged", {"content": cat[:3000]}),
        (422, "cat.svg is not", {"files": {"photo": ("cat.svg", b"<svg/>")}}),
        (400, "A photo is needed", {"content": b""}),
        (400, "A photo is needed", {"files": {"photo": (None, "a text and no file")}}),
        (400, "cannot be read", {"content": b"x", "headers": {"content-type": "multipart/form-data; boundary=a"}}),
        (400, "confidence must be a number from 0 to 1", {"content": cat, "params": {"confidence": "2"}}),
        (400, "limit must be a number from 1 to 1000", {"content": cat, "params": {"limit": "many"}}),
        (413, "larger than the accepted 2 MB", {"content": b"x" * 3_000_000}),
        (413, "larger than the accepted 2 MB", {"content": (b"x" * 500_000 for _ in range(6))}),
    ):
        answer = service.post("/segment", **request)
        assert answer.status_code == status, (answer.text, request.keys())
        assert words in answer.json()["error"]
    small = io.BytesIO()
    Image.new("RGB", (100, 100)).save(small, "PNG")
    assert "multiples of 32" in service.post("/detect", content=small.getvalue()).json()["error"]
    assert service.get("/segment").status_code == 405 and "POST" in service.get("/segment").json()["error"]
    assert service.get("/nowhere").status_code == 404 and service.get("/nowhere").json()["error"]
    assert service.get("/healthz").json() == {"status": "ok", "replicas": 1}


def test_requests_that_wait_share_a_batch(service, cat):
    before = metric(service, "batches_total")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda number: service.post("/segment", content=cat), range(32)))
    assert all(answer.status_code == 200 and answer.json()["annotations"] for answer in answers)
    assert metric(service, "batches_total") - before < 24
    text = service.get("/metrics").text
    assert 'mrcnn_requests_total{path="/segment",status="200"}' in text
    assert 'mrcnn_request_seconds_bucket{path="/segment",le="+Inf"}' in text


def test_a_model_behind_a_service_gives_what_it_gives_here(service, light, chelsea):
    model = MaskRCNN.from_service(str(service.base_url))
    images = [chelsea, np.zeros((90, 60, 3), np.uint8), np.ascontiguousarray(chelsea[:, ::-1]), chelsea[:200]]
    for found, expected in zip(model.segment_batch(images, 0.3), light.segment_batch(images, 0.3), strict=True):
        np.testing.assert_allclose(found.scores, expected.scores, atol=1e-4)
        np.testing.assert_allclose(found.boxes, expected.boxes, atol=1.0)
        assert not len(expected) or (found.masks == expected.masks).mean() > 0.9999
    with pytest.raises(ValueError, match="no network here"):
        model.inspect(chelsea)


def test_the_page_uses_the_service_as_its_model(service, monkeypatch, chelsea):
    monkeypatch.setenv("MRCNN_SERVICE", str(service.base_url))
    before = metric(service, "batched_requests_total")
    models = Models()
    assert models.names() == ["cat"]
    found, milliseconds = models.detect("cat", chelsea, 0.5)
    assert len(found) == 1 and milliseconds > 0
    assert metric(service, "batched_requests_total") >= before + 1
    monkeypatch.setenv("MRCNN_SERVICE", "http://127.0.0.1:1")
    with pytest.raises(ValueError, match="does not answer.*127.0.0.1:1"):
        Models()


def test_visitors_do_not_learn_where_the_service_is(service, monkeypatch, chelsea):
    model = MaskRCNN.from_service(str(service.base_url))
    with pytest.raises(ValueError) as refused:
        model._engine.detect(np.zeros((1, 64, 64, 3), np.uint8), 0.5, 10**9, [(0, 0, 64, 64)])
    assert str(refused.value).startswith("The model's service refuses: ") and "{" not in str(refused.value)
    monkeypatch.setattr(model._engine, "_client", httpx.Client(base_url="http://127.0.0.1:1"))
    with pytest.raises(ValueError, match=r"^The model's service does not answer\.$"):
        model.segment(chelsea)


@pytest.mark.slow
def test_a_running_page_answers_with_the_model_of_the_service(service, cat, chelsea, light):
    before = metric(service, "batched_requests_total")
    with running_app(MRCNN_SERVICE=str(service.base_url)) as app:
        visitor = Visitor(app.address, patience=300)
        message = visitor.send("api", visitor.file(cat, "cat.png"))
    assert message["success"], message
    document = message["output"]["data"][0]
    (expected,) = light.segment(chelsea, confidence=0.5).to_coco()
    (found,) = document["annotations"]
    assert found["score"] == pytest.approx(expected["score"], abs=1e-3)
    assert found["area"] == pytest.approx(expected["area"], rel=0.001)
    assert metric(service, "batched_requests_total") >= before + 2, "the page's start and the photo"


@pytest.mark.slow
def test_a_killed_replica_is_replaced_and_no_request_is_lost(cat):
    with running() as (process, address), httpx.Client(base_url=address, timeout=300) as http:
        assert http.post("/segment", content=cat).status_code == 200
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = [pool.submit(http.post, "/segment", content=cat) for _ in range(24)]
            (replica,) = replicas_of(process)
            os.kill(replica, signal.SIGKILL)
            assert [answer.result().status_code for answer in answers] == [200] * 24
        assert metric(http, "replicas_lost_total") == 1 and metric(http, "replicas") == 1
        assert replicas_of(process) != [replica]


@pytest.mark.slow
def test_more_replicas_come_with_the_queue_and_what_is_too_much_is_told_to_wait(cat):
    with (
        running("--replicas", "1-2", "--queue", "40") as (_, address),
        httpx.Client(base_url=address, timeout=300, limits=httpx.Limits(max_connections=80)) as http,
    ):
        stop, answers = threading.Event(), []

        def visit(_):
            while not stop.is_set():
                answers.append(http.post("/segment", content=cat))

        with concurrent.futures.ThreadPoolExecutor(60) as pool:
            visits = [pool.submit(visit, number) for number in range(60)]
            deadline = time.monotonic() + 120
            try:
                while metric(http, "replicas") < 2 and time.monotonic() < deadline:
                    time.sleep(0.5)
            finally:
                stop.set()
            for each in visits:
                each.result()
        assert metric(http, "replicas") == 2
        assert {answer.status_code for answer in answers} == {200, 503}
        busy = next(answer for answer in answers if answer.status_code == 503)
        assert busy.headers["retry-after"] == "1" and "busy" in busy.json()["error"]


@pytest.mark.slow
def test_it_drains_before_it_ends(cat):
    with running() as (process, address), httpx.Client(base_url=address, timeout=300) as http:
        assert http.get("/healthz").status_code == 200
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = [pool.submit(http.post, "/segment", content=cat) for _ in range(16)]
            deadline = time.monotonic() + 60
            while metric(http, "waiting_requests") < 2 and time.monotonic() < deadline:
                pass
            process.send_signal(signal.SIGTERM)
            assert [answer.result().status_code for answer in answers] == [200] * 16
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0 and "Traceback" not in errors
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{address}/healthz")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--replicas", "4-2"], "expected a number, or two as in 1-4"),
        (["--weights", "dragon"], "no weights 'dragon'"),
        (["--queue", "0"], "--queue must be from 1"),
    ],
)
def test_wrong_settings_are_said(options, words):
    line = [sys.executable, "-m", "pipeline", "serve", *options]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and words in done.stderr and len(done.stderr.splitlines()) == 1


def test_the_card_is_given_to_who_asks(service):
    document = service.get("/model").json()
    assert document["name"] == "cat" and document["card"]["config"]["class_names"] == ["cat"]
    assert document["card"] == json.loads((ROOT / "weights/cat.onnx.json").read_text())
