"""The doors and the queue before replicas that are functions of this process: what a bad request does to the others."""

import asyncio
import concurrent.futures
import io
import threading

import numpy as np
import pytest

from mrcnn import weights
from mrcnn.engines.service import MODEL_HEADER, ServiceEngine
from pipeline.serving import batching, replica
from pipeline.serving.batching import Busy, Models
from pipeline.serving.replica import Answer, ReplicaLost, Request

httpx = pytest.importorskip("httpx")
pytest.importorskip("starlette", reason="pipeline serve needs starlette: pip install .[scale]")
from pipeline.serving.application import build_application  # noqa: E402

CARD = {"config": {"preset": "lite", "class_names": ["cat"]}, "sha256": "5" * 64}


def echo(requests):
    return [Answer(200, request.name.encode()) for request in requests]


class Fake:
    """A replica that answers by a function; a batch for which that raises ReplicaLost ends it."""

    answer = staticmethod(echo)

    def __init__(self, *_):
        pass

    def ask(self, requests, seconds):
        return type(self).answer(requests)

    def stop(self):
        pass


@pytest.fixture
def serve(monkeypatch):
    """A function that runs a coroutine function with models behind the queue, whose replicas answer by a function."""

    def serve(client, answer=echo):
        async def main():
            models = Models("", 1, 1, 1, 8)
            await models.start()
            try:
                async with asyncio.timeout(10):
                    return await client(models)
            finally:
                await models.stop()

        monkeypatch.setattr(Fake, "answer", staticmethod(answer))
        monkeypatch.setattr(batching, "Replica", Fake)
        return pool.submit(asyncio.run, main()).result()

    with concurrent.futures.ThreadPoolExecutor(1) as pool:  # the browser's tests leave a loop in this thread
        yield serve


def asked(name="photo"):
    return Request("segment", b"x", name, 0.5, 30)


def over_http(models, card=CARD):
    application = build_application(models, "cat", card, 4, 1_000_000)
    return httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://service")


@pytest.mark.parametrize(
    ("charset", "name", "status", "words"),
    [
        ("utf-7", b"+2AA-.jpg", 200, "?.jpg"),
        ("undefined", b"a.jpg", 400, "encoding"),
        ("idna", b"xn--\xff", 200, "xn--ÿ"),
        ("a\0b", b"a.jpg", 400, "encoding"),
        ("utf-8", "Löwe.jpg".encode(), 200, "Löwe.jpg"),
    ],
)
def test_a_form_in_any_encoding_is_answered_or_refused(serve, charset, name, status, words):
    async def client(models):
        body = b'--b\r\nContent-Disposition: form-data; name="photo"; filename="' + name + b'"\r\n\r\nx\r\n--b--\r\n'
        kind = b"multipart/form-data; boundary=b; charset=" + charset.encode()
        async with over_http(models) as http:
            answer = await http.post("/segment", content=body, headers={b"content-type": kind})
            assert (await http.post("/segment", content=b"x")).text == "photo"
        return answer

    answer = serve(client)
    assert (answer.status_code, words in answer.text) == (status, True), answer.text


def test_what_nobody_foresaw_is_an_error_and_the_next_request_is_answered(serve):
    def answer(requests):
        if any(request.name == "odd" for request in requests):
            raise RuntimeError("nobody foresaw this")
        return echo(requests)

    async def client(models):
        first = await models.submit(asked("odd"))
        return first, await models.submit(asked("plain")), len(models.replicas)

    first, second, replicas = serve(client, answer)
    assert first.status == 500 and b"the log says what" in first.content
    assert second == Answer(200, b"plain") and replicas == 1


def test_only_who_loses_a_replica_twice_is_refused_whatever_it_is_called(serve):
    def answer(requests):
        if any(request.name == "\ud800" for request in requests):
            raise ReplicaLost
        return echo(requests)

    async def client(models):
        return await asyncio.gather(*(models.submit(asked(name)) for name in ("a", "\ud800", "b"))), models

    (first, worst, last), models = serve(client, answer)
    assert (first.content, last.content) == (b"a", b"b")
    assert worst.status == 422 and b"takes too long" in worst.content
    assert models.lost == 2


