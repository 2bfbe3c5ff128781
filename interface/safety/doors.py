"""The doors of the server: which addresses there are, who may come in, and with how much.

Gradio's server offers more than this page needs: a proxy, the streaming of foreign addresses, editing of the app,
recordings. What is not in the list below is answered as if it were not there, so that what a later Gradio adds is
closed until somebody has looked at it.
"""

import asyncio
import json
import os
import re
import time

from starlette.responses import JSONResponse, PlainTextResponse

from interface.safety import headers
from interface.safety.blocks import FULL, NO_ROOM, WENT_WRONG
from interface.safety.log import log_failure, metrics
from interface.safety.memory import memory_in_use
from interface.safety.quota import Quota, kept_files
from interface.safety.shares import (
    BODIES,
    BODIES_EACH,
    DIRECT_CALLS,
    DIRECT_CALLS_EACH,
    OPEN_EACH,
    UPLOADS,
    UPLOADS_EACH,
    Busy,
    Places,
    check_share,
    take_turns,
    unfinished_ids,
    waiting_events,
)

READ = re.compile(
    r"/(|config/?|theme\.css|assets/.+|static/.+|svelte/.+|favicon\.ico|manifest\.json|pwa_icon(/(192|512))?|robots\.txt"
    r"|gradio_api/(info/?|openapi\.json|theme\.css|app_id|startup-events|heartbeat/\w+|upload_progress"
    r"|queue/(data|status)|call/\w+/\w+|file=(?!\w+:).+|mcp/.*))"
)
SENT = re.compile(
    r"/gradio_api/(upload|queue/join|(?:run|api|call|call/v2)/(?P<name>\w+)/?|cancel|reset/?|stream/\w+(/close)?|mcp/.*)"
)
JOINS = re.compile(r"/gradio_api/(queue/join|call/.*)")
DIRECT = re.compile(r"/gradio_api/(run|api)/.*")
UPLOAD = "/gradio_api/upload"
LARGEST_BODY = 60_000_000  # bytes of JSON: a photo of the largest size accepted, as text
MOST_BRACKETS = 100_000  # in JSON: each list or dict within takes tens of times the memory of its two characters
LARGEST_UPLOAD = 1_000_000_000  # bytes of all files that are uploaded at once
PATIENCE = 20  # seconds without a byte of what is being sent
SLOWEST = 4_000  # bytes a second of what is being sent, on average, once PATIENCE is over
NOT_HERE = "There is nothing at this address."


class Refused(Exception):
    """A request that is answered with a status and one sentence."""

    def __init__(self, status, words):
        super().__init__(words)
        self.status = status


class Doors:
    """ASGI middleware around all that Gradio serves.

    Args:
        app: the ASGI app behind it.
    """

    def __init__(self, app):
        self._app = app
        self._headers = headers.security_headers()
        self._believes_proxy = headers.believes_proxy()
        self._open = Places(OPEN_EACH)
        self._uploads = Places(UPLOADS_EACH, UPLOADS)
        self._direct = Places(DIRECT_CALLS_EACH, DIRECT_CALLS)
        self._bodies = Places(BODIES_EACH, BODIES)
        self._waiting = {}  # id of each event in the queue: address and bytes of its body
        self._quota = Quota()

    async def __call__(self, scope, receive, send):
        if scope["type"] == "websocket":  # the page uses none
            return await send({"type": "websocket.close", "code": 1008})
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        if not self._believes_proxy:
            kept = [pair for pair in scope["headers"] if pair[0].lower() not in headers.FORWARDED]
            scope = {**scope, "headers": kept}
        answer = _Answer(send, self._headers)
        address = scope["client"][0] if scope.get("client") else ""
        if not self._open.take(address):
            words = "Too many requests of yours are open; please close some pages."
            return await refusal(429, words)(scope, receive, answer.send)
        try:
            await self._serve(scope, receive, answer, address)
        except Refused as error:
            await answer.refuse(scope, receive, error.status, str(error))
        except Busy as error:
            await answer.refuse(scope, receive, 429, str(error))
        except Exception as error:
            full = isinstance(error, OSError) and error.errno in FULL
            if not full:
                log_failure("request", error)
            await answer.refuse(scope, receive, 507 if full else 500, NO_ROOM if full else WENT_WRONG)
        finally:
            self._open.free(address)

    async def _serve(self, scope, receive, answer, address):
        method, path = scope["method"], scope["path"]
        app = scope["app"]
        if method == "GET" and path == "/healthz":
            return await (await _health(app))(scope, receive, answer.send)
        if method == "GET" and path == "/metrics" and os.environ.get("METRICS") == "1":
            gauges = {"waiting_events": waiting_events(app.get_blocks()._queue), "memory_bytes": memory_in_use()}
            return await PlainTextResponse(metrics(**gauges))(scope, receive, answer.send)
        sent = SENT.fullmatch(path) if method in ("POST", "DELETE") else None
        if not sent and (method not in ("GET", "HEAD", "OPTIONS") or not READ.fullmatch(path)):
            raise Refused(404, NOT_HERE)
        if path == UPLOAD:
            return await self._upload(scope, receive, answer, address)
        if method != "POST":
            return await self._app(scope, receive, answer.send)
        self._free_bodies(app.get_blocks()._queue)
        body = _Body(self._bodies, address)
        try:
            await self._post(scope, receive, answer, address, sent["name"], body)
        finally:
            body.free()

    async def _post(self, scope, receive, answer, address, name, body):
        """Passes on what is sent to an endpoint, once all of it is here and may be."""
        path, blocks = scope["path"], scope["app"].get_blocks()
        content = await body.read(receive)
        document = await asyncio.to_thread(_checked, content, name, blocks)
        if DIRECT.fullmatch(path):
            if not self._direct.take(address):
                raise Busy("Too many of your requests are under way; please try again in a moment.")
            try:
                return await self._app(scope, _replay(content, receive), answer.send)
            finally:
                self._direct.free(address)
        if not JOINS.fullmatch(path):
            return await self._app(scope, _replay(content, receive), answer.send)
        check_share(blocks._queue, address, document.get("session_hash"))
        answer.keep = True
        await self._app(scope, _replay(content, receive), answer.send)
        if answer.status == 200:  # what came waits in the queue for as long as the event does
            self._waiting[json.loads(answer.body).get("event_id")] = address, body.hand_over()
        take_turns(blocks._queue)

    def _free_bodies(self, queue):
        """Frees the places of the bodies whose events are over."""
        for event in self._waiting.keys() - unfinished_ids(queue):
            self._bodies.free(*self._waiting.pop(event))

    async def _upload(self, scope, receive, answer, address):
        app = scope["app"]
        if not self._uploads.take(address):
            raise Busy("Too many uploads are under way; please try again in a moment.")
        try:
            if not await asyncio.to_thread(self._quota.make_room, app.uploaded_file_dir, kept_files(app)):
                raise Refused(507, NO_ROOM)
            answer.keep = True
            await self._app(scope, _watched(receive), answer.send)
            if answer.status == 200:
                paths = [path for path in json.loads(answer.body) if isinstance(path, str)]
                await asyncio.to_thread(self._quota.uploaded, address, paths)
        finally:
            self._uploads.free(address)


