"""Thresholds applied to the record of what was found."""

import numpy as np

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
    assert detections.instances(confidence=0.2, mask_threshold=0.3).masks.sum() > 2 * 56 * 50
    assert found.class_names == ["cat"]


def test_a_mask_reaches_beyond_its_box_by_the_margin():
    detections = Detections(
        boxes=np.array([[20, 20, 40, 60]], np.float32),
        scores=np.ones(1, np.float32),
        class_ids=np.ones(1, np.int32),
        soft_masks=np.ones((1, 56, 56), np.float16),
        image_size=(100, 62),
        class_names=("cat",),
        mask_margin=0.1,
    )
    found = detections.instances()
    rows, columns = found.windows[0].slices
    assert (rows.start, rows.stop, columns.start, columns.stop) == (18, 42, 16, 62), "cut at the image's edge"
    assert found.boxes.tolist() == [[20, 20, 40, 60]]
