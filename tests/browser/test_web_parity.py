"""The browser edition finds what Python finds: the same objects, boxes within a pixel, masks that agree."""

import numpy as np
import pytest
from playwright.sync_api import expect
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from mrcnn.images import read_image
from tests.browser.web_pictures import write_pictures

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CONFIDENCES = (0.5, 0.05)
CANVAS_PIXELS = 1.0  # largest accepted distance of an edge, in pixels of the network's input
LEAST_IOU = 0.98


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return write_pictures(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="module")
def documents(open_site, pictures, tmp_path_factory):
    """What the page says of all pictures, one COCO document a confidence."""
    page = open_site()
    page.set_input_files("#files", pictures)
    expect(page.locator("#strip li")).to_have_count(len(pictures))
    expect(page.locator("#strip [aria-label$=': waiting']")).to_have_count(0, timeout=600_000)
    documents = {}
    for confidence in CONFIDENCES:
        page.locator("#confidence").fill(str(round(100 * confidence)))
        path = tmp_path_factory.mktemp("documents") / "photos.json"
        with page.expect_download() as download:
            page.get_by_role("button", name="COCO JSON").click()
        download.value.save_as(path)
        documents[confidence] = path
    return documents


@pytest.mark.parametrize("confidence", CONFIDENCES)
def test_the_page_agrees_with_python(documents, pictures, model, confidence):
    document = COCO(documents[confidence])
    assert [image["file_name"] for image in document.loadImgs(document.getImgIds())] == [path.name for path in pictures]
    assert len(pictures) >= 30
    rows, total = [], 0
    for image_id, path in enumerate(pictures, start=1):
        expected = model.segment(read_image(path), confidence=confidence)
        found = document.loadAnns(document.getAnnIds(image_id))
        assert (document.imgs[image_id]["height"], document.imgs[image_id]["width"]) == expected.image_size, path.name
        assert len(found) == len(expected), path.name
        total += len(found)
        scale = model.config.image_size / max(expected.image_size)
        worst = {"edge": 0.0, "score": 0.0, "iou": 1.0}
        left = list(range(len(found)))
        boxes = np.array([_corners(row["bbox"]) for row in found]).reshape(-1, 4)
        for row in range(len(expected)):
            # Engines may order equal scores differently: the nearest box is meant.
            distances = np.abs(boxes[left] - expected.boxes[row]).max(axis=1)
            match = left.pop(int(distances.argmin()))
            assert found[match]["category_id"] == expected.class_ids[row]
            mask = coco_mask.decode(found[match]["segmentation"]).astype(bool)
            union = np.count_nonzero(mask | expected.masks[row])
            iou = np.count_nonzero(mask & expected.masks[row]) / union if union else 1.0
            worst["edge"] = max(worst["edge"], distances.min() * scale)
            worst["score"] = max(worst["score"], abs(found[match]["score"] - expected.scores[row]))
            worst["iou"] = min(worst["iou"], iou)
            assert found[match]["area"] == np.count_nonzero(mask)
        rows.append((path.name, len(expected), worst))
    for name, count, worst in rows:
        print(
            f"{name:28} {count:3} found, edge {worst['edge']:.4f}, score {worst['score']:.5f}, IoU {worst['iou']:.4f}"
        )
        assert worst["edge"] <= CANVAS_PIXELS and worst["score"] <= 0.01 and worst["iou"] >= LEAST_IOU, name
    assert total >= 20, "too little was found for the comparison to mean anything"


def _corners(bbox):
    """COCO's x, y, width, height to y1, x1, y2, x2."""
    x, y, width, height = bbox
    return y, x, y + height, x + width
