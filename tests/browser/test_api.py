"""The endpoint /segment as programs use it."""

import json

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from pycocotools import mask as coco_mask

from interface.examples import example_photos
from mrcnn import MaskRCNN

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
        ({"model": "../cat"}, 'no model "../cat".*cat'),
    ],
)
def test_refusals(client, options, message):
    with pytest.raises(AppError, match=message):
        client.predict(handle_file(CHELSEA), **options, api_name="/segment")


def test_a_file_that_is_no_picture(client, tmp_path):
    (tmp_path / "notes.png").write_text("not a picture")
    with pytest.raises(AppError, match=r"notes.png is not a picture"):
        client.predict(handle_file(tmp_path / "notes.png"), api_name="/segment")
