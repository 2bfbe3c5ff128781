"""Bands and their overlaps on squares whose pixels can be counted by hand."""

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from pipeline.evaluation.boundary import BoundaryEval, boundary

SIZE = 90, 120  # its diagonal is 150 pixels, so the band is 3 wide


def rle(top, left, height, width, size=SIZE):
    mask = np.zeros(size, np.uint8)
    mask[top : top + height, left : left + width] = 1
    return coco_mask.encode(np.asfortranarray(mask))


def band(*place, size=SIZE):
    return coco_mask.decode(boundary(rle(*place, size=size))).astype(bool)


def test_the_band_lies_inside_along_the_outline():
    expected = np.zeros(SIZE, bool)
    expected[10:50, 20:70] = True
    expected[13:47, 23:67] = False
    np.testing.assert_array_equal(band(10, 20, 40, 50), expected)


def test_the_edge_of_the_image_is_an_outline():
    found = band(0, 0, *SIZE)
    assert found[:3].all() and found[-3:].all() and found[:, :3].all() and found[:, -3:].all()
    assert not found[3:-3, 3:-3].any()


def test_a_thin_mask_is_all_band_and_the_band_has_a_pixel_at_least():
    assert band(10, 20, 6, 50).sum() == 300
    assert band(2, 2, 10, 10, size=(15, 20)).sum() == 36
    assert coco_mask.area(boundary(rle(0, 0, 0, 0))) == 0


@pytest.mark.parametrize(("shift", "crowd"), [(0, 0), (1, 0), (2, 0), (2, 1)])
def test_the_lesser_of_both_overlaps_counts(shift, crowd):
    truth = COCO()
    row = {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": crowd, "area": 2000, "bbox": [20, 10, 50, 40]}
    truth.dataset = {
        "images": [{"id": 1, "height": SIZE[0], "width": SIZE[1]}],
        "annotations": [{**row, "segmentation": rle(10, 20, 40, 50)}],
        "categories": [{"id": 1, "name": "cat"}],
    }
    truth.createIndex()
    found = truth.loadRes(
        [{"image_id": 1, "category_id": 1, "score": 0.9, "segmentation": rle(10 + shift, 20, 40, 50)}]
    )
    evaluation = BoundaryEval(truth, found)
    evaluation.evaluate()
    inner = [(40 - shift) * 50, 2000 - (40 - shift) * 50]  # of the whole squares: shared, and not
    first, second = band(10, 20, 40, 50), band(10 + shift, 20, 40, 50)
    expected = (first & second).sum() / (first | second).sum()
    if crowd:
        expected = inner[0] / 2000
    assert evaluation.ious[1, 1] == pytest.approx(np.array([[expected]]))
    assert shift == 0 or expected < inner[0] / (2000 + inner[1]) or crowd