def test_a_batch_that_fails_is_answered_one_by_one(monkeypatch, caplog):
    def answer_all(model, requests):
        if any(request.name == "odd" for request in requests):
            raise MemoryError
        return echo(requests)

    monkeypatch.setattr(replica, "answer_all", answer_all)
    answers = replica.answer_whatever_comes(None, [asked("a"), asked("odd"), asked("b")])
    assert [answer.status for answer in answers] == [200, 500, 200]
    assert "MemoryError" in caplog.text


def test_who_waits_too_long_is_told_so_where_no_model_comes_back(serve, monkeypatch):
    monkeypatch.setattr(batching, "WAIT_SECONDS", 0.1)
    monkeypatch.setattr(batching, "LOOK_SECONDS", 0.05)

    def answer(requests):
        monkeypatch.setattr(batching, "Replica", None)  # no other one starts
        raise ReplicaLost

    async def client(models):
        refused = await asyncio.gather(*(models.submit(asked()) for _ in range(2)), return_exceptions=True)
        async with over_http(models) as http:
            late = await http.post("/segment", content=b"x")
            return refused, late, await http.get("/healthz")

    refused, late, health = serve(client, answer)
    assert [type(error) for error in refused] == [Busy, Busy]
    assert late.status_code == 503 and late.headers["retry-after"] == "1"
    assert health.status_code == 503 and health.json()["replicas"] == 0


def test_a_client_that_has_gone_is_not_computed_and_takes_no_place(serve):
    seen, works, go_on = [], threading.Event(), threading.Event()

    def answer(requests):
        seen.extend(request.name for request in requests)
        works.set()
        assert go_on.wait(10)
        return echo(requests)

    async def client(models):
        application = build_application(models, "cat", CARD, 2, 1_000_000)
        came = [{"type": "http.request", "body": b"x"}, {"type": "http.disconnect"}]

        async def receive():
            return came.pop(0)

        async def send(message):
            pass

        scope = {"type": "http", "method": "POST", "path": "/segment", "headers": [], "query_string": b"name=gone"}
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as http:
            first = asyncio.create_task(http.post("/segment?name=first", content=b"x"))
            await asyncio.to_thread(works.wait, 10)
            await application(scope, receive, send)
            second = asyncio.create_task(http.post("/segment?name=second", content=b"x"))
            while models.waiting < 2:  # the one that has gone among them
                await asyncio.sleep(0)
            go_on.set()
            assert [(await each).text for each in (first, second)] == ["first", "second"]
            return (await http.get("/metrics")).text

    metrics = serve(client, answer)
    assert seen == ["first", "second"] and 'status="499"} 1' in metrics


def test_no_replica_starts_from_a_file_that_has_been_replaced():
    path = weights.locate_runnable("cat", "onnx")
    assert replica.load(path, 1, weights.read_card(path)["sha256"]).class_names == ("cat",)
    with pytest.raises(ValueError, match="has changed since the service started"):
        replica.load(path, 1, "0" * 64)


def test_answers_name_the_model_and_a_client_of_another_one_is_told(serve, monkeypatch):
    async def client(models):
        async with over_http(models) as http:
            return [(await http.post(path, content=b"x")).headers[MODEL_HEADER] for path in ("/segment", "/detect")]

    assert serve(client) == [CARD["sha256"]] * 2

    content = io.BytesIO()
    np.savez(content, scores=np.zeros(0, np.float32))
    now = CARD["sha256"]

    def answer(request):
        if request.url.path == "/model":
            return httpx.Response(200, json={"name": "cat", "card": CARD})
        return httpx.Response(200, content=content.getvalue(), headers={MODEL_HEADER: now} if now else {})

    client_of_httpx = httpx.Client
    monkeypatch.setattr(
        httpx, "Client", lambda **settings: client_of_httpx(transport=httpx.MockTransport(answer), **settings)
    )
    engine, canvas = ServiceEngine("http://service"), np.zeros((1, 32, 32, 3), np.uint8)
    windows = [(0, 0, 32, 32)]
    assert len(engine.detect(canvas, 0.5, 30, windows)["scores"]) == 0
    now = None  # a service that does not say it
    assert len(engine.detect(canvas, 0.5, 30, windows)["scores"]) == 0
    now = "6" * 64
    with pytest.raises(ValueError, match="runs another model than before"):
        engine.detect(canvas, 0.5, 30, windows)
