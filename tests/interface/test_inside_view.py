"""The steps of the Inside tab."""

import base64
import io
import math
import re

import numpy as np
import pytest
from PIL import Image
from skimage import data

from interface.inside_tab import STEPS
from interface.inside_view import inside_steps, principal_colours
from mrcnn import MaskRCNN


@pytest.fixture(scope="module")
def steps():
    model = MaskRCNN.from_pretrained("cat", compiled=False)
    return inside_steps(model.inspect(data.chelsea(), 0.5), data.chelsea())


def images(step):
    found = re.findall(r'src="data:image/\w+;base64,([^"]+)"', step)
    return [np.array(Image.open(io.BytesIO(base64.b64decode(text)))) for text in found]


def test_as_many_steps_as_the_slider_has(steps):
    assert len(steps) == STEPS
    for number, step in enumerate(steps, start=1):
        assert f"{number} of {STEPS}:" in step
        assert all(alt for alt in re.findall(r'alt="([^"]*)"', step))
        assert len(re.findall(r"[.:](?: |<)", re.search("<p>(.*?)</p>", step)[1] + " ")) <= 2, "one sentence"


def test_maps_and_masks_come_at_their_true_size(steps):
    canvas = images(steps[0])[-1].shape
    assert [image.shape for image in images(steps[1])] == [
        (math.ceil(canvas[0] / 2**k), math.ceil(canvas[1] / 2**k), 3) for k in range(2, 7)
    ]
    assert all(image.shape == (7, 7, 3) for image in images(steps[6])[1::2])
    (mask,) = images(steps[8])
    assert mask.shape == (56, 56, 3)
    assert mask[28, 28, 0] > 200 > 50 > mask[0, 0, 0]


def test_the_last_step_shows_the_mask_on_the_photo(steps):
    (result,) = images(steps[-1])
    assert result.shape == data.chelsea().shape
    assert "1 cat" in steps[-1]


def test_without_detections_the_walk_says_so():
    model = MaskRCNN.from_pretrained("cat", compiled=False)
    steps = inside_steps(model.inspect(np.full((100, 150, 3), 90, np.uint8), 0.9), np.full((100, 150, 3), 90, np.uint8))
    assert "Nothing is sure enough" in steps[8]
    assert "nothing" in steps[9]


def test_principal_colours_tell_regions_apart():
    features = np.zeros((4, 6, 10), np.float32)
    features[:, 3:, 4] = 5
    features[2:, :, 7] = 3
    colours = principal_colours(features)
    assert colours.dtype == np.uint8 and colours.shape == (4, 6, 3)
    regions = [colours[:2, :3], colours[:2, 3:], colours[2:, :3], colours[2:, 3:]]
    means = [region.reshape(-1, 3).mean(axis=0) for region in regions]
    assert all((region == region[0, 0]).all() for region in regions)
    assert len({tuple(mean) for mean in means}) == 4
    assert (principal_colours(np.ones((2, 2, 5), np.float32)) == 0).all()
