"""The doors of the service: what may come in, and what is said of the service itself.

    POST /segment    a photo, as body or as the file of a form; a COCO document comes back, as from `python -m mrcnn`
    POST /detect     a letterboxed canvas; what the network says of it, for `mrcnn.engines.service`; both name the
                     model's checksum in the header Model-SHA256
    GET  /model      name and card of the model
    GET  /healthz    200 as long as a model is ready
    GET  /metrics    counts and times for Prometheus

Settings are `?confidence=0.5&limit=30&name=cat.jpg`; for a canvas also `height=312&width=416`, the size of the photo in
its corner, in pixels. An error is `{"error": "one sentence"}`: 400 for a wrong setting, 408, 413 and 422 for a body
that comes too slowly, is too large or no image, 503 with Retry-After where the service is busy.
"""

import asyncio
import bisect
import collections
import os
import time

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from mrcnn.engines.service import MODEL_HEADER
from pipeline.serving.batching import Busy
from pipeline.serving.replica import LARGEST_CANVAS, Answer
from pipeline.serving.replica import Request as ModelRequest

UPLOAD_SECONDS = 60  # that a body may take to come
CLIENT_GONE = 499  # in the metrics alone; the number is nginx's
BUCKETS = 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0  # seconds, of the histogram of answer times


class Refused(Exception):
    """A request that is not answered: HTTP status and sentence."""


class Metrics:
    """What the service has done so far, as Prometheus reads it."""

    def __init__(self):
        self._requests = collections.Counter()
        self._seconds = collections.Counter()
        self._within = collections.defaultdict(lambda: [0] * (len(BUCKETS) + 1))

    def count(self, path, status, seconds):
        self._requests[path, status] += 1
        self._seconds[path] += seconds
        self._within[path][bisect.bisect_left(BUCKETS, seconds)] += 1

    def text(self, models):
        lines = ["# TYPE mrcnn_requests_total counter"]
        for (path, status), count in sorted(self._requests.items()):
            lines.append(f'mrcnn_requests_total{{path="{path}",status="{status}"}} {count}')
        lines.append("# TYPE mrcnn_request_seconds histogram")
        for path, counts in sorted(self._within.items()):
            total = 0
            for bound, count in zip([*map(str, BUCKETS), "+Inf"], counts, strict=True):
                total += count
                lines.append(f'mrcnn_request_seconds_bucket{{path="{path}",le="{bound}"}} {total}')
            lines.append(f'mrcnn_request_seconds_sum{{path="{path}"}} {self._seconds[path]:.6g}')
            lines.append(f'mrcnn_request_seconds_count{{path="{path}"}} {total}')
        for name, kind, value in (
            ("batches_total", "counter", models.batches),
            ("batched_requests_total", "counter", models.answered),
            ("replicas_lost_total", "counter", models.lost),
            ("replicas", "gauge", len(models.replicas)),
            ("waiting_requests", "gauge", models.waiting),
        ):
            lines += [f"# TYPE mrcnn_{name} {kind}", f"mrcnn_{name} {value}"]
        return "\n".join(lines) + "\n"


def build_application(models, name, card, places, most_bytes):
    """The service as an ASGI application.

    Args:
        models: `pipeline.serving.batching.Models`, started.
        name: str. Name of the model.
        card: dict. What is known of its weights.
        places: int. Requests under way at a time, those that still upload included.
        most_bytes: int. Largest body.
    """
    metrics = Metrics()
    under_way = 0
    stamp = {MODEL_HEADER: card["sha256"]} if "sha256" in card else {}  # a client may remember another model

    async def answer(http):
        nonlocal under_way
        start, path = time.perf_counter(), http.url.path
        result = _busy()
        if under_way < places:
            under_way += 1
            try:
                request = await _read(http, path.strip("/"), card["config"], most_bytes)
                answered = await _unless_gone(http, models.submit(request))
                result = Response(answered.content, answered.status, stamp, answered.kind)
            except Refused as refusal:
                refused = Answer.error(*refusal.args)
                result = Response(refused.content, refused.status, media_type=refused.kind)
            except Busy:
                pass
            finally:
                under_way -= 1
        metrics.count(path, result.status_code, time.perf_counter() - start)
        return result

    async def health(_):
        ready = bool(models.replicas)
        state = {"status": "ok" if ready else "no model is ready", "replicas": len(models.replicas)}
        return JSONResponse(state, 200 if ready else 503)

    async def describe(_):
        return JSONResponse({"name": name, "card": card})

    async def measure(_):
        return PlainTextResponse(metrics.text(models))

    async def refuse(_, error):
        words = {404: "There is nothing here; POST /segment takes a photo.", 405: "POST /segment takes a photo."}
        return JSONResponse({"error": words.get(error.status_code, error.detail)}, error.status_code)

    async def fail(_, error):
        return JSONResponse({"error": "Something went wrong here; the log says what."}, 500)

    return Starlette(
        routes=[
            Route("/segment", answer, methods=["POST"]),
            Route("/detect", answer, methods=["POST"]),
            Route("/model", describe),
            Route("/healthz", health),
            Route("/metrics", measure),
        ],
        exception_handlers={HTTPException: refuse, 500: fail},
    )


