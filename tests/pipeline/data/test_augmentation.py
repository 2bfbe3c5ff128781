"""Augmentation: boxes and masks follow the image exactly, and chance repeats itself."""

import numpy as np
import pytest
from PIL import Image

from mrcnn.letterbox import GREY, letterbox
from mrcnn.matterport.letterbox import square_letterbox
from mrcnn.matterport.network import MatterportNetwork
from mrcnn.network import Network
from mrcnn.results.instances import MaskWindow
from pipeline.data.augmentation import Jitter, augment
from pipeline.data.dataset import IGNORE

WILD = Jitter(scale=(0.5, 2.0), aspect=0.4, flip=0.5)


def white_shapes(random):
    """A black image with white ellipses, and their masks: the image itself says where they are."""
    image = np.zeros((200, 300, 3), np.uint8)
    windows = []
    rows, columns = np.mgrid[:200, :300]
    for y, x in ((50, 70), (140, 220)):
        a, b = random.integers(20, 45, 2)
        mask = ((rows - y) / a) ** 2 + ((columns - x) / b) ** 2 <= 1
        image[mask] = 255
        windows.append(MaskWindow.around(mask))
    return image, windows, np.array([1, 1], np.int32), np.ones(2, bool)


def drawn_back(boxes, masks, size):
    """All masks stretched over their boxes, as one bool canvas."""
    canvas = np.zeros((size, size), bool)
    for (y1, x1, y2, x2), mask in zip(np.round(boxes).astype(int), masks, strict=True):
        stretched = Image.fromarray(mask).resize((max(1, x2 - x1), max(1, y2 - y1)), Image.BILINEAR)
        canvas[y1:y2, x1:x2] |= np.asarray(stretched)[: size - y1, : size - x1] > 127
    return canvas


@pytest.mark.parametrize("seed", range(12))
def test_masks_and_boxes_follow_the_image(seed):
    random = np.random.default_rng(seed)
    canvas, boxes, class_ids, masks, _ = augment(*white_shapes(random), 256, WILD, random)
    white = canvas[:, :, 0] > 140  # the filling is 127
    drawn = drawn_back(boxes, masks, 256)
    assert (white & drawn).sum() > 0.95 * (white | drawn).sum()
    for y1, x1, y2, x2 in boxes[class_ids > 0]:
        assert 0 <= y1 < y2 <= 256
        assert 0 <= x1 < x2 <= 256
        # tight: white reaches each edge of the box to within two pixels of resampling
        inside = white[int(y1) : int(np.ceil(y2)), int(x1) : int(np.ceil(x2))]
        assert inside[:3].any()
        assert inside[-3:].any()
        assert inside[:, :3].any()
        assert inside[:, -3:].any()


def test_without_jitter_the_image_only_fits_the_canvas():
    image, windows, class_ids, outlined = white_shapes(np.random.default_rng(0))
    canvas, boxes, _, _, known = augment(image, windows, class_ids, outlined, 300, Jitter(), np.random.default_rng(0))
    used = np.flatnonzero((canvas != 127).any(axis=(1, 2)))
    assert len(used) == 200
    first = windows[0]
    expected = [first.top + used[0], first.left, first.top + first.mask.shape[0] + used[0]]
    assert boxes[0, :3].tolist() == expected
    photo = [used[0], 0, used[0] + 200, 300]
    assert known.tolist() == [photo, photo], "a mask is known as far as the photo goes"


def test_same_seed_same_sample_other_seed_another():
    image, windows, class_ids, outlined = white_shapes(np.random.default_rng(0))
    jitter = Jitter((0.5, 2.0), 0.3, 0.5, 0.3, 0.1)
    one, two, other = (
        augment(image, windows, class_ids, outlined, 128, jitter, np.random.default_rng(seed)) for seed in (5, 5, 6)
    )
    for a, b in zip(one, two, strict=True):
        assert (a == b).all()
    assert (one[0] != other[0]).any()


def test_flip_mirrors():
    image, windows, class_ids, outlined = white_shapes(np.random.default_rng(0))
    straight, flipped = (
        augment(image, windows, class_ids, outlined, 300, Jitter(flip=flip), np.random.default_rng(3))
        for flip in (0.0, 1.0)
    )
    assert (straight[0][:, ::-1] == flipped[0]).all()
    assert flipped[1][:, 1] == pytest.approx(300 - straight[1][:, 3])
    assert (straight[3][:, :, ::-1] == flipped[3]).mean() > 0.98