class _Answer:
    """Passes on an answer with further headers, and knows whether it has begun."""

    def __init__(self, send, more_headers):
        self._send, self._headers = send, more_headers
        self.status, self.keep, self.body = None, False, b""

    async def send(self, message):
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message["headers"], *self._headers]}
        elif self.keep:
            self.body += message.get("body", b"")
        await self._send(message)

    async def refuse(self, scope, receive, status, words):
        if self.status is None:
            await refusal(status, words)(scope, receive, self.send)


def refusal(status, words):
    """An answer in one sentence, where both of Gradio's clients look for it."""
    return JSONResponse({"detail": words, "error": words}, status)


async def _health(app):
    """Whether a model answers."""
    try:
        await asyncio.wait_for(asyncio.to_thread(app.get_blocks().answers), 20)
    except Exception:
        return JSONResponse({"status": "the model does not answer"}, 503)
    return JSONResponse({"status": "ready"})


def _watched(receive, largest=LARGEST_UPLOAD):
    """`receive` for a body that must neither stop, nor trickle, nor grow without end.

    Raises:
        Refused: if it does.
    """
    start, size = time.monotonic(), 0

    async def watched():
        nonlocal size
        try:
            message = await asyncio.wait_for(receive(), PATIENCE)
        except TimeoutError:
            raise Refused(408, f"Nothing came for {PATIENCE} seconds.") from None
        size += len(message.get("body", b""))
        seconds = time.monotonic() - start
        if size > largest:
            raise Refused(413, f"More than {largest // 1_000_000} MB came at once.")
        if seconds > PATIENCE and size < SLOWEST * seconds and message.get("more_body"):
            raise Refused(408, "What was sent came too slowly.")
        return message

    return watched


class _Body:
    """What one request sends, for which there must be places in memory: a place a byte.

    Args:
        places: `Places` of all bodies.
        address: str. Whose it is.
    """

    def __init__(self, places, address):
        self._places, self._address, self._size = places, address, 0

    async def read(self, receive):
        """All of it, as bytes.

        Raises:
            Busy: if there is no room for it.
            Refused: if it is too large, or comes too slowly.
        """
        parts, more = [], True
        watched = _watched(receive, LARGEST_BODY)
        while more:
            message = await watched()
            parts.append(message.get("body", b""))
            if not self._places.take(self._address, len(parts[-1])):
                raise Busy("The server is busy with what is being sent; please try again in a moment.")
            self._size += len(parts[-1])
            more = message["type"] == "http.request" and message.get("more_body", False)
        return b"".join(parts)

    def hand_over(self):
        """Its bytes, which somebody else frees from now on."""
        size, self._size = self._size, 0
        return size

    def free(self):
        self._places.free(self._address, self.hand_over())


def _replay(body, receive):
    """Gives a body that was read once more, and then what comes after it."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def again():
        return waiting.pop() if waiting else await receive()

    return again


def _checked(body, name, blocks):
    """What was sent, a dict, if it is JSON and names an endpoint that there is; see `Refused`."""
    if body.count(b"[") + body.count(b"{") > MOST_BRACKETS:
        raise Refused(413, f"What came has more than {MOST_BRACKETS:,} lists.")
    try:
        document = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        raise Refused(400, "What came is not valid JSON.") from None
    document = document if isinstance(document, dict) else {}
    number = document.get("fn_index")
    known = number is None or (type(number) is int and number in blocks.fns)
    if name and number is None:
        known = name in {function.api_name for function in blocks.fns.values()}
    if not known:
        raise Refused(404, "There is no such endpoint.")
    return document
