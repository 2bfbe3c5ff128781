"""What a shared link to the page shows in messengers and networks: title, description and picture.

Gradio's page says "Gradio" and "Click to try out the app!" there, and programs that draw previews take the first such
lines and run no scripts; so the lines are exchanged on the way out.
"""

import html
import re

from starlette.requests import Request
from starlette.responses import Response

DESCRIPTION = "Each one found, counted and outlined to the pixel by a Mask R-CNN. Try it with your own photo or camera."
PICTURE_SIZE = 1200, 630
_PREVIEW_LINES = re.compile(r'<meta\s+(?:property|name)="(?:og|twitter):[^>]*>\s*')


class SharedLink:
    """ASGI middleware that gives the page its own preview.

    Args:
        app: the ASGI app behind it.
        title: str.
        picture: str. Where the picture lies below the page's own address.
    """

    def __init__(self, app, title, picture):
        self._app, self._title, self._picture = app, title, picture

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != "/":
            return await self._app(scope, receive, send)
        start, parts = {}, []

        async def collect(message):
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))

        await self._app(scope, receive, collect)
        headers = {name.decode(): value.decode() for name, value in start["headers"] if name != b"content-length"}
        content = b"".join(parts)
        if headers.get("content-type", "").startswith("text/html"):
            lines = preview_lines(self._title, _address(Request(scope)), self._picture)
            content = _PREVIEW_LINES.sub("", content.decode())
            content = content.replace("<head>", f"<head>\n{lines}", 1).encode()
        await Response(content, start["status"], headers)(scope, receive, send)


def preview_lines(title, address, picture):
    """The lines of HTML that make up a preview, by the Open Graph protocol and for Twitter.

    Args:
        title: str.
        address: str. The page's own, with a slash at its end.
        picture: str. Where the picture lies below it.
    """
    facts = {
        "og:type": "website",
        "og:title": title,
        "og:description": DESCRIPTION,
        "og:url": address,
        "og:image": address + picture,
        "og:image:width": PICTURE_SIZE[0],
        "og:image:height": PICTURE_SIZE[1],
        "og:image:alt": "Three cats, each in a colour of its own",
        "twitter:card": "summary_large_image",
        "twitter:title": title,
        "twitter:description": DESCRIPTION,
        "twitter:image": address + picture,
        "description": DESCRIPTION,
    }
    return "\n".join(
        f'<meta {"property" if name.startswith("og:") else "name"}="{name}" content="{html.escape(str(value))}">'
        for name, value in facts.items()
    )


def _address(request):
    """The page's address as the visitor wrote it; behind a proxy only the proxy knows it, and says so in headers."""

    def said(name, otherwise):
        return request.headers.get(f"x-forwarded-{name}", otherwise).split(",")[0].strip()

    path = request.scope.get("root_path", "").rstrip("/")
    return f"{said('proto', request.url.scheme)}://{said('host', request.headers.get('host', ''))}{path}/"
