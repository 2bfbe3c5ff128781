"""What a shared link shows."""

import re
from pathlib import Path

import httpx
import pytest
from PIL import Image

from interface.explain_tab import FIGURES
from interface.shared_link import PICTURE_SIZE, preview_lines
from tools.app_process import running_app


def test_lines_are_escaped():
    lines = preview_lines('A "<cat>"', "https://example.org/", "picture.png")
    assert 'content="A &quot;&lt;cat&gt;&quot;"' in lines and "<cat>" not in lines


@pytest.mark.slow
def test_the_served_page_has_its_own_preview():
    with running_app(FORWARDED_ALLOW_IPS="*") as app:
        proxy = {"x-forwarded-proto": "https", "x-forwarded-host": "cats.example.org"}
        content = httpx.get(app.address, headers=proxy).text
        lines = dict(re.findall(r'<meta (?:property|name)="((?:og|twitter):[\w:]+)" content="([^"]*)"', content))
        assert "Click to try out the app" not in content and content.count('property="og:title"') == 1
        assert lines["og:title"].startswith("Every cat, cut out") and "outlined" in lines["og:description"]
        assert lines["og:url"] == "https://cats.example.org/" and lines["og:image"].startswith(lines["og:url"])
        picture = httpx.get(app.address + "/" + lines["og:image"].removeprefix(lines["og:url"]))
        assert picture.headers["content-type"] == "image/png" and len(picture.content) > 10_000
        icon = httpx.get(f"{app.address}/favicon.ico").content
    assert icon == Path(FIGURES, "icon.png").read_bytes()
    with Image.open(FIGURES / "preview.png") as image:
        assert image.size == PICTURE_SIZE
