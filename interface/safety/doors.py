"""The doors of the server: which addresses there are, and what may be sent to them.

Gradio's server offers more than this page needs: a proxy, the streaming of foreign addresses, editing of the app,
recordings. What is not in the list below is answered as if it were not there, so that what a later Gradio adds is
closed until somebody has looked at it.
"""

import json
import re

from starlette.responses import JSONResponse

READ = re.compile(
    r"/(|config/?|theme\.css|assets/.+|static/.+|svelte/.+|favicon\.ico|manifest\.json|pwa_icon(/\d+)?|robots\.txt"
    r"|gradio_api/(info/?|openapi\.json|theme\.css|app_id|startup-events|heartbeat/\w+|upload_progress"
    r"|queue/(data|status)|call/\w+/\w+|file=(?!\w+:).+|mcp/.*))"
)
SENT = re.compile(
    r"/gradio_api/(upload|queue/join|((run|api|call|call/v2)/\w+)/?|cancel|reset/?|stream/\w+(/close)?|mcp/.*)"
)
UPLOAD = "/gradio_api/upload"
LARGEST_BODY = 60_000_000  # bytes of JSON: a photo of the largest size accepted, as text


class Doors:
    """ASGI middleware that closes what the page does not use, and refuses calls of what there is not.

    Args:
        app: the ASGI app behind it.
    """

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        method, path = scope["method"], scope["path"]
        if not (SENT if method in ("POST", "DELETE") else READ).fullmatch(path):
            return await refusal(404, "There is nothing at this address.")(scope, receive, send)
        if method != "POST" or path.startswith(UPLOAD):
            return await self._app(scope, receive, send)
        body = await _read(receive)
        if body is None:
            return await refusal(413, f"More than {LARGEST_BODY // 1_000_000} MB came.")(scope, receive, send)
        try:
            _check(body, scope["app"])
        except LookupError as error:
            return await refusal(404, error.args[0])(scope, receive, send)
        except ValueError as error:
            return await refusal(400, str(error))(scope, receive, send)
        return await self._app(scope, _replay(body, receive), send)


def refusal(status, words):
    """An answer in one sentence, where both of Gradio's clients look for it."""
    return JSONResponse({"detail": words, "error": words}, status)


async def _read(receive):
    """The body of a request, or `None` if it is too large."""
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST_BODY:
            return None
        more = message["type"] == "http.request" and message.get("more_body", False)
    return b"".join(parts)


def _replay(body, receive):
    """Gives a body that was read once more, and then what comes after it."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def again():
        return waiting.pop() if waiting else await receive()

    return again


def _check(body, app):
    if not body:
        return
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("What came is not valid JSON.") from None
    number = document.get("fn_index") if isinstance(document, dict) else None
    if number is not None and (type(number) is not int or number not in app.get_blocks().fns):
        raise LookupError("There is no such endpoint.")
