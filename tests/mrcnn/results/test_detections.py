"""Thresholds applied to the record of what was found."""

import numpy as np
import pytest
from scipy.ndimage import label

from mrcnn.config import PRESETS
from mrcnn.letterbox import to_image
from mrcnn.results.detections import Detections


def test_thresholds_apply_afterwards():
    soft = np.zeros((2, 56, 56), np.float16)
    soft[:, :, :28] = 0.9
    soft[:, :, 28:] = 0.4
    detections = Detections(
        boxes=np.array([[0, 0, 56, 56], [0, 0, 56, 56]], np.float32),
        scores=np.array([0.9, 0.3], np.float32),
        class_ids=np.array([1, 1], np.int32),
        soft_masks=soft,
        image_size=(60, 70),
        class_names=("cat",),
    )
    found = detections.instances(confidence=0.5)
    assert len(found) == 1
    assert found.masks.shape == (1, 60, 70)
    assert found.masks.sum() == 56 * 28
    assert detections.instances(confidence=0.2, mask_threshold=0.3, overlaps=True).masks.sum() > 2 * 56 * 50
    assert found.class_names == ["cat"]


def detections_of(boxes, soft_masks, image_size, regions=None):
    count = len(boxes)
    return Detections(
        boxes=np.array(boxes, np.float32),
        scores=np.linspace(0.9, 0.6, count, dtype=np.float32),
        class_ids=np.ones(count, np.int32),
        soft_masks=np.asarray(soft_masks, np.float16),
        image_size=image_size,
        class_names=("cat",),
        regions=None if regions is None else np.array(regions, np.float32),
    )


def test_a_mask_fills_its_region_and_the_box_is_that_of_the_mask():
    detections = detections_of([[20, 20, 40, 50]], np.ones((1, 56, 56)), (100, 62), [[18, 17, 42, 53]])
    found = detections.instances()
    np.testing.assert_array_equal(found.boxes, [[18, 17, 42, 53]])
    np.testing.assert_array_equal(detections.boxes, [[20, 20, 40, 50]], "what the box head said stays there")


def test_a_region_over_the_edge_of_the_photo_is_not_squeezed_into_it():
    """1024 x 768 on a canvas of 384 x 288 filled up to 320: a box 8 pixels over the photo's edge, as read from it."""
    network = PRESETS["lite"]
    rows = np.arange(56)[:, None] * np.ones(56)
    found = {
        "scores": np.ones(1, np.float32),
        "class_ids": np.ones(1, np.int32),
        "masks": (rows < 28)[None].astype(np.float32),
    }
    boxes = to_image(np.array([[100, 100, 296, 300]], np.float32), (0, 0, 288, 384), (768, 1024))
    detections = Detections.from_network(found, boxes, (768, 1024), network)
    assert detections.boxes[0].tolist() == pytest.approx([800 / 3, 800 / 3, 768, 800])
    height = (296 - 100) * 8 / 3
    assert detections.regions[0, 2] == pytest.approx(768 + 8 * 8 / 3 + 0.1 * height, abs=0.01)
    # The mask ends in the middle of the region, wherever the photo does.
    assert detections.instances().boxes[0, 2] == pytest.approx(800 / 3 + height / 2, abs=1)


def test_specks_pinholes_and_second_owners_go():
    soft = np.zeros((2, 56, 56))
    soft[:, 4:52, 4:52] = 1
    soft[:, 20:22, 20:22] = 0  # 4 of 2,300 cells
    soft[:, 0:2, 0:2] = 1
    detections = detections_of([[0, 0, 112, 112], [40, 40, 152, 152]], soft, (160, 160))
    found = detections.instances()
    assert found.masks.sum(axis=0).max() == 1
    assert [label(window.mask)[1] for window in found.windows] == [1, 1]
    assert found.masks[0, 8:104, 8:104].all()
    np.testing.assert_array_equal(found.boxes[0], [8, 8, 104, 104])
    overlapping = detections.instances(overlaps=True)
    assert overlapping.masks.sum(axis=0).max() == 2
    assert found.masks[1].sum() == overlapping.masks[1].sum() - overlapping.masks.all(axis=0).sum()


def test_an_object_without_a_pixel_of_its_own_keeps_the_box_of_the_box_head():
    soft = np.ones((2, 56, 56))
    found = detections_of([[0, 0, 100, 100], [20, 20, 60, 60]], soft, (120, 120)).instances()
    assert len(found) == 2
    assert found.areas[1] == 0
    np.testing.assert_array_equal(found.boxes[1], [20, 20, 60, 60])


def test_rows_and_size_can_be_chosen():
    soft = np.stack([np.ones((56, 56)), np.zeros((56, 56))])
    detections = detections_of(
        [[0, 0, 50, 50], [50, 50, 99, 99]], soft, (100, 100), [[-5, -5, 55, 55], [45, 45, 104, 104]]
    )
    chosen = detections[detections.scores < 0.7].resized((200, 300))
    assert len(chosen) == 1
    np.testing.assert_array_equal(chosen.boxes, [[100, 150, 198, 297]])
    np.testing.assert_array_equal(chosen.regions, [[90, 135, 208, 312]])
    assert not chosen.soft_masks.any()
