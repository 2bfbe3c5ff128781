"""Objects as stickers."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from interface.settings import Settings
from interface.stickers import add_rim, rim_width, sticker, sticker_html, stickers


def test_a_rim_is_as_wide_as_asked_and_leaves_the_object_alone():
    cut = np.zeros((100, 120, 4), np.uint8)
    cut[30:70, 30:90] = (10, 20, 30, 255)
    made = add_rim(cut, 8)
    np.testing.assert_array_equal(made[30:70, 30:90], cut[30:70, 30:90])
    column = made[50, :30, 3]
    assert 7 <= (column > 127).sum() <= 9 and (np.diff(column.astype(int)) >= 0).all()
    assert (made[50, 24:30, :3] == 255).all() and made[50, 10, 3] == 0


def test_half_an_object_pixel_is_mixed_with_the_rim():
    cut = np.zeros((60, 60, 4), np.uint8)
    cut[20:40, 20:40] = (0, 0, 0, 255)
    cut[20:40, 19] = (0, 0, 0, 128)
    assert add_rim(cut, 6)[30, 19].tolist() == [127, 127, 127, 255]


def test_a_sticker_lies_where_its_object_is(analysis):
    found = analysis.view_detections().instances(0.2)
    pixels, (left, top) = sticker(analysis.view, found[:1])
    y1, x1, _, x2 = found.boxes[0]
    margin = 2 * rim_width(found.image_size) + 1
    assert left == pytest.approx(x1 - margin, abs=15) and top == pytest.approx(y1 - margin, abs=15)
    assert pixels.shape[1] == pytest.approx(x2 - x1 + 2 * margin, abs=30)
    opaque = np.argwhere(pixels[..., 3] == 255)
    inner = [(y, x) for y, x in opaque[::997] if found.masks[0][min(y + top, 531), min(x + left, 799)]]
    assert len(inner) > 20
    same = [np.abs(pixels[y, x, :3].astype(int) - analysis.view[y + top, x + left]).max() < 40 for y, x in inner]
    assert np.mean(same) > 0.9, "its pixels are the photo's"


def test_stickers_that_touch_have_a_rim_each(analysis):
    found = analysis.view_detections().instances(0.2)
    black = np.zeros_like(analysis.view)
    sheet = stickers(black, found)
    assert sheet.shape == (532, 800, 4)
    # The discs touch: between them runs the rim of the surer one, on top of the other.
    right = int(found.boxes[0, 3])
    row = int(found.boxes[0, [0, 2]].mean())
    line = sheet[row, right - 40 : right + 40]
    white = (line[:, :3] > 230).all(axis=1) & (line[:, 3] == 255)
    assert white.sum() >= rim_width(found.image_size) - 3
    assert (line[0] == (0, 0, 0, 255)).all()
    alone = stickers(black, found[:1])
    np.testing.assert_array_equal(sheet[row, : right + 5], alone[row, : right + 5])


def test_html(analysis):
    text = sticker_html(analysis, Settings(confidence=0.2), 1)
    assert "&lt;dog&gt; 2" in text and "<dog>" not in text and 'data-lifted="1"' in text
    content = re.search(r'src="data:image/png;base64,([^"]+)"', text)[1]
    with Image.open(io.BytesIO(base64.b64decode(content))) as image:
        alpha = np.array(image)[..., 3]
    assert image.mode == "RGBA" and len(np.unique(alpha)) > 5, "edges are soft"
    for row in (2, -1, None, "0", True, 0.0, []):
        assert sticker_html(analysis, Settings(confidence=0.2), row) == ""