@pytest.mark.parametrize("seed", range(6))
def test_a_mask_is_known_exactly_where_the_photo_is(seed):
    """The photo is white, the filling grey."""
    window = MaskWindow.around(np.ones((60, 90), bool))
    image = np.full((60, 90, 3), 255, np.uint8)
    canvas, *_, known = augment(image, [window], [1], [True], 128, WILD, np.random.default_rng(seed))
    white = np.zeros((128, 128), bool)
    top, left, bottom, right = known[0].astype(int)
    white[top:bottom, left:right] = True
    assert ((canvas[:, :, 0] == 255) == white).all()


def test_a_box_only_instance_keeps_the_visible_part_of_its_box_and_no_known_mask():
    image = np.zeros((100, 100, 3), np.uint8)
    filled = MaskWindow(20, 0, np.ones((60, 100), bool))
    zoom = Jitter(scale=(2.0, 2.0))
    _, boxes, class_ids, _, known = augment(image, [filled], [1], [False], 100, zoom, np.random.default_rng(0))
    assert class_ids.tolist() == [1]
    assert boxes[0, [1, 3]].tolist() == [0, 100], "cut off on both sides"
    assert 0 <= boxes[0, 0] < boxes[0, 2] <= 100
    assert known.tolist() == [[0, 0, 0, 0]]


def test_what_is_cut_off_or_tiny_becomes_an_ignore_region():
    image = np.zeros((100, 1000, 3), np.uint8)
    large, tiny = np.zeros((100, 1000), bool), np.zeros((100, 1000), bool)
    large[10:90, 100:900], tiny[50:53, 400:403] = True, True
    windows = [MaskWindow.around(large), MaskWindow.around(tiny)]
    # canvas of 100 at ten times the scale that would fit: a tenth of the large object remains
    zoom = Jitter(scale=(10.0, 10.0))
    for seed in range(20):
        _, boxes, class_ids, _, _ = augment(
            image, windows, [1, 1], [True, True], 100, zoom, np.random.default_rng(seed)
        )
        assert (class_ids == IGNORE).all()
        assert len(boxes) in (1, 2)


def test_a_photo_without_instances_gives_empty_arrays():
    sample = augment(np.zeros((50, 80, 3), np.uint8), [], np.zeros(0, np.int32), [], 64, WILD, np.random.default_rng(0))
    assert [part.shape for part in sample] == [(64, 64, 3), (0, 4), (0,), (0, 112, 112), (0, 4)]


@pytest.mark.parametrize("shape", [(1, 400, 3), (400, 1, 3), (33, 32, 3), (3000, 40, 3)])
def test_odd_shapes(shape):
    for seed in range(5):
        canvas, *_ = augment(np.zeros(shape, np.uint8), [], [], [], 64, WILD, np.random.default_rng(seed))
        assert canvas.shape == (64, 64, 3)


@pytest.mark.parametrize("shape", [(64, 128), (128, 96), (300, 451)])
def test_unchanged_a_photo_looks_in_training_as_at_inference(shape):
    """For matterport's weights: a black square, the photo in its middle, sampled without anti-aliasing."""
    photo = np.random.default_rng(0).integers(0, 255, (*shape, 3)).astype(np.uint8)
    nothing = [], np.zeros(0, np.int32), np.zeros(0, bool)
    random = np.random.default_rng(0)
    seen, *_ = augment(photo, *nothing, 128, Jitter(), random, MatterportNetwork.canvas)
    expected, _ = square_letterbox(photo, 128, 0)
    np.testing.assert_array_equal(seen, expected)
    # The lite preset: a corner of inference is anywhere in training, so only the photo itself is compared.
    seen, *_ = augment(photo, *nothing, 128, Jitter(), random, Network.canvas)
    expected, (_, _, height, width) = letterbox(photo, 128)
    inside = (seen != GREY).any(axis=2)
    top, left = np.flatnonzero(inside.any(axis=1))[0], np.flatnonzero(inside.any(axis=0))[0]
    np.testing.assert_array_equal(seen[top : top + height, left : left + width], expected[:height, :width])
