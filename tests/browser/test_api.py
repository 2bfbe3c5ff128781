"""The endpoint /segment as programs use it."""

import asyncio
import base64
import concurrent.futures
import json
import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from PIL import Image
from pycocotools import mask as coco_mask

from interface.examples import example_photos
from mrcnn import MaskRCNN
from tools.app_process import ROOT, running_app

CHELSEA, COFFEE = example_photos()[0], example_photos()[3]


@pytest.fixture(scope="module")
def client(server):
    return Client(server, verbose=False)


def test_only_segment_is_offered(client):
    endpoints = client.view_api(return_format="dict")["named_endpoints"]
    assert list(endpoints) == ["/segment"]
    assert [parameter["parameter_name"] for parameter in endpoints["/segment"]["parameters"]] == [
        "photo",
        "confidence",
        "model",
    ]


def test_segment_gives_what_the_library_gives(client):
    document, overlay, semantic = client.predict(handle_file(CHELSEA), confidence=0.5, model="cat", api_name="/segment")
    found = MaskRCNN.from_pretrained("cat").segment(CHELSEA, confidence=0.5)
    assert json.loads(json.dumps(document)) == document
    assert document["categories"] == [{"id": 1, "name": "cat"}]
    assert document["images"][0]["width"] == 451 and document["images"][0]["height"] == 300
    assert document["info"]["milliseconds"] > 0
    assert len(document["annotations"]) == len(found) >= 1
    for row, annotation in enumerate(document["annotations"]):
        np.testing.assert_array_equal(coco_mask.decode(annotation["segmentation"]), found.masks[row])
        assert annotation["score"] == pytest.approx(float(found.scores[row]), abs=1e-3)
    with Image.open(overlay) as image:
        assert image.format == "PNG" and image.size == (451, 300)
    with Image.open(semantic) as image:
        np.testing.assert_array_equal(np.array(image), found.semantic_map())


def test_defaults_and_nothing_found(client):
    document, _, semantic = client.predict(handle_file(COFFEE), api_name="/segment")
    assert document["annotations"] == []
    with Image.open(semantic) as image:
        assert not np.array(image).any()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"confidence": 1.5}, "between 0 and 1.*1.5"),
        ({"confidence": "a"}, "between 0 and 1.*came as a"),
        ({"confidence": [0.5]}, r"between 0 and 1.*came as \[0.5\]"),
        ({"confidence": None}, "between 0 and 1.*None"),
        ({"model": None}, "model's name is a text.*None"),
        ({"model": "../cat"}, 'no model "../cat".*cat'),
    ],
)
def test_refusals(client, options, message):
    with pytest.raises(AppError, match=message):
        client.predict(handle_file(CHELSEA), **options, api_name="/segment")


def test_a_file_that_is_no_image(client, tmp_path):
    (tmp_path / "notes.png").write_text("not an image")
    with pytest.raises(AppError, match=r"notes.png is not an image"):
        client.predict(handle_file(tmp_path / "notes.png"), api_name="/segment")


def without_time_and_name(document):
    """What must be the same from everywhere; a photo sent as data has no name of its own."""
    (image,) = document["images"]
    return {**document, "info": None, "images": [{**image, "file_name": None}]}


@pytest.fixture(scope="module")
def document(client):
    """What the endpoint says of Chelsea."""
    return client.predict(handle_file(CHELSEA), confidence=0.3, api_name="/segment")[0]


@pytest.mark.slow
def test_the_command_line_gives_the_same_document(document, tmp_path):
    arguments = [CHELSEA, "--out", tmp_path, "--confidence", "0.3"]
    subprocess.run([sys.executable, "-m", "mrcnn", *map(str, arguments)], cwd=ROOT, check=True)
    written = json.loads((tmp_path / "chelsea.json").read_text())
    assert written["images"] == document["images"] and written["annotations"]
    assert without_time_and_name(written) == without_time_and_name(document)


@pytest.mark.slow
def test_mcp_gives_the_same_document(document):
    photo = "data:image/png;base64," + base64.b64encode(Path(CHELSEA).read_bytes()).decode()

    async def ask(address):
        async with (
            streamable_http_client(f"{address}/gradio_api/mcp/") as (incoming, outgoing, _),
            ClientSession(incoming, outgoing) as session,
        ):
            await session.initialize()
            tools = (await session.list_tools()).tools
            good = await session.call_tool("segment_photo", {"photo": photo, "confidence": 0.3})
            bad = await session.call_tool("segment_photo", {"photo": photo, "confidence": 3})
            return tools, good, bad

    # In a thread of its own: in this one the browser's event loop may be running.
    with running_app(GRADIO_MCP_SERVER="True") as app, concurrent.futures.ThreadPoolExecutor(1) as thread:
        (tool,), good, bad = thread.submit(asyncio.run, ask(app.address)).result()
    assert tool.name == "segment_photo" and tool.description.startswith("Finds each object in a photo")
    assert set(tool.inputSchema["properties"]) == {"photo", "confidence", "model"}
    assert all(entry["description"] for entry in tool.inputSchema["properties"].values())
    assert tool.inputSchema["required"] == ["photo"]
    assert not good.isError
    assert without_time_and_name(json.loads(good.content[0].text)) == without_time_and_name(document)
    assert bad.isError and bad.content[0].text == "The confidence must lie between 0 and 1, but came as 3."


def test_mcp_is_off_unless_asked_for(client):
    answer = httpx.post(f"{client.src}gradio_api/mcp/", json={"jsonrpc": "2.0", "id": 1, "method": "initialize"})
    assert answer.status_code in (404, 405)
