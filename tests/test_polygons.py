import numpy as np
from skimage.draw import polygon2mask

from mrcnn.instances import MaskWindow
from mrcnn.polygons import mask_polygons

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
