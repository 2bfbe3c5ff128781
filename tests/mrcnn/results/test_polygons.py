import numpy as np
import pytest
from pycocotools import mask as coco_mask
from skimage.draw import polygon2mask

from mrcnn.results.instances import MaskWindow
from mrcnn.results.polygons import mask_polygons, simple_polygons

SIZE = (90, 120)


def filled(polygons):
    """The pixels whose centres lie inside an odd number of the polygons."""
    mask = np.zeros(SIZE, bool)
    for polygon in polygons:
        mask ^= polygon2mask(SIZE, polygon[:, ::-1] - 0.5)
    return mask


def test_a_rectangle_has_the_corners_of_its_pixels():
    mask = np.zeros(SIZE, bool)
    mask[10:30, 20:70] = True
    (polygon,) = mask_polygons(MaskWindow.around(mask))
    np.testing.assert_allclose(polygon.min(axis=0), [20, 10], atol=0.5)
    np.testing.assert_allclose(polygon.max(axis=0), [70, 30], atol=0.5)
    assert len(polygon) <= 8


def test_parts_and_holes_come_back():
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    ring = np.hypot(rows - 45, columns - 40)
    mask = ((ring < 35) & (ring > 15)) | (np.hypot(rows - 45, columns - 100) < 14)
    polygons = mask_polygons(MaskWindow.around(mask))
    assert len(polygons) == 3
    assert (filled(polygons) ^ mask).sum() < 0.03 * mask.sum()


def test_a_mask_at_the_border_and_one_without_pixels():
    full = np.ones(SIZE, bool)
    (polygon,) = mask_polygons(MaskWindow.around(full))
    assert filled([polygon]).mean() > 0.98
    assert mask_polygons(MaskWindow.around(np.zeros(SIZE, bool))) == []


def discs(*parts):
    """A mask of discs `(row, column, radius)`, each turning over what it covers."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    mask = np.zeros(SIZE, bool)
    for row, column, radius in parts:
        mask ^= np.hypot(rows - row, columns - column) < radius
    return mask


@pytest.mark.parametrize(
    "mask, parts",
    [
        (discs((45, 45, 40)), 1),
        (discs((45, 45, 40), (45, 45, 15)), 1),  # a hole
        (discs((45, 45, 40), (30, 30, 9), (60, 60, 12)), 1),  # two holes
        (discs((45, 45, 40), (45, 45, 25), (45, 45, 12), (45, 45, 5)), 2),  # an island with a hole, in a hole
        (discs((45, 45, 40), (45, 45, 15), (45, 105, 12), (45, 105, 5)), 2),
    ],
)
def test_simple_polygons_keep_holes_open(mask, parts):
    polygons = simple_polygons(MaskWindow.around(mask))
    assert len(polygons) == parts
    encoded = coco_mask.frPyObjects([polygon.ravel().tolist() for polygon in polygons], *SIZE)
    filled = coco_mask.decode(coco_mask.merge(encoded)).astype(bool)
    assert (filled ^ mask).sum() < 0.03 * mask.sum()


def test_no_pixels_no_polygons():
    assert simple_polygons(MaskWindow.around(np.zeros(SIZE, bool))) == []