def _busy():
    return JSONResponse({"error": "The service is busy, please try again."}, 503, {"Retry-After": "1"})


async def _read(http, kind, config, most_bytes):
    """The `ModelRequest` that came over HTTP. Raises Refused."""
    confidence = _number(http, "confidence", float, config.get("confidence", 0.5), 0, 1)
    limit = _number(http, "limit", int, config.get("shown_limit", 30), 1, 1000)
    photo_size = LARGEST_CANVAS, LARGEST_CANVAS
    if kind == "detect":
        photo_size = tuple(_number(http, side, int, LARGEST_CANVAS, 1, LARGEST_CANVAS) for side in ("height", "width"))
    too_large = Refused(413, f"The body is larger than the accepted {most_bytes / 1e6:g} MB.")
    size = http.headers.get("content-length", "0")
    if not (size.isascii() and size.isdigit()) or int(size) > most_bytes:
        raise too_large
    came = 0

    async def receive():
        nonlocal came
        message = await http.receive()
        came += len(message.get("body", b""))
        if came > most_bytes:  # a body in pieces does not say its size beforehand
            raise too_large
        return message

    name = http.query_params.get("name", "photo")
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            content, name = await _content(Request(http.scope, receive), name)
    except TimeoutError:
        raise Refused(408, f"The body takes longer than {UPLOAD_SECONDS} seconds to come.") from None
    except ClientDisconnect:
        raise Refused(400, "The connection broke off.") from None
    except HTTPException as error:  # of a form
        raise Refused(error.status_code, f"The form cannot be read: {error.detail}") from None
    except (ValueError, LookupError):  # UnicodeError is a ValueError
        raise Refused(400, "The form cannot be read in the encoding that it names; UTF-8 is accepted.") from None
    if not content:
        raise Refused(400, "A photo is needed, as the body or as the file of a form, but none came.")
    name = name.encode(errors="replace").decode()  # some encodings of a form give what is no text
    return ModelRequest(kind, content, os.path.basename(name)[:200] or "photo", confidence, limit, photo_size)


async def _content(http, name):
    """The bytes of the photo and its name."""
    if not http.headers.get("content-type", "").startswith("multipart/form-data"):
        return await http.body(), name
    async with http.form(max_files=1, max_fields=4) as form:
        files = [value for value in form.values() if not isinstance(value, str)]
        return (await files[0].read(), files[0].filename or name) if files else (b"", name)


async def _unless_gone(http, answering):
    """What a coroutine gives; it is cancelled where the client goes before. Raises Refused, which nobody reads then."""

    async def gone():
        while (await http.receive())["type"] != "http.disconnect":
            pass

    tasks = [asyncio.create_task(each) for each in (answering, gone())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not tasks[0].done():
            raise Refused(CLIENT_GONE, "The connection broke off.")
        return tasks[0].result()
    finally:
        for task in tasks:
            task.cancel()


def _number(http, name, kind, default, least, most):
    text = http.query_params.get(name)
    if text is None:
        return default
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not least <= value <= most:
        raise Refused(400, f"{name} must be a number from {least} to {most}, but came as {text[:40]}.")
    return value
