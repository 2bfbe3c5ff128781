"""What holds for any boxes, masks, run lengths and image shapes, by hypothesis."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pycocotools import mask as coco_mask

from mrcnn import boxes as tensor_boxes
from mrcnn.letterbox import STRIDE, letterbox, letterbox_size, to_image
from mrcnn.results.boxes import box_iou, expand_boxes
from mrcnn.results.clean import clean_masks
from mrcnn.results.detections import Detections
from mrcnn.results.instances import Instances, MaskWindow
from mrcnn.results.paste import paste_mask
from mrcnn.results.run_length import compress_counts, decompress_counts, encode_rle, run_lengths

SIDES = st.integers(1, 40)
COORDINATES = st.floats(-100, 1100, width=32)


@st.composite
def some_boxes(draw, least=0, most=6, smallest=0.0):
    """float32 `(N, 4)`, y1 <= y2 and x1 <= x2, sides from `smallest` to 500."""
    count = draw(st.integers(least, most))
    near = draw(arrays.arrays(np.float32, (count, 2), elements=COORDINATES))
    sides = draw(arrays.arrays(np.float32, (count, 2), elements=st.floats(smallest, 500, width=32)))
    return np.concatenate([near, near + sides], axis=1)


@st.composite
def some_masks(draw, most=4):
    """bool `(N, H, W)`."""
    shape = draw(st.integers(0, most)), draw(SIDES), draw(SIDES)
    return draw(arrays.arrays(bool, shape))


@given(some_boxes(), some_boxes())
def test_overlap_is_symmetric_from_0_to_1_and_the_same_on_arrays_and_tensors(boxes, others):
    overlap = box_iou(boxes, others)
    assert overlap.shape == (len(boxes), len(others))
    assert ((overlap >= 0) & (overlap <= 1 + 1e-9)).all()
    np.testing.assert_allclose(overlap, box_iou(others, boxes).T)
    np.testing.assert_allclose(overlap, tensor_boxes.iou(boxes, others), rtol=1e-2, atol=1e-2)


@given(some_boxes(smallest=1.0))
def test_a_box_overlaps_itself_wholly(boxes):
    np.testing.assert_allclose(np.diag(box_iou(boxes, boxes)), 1)


@given(some_boxes(least=3, most=3, smallest=1.0), some_boxes(least=3, most=3, smallest=1.0))
def test_deltas_lead_back_to_the_box(boxes, anchors):
    variance = (0.1, 0.1, 0.2, 0.2)
    found = tensor_boxes.decode(tensor_boxes.encode(boxes, anchors, variance), anchors, variance).numpy()
    # Growth is limited to what exp() can say.
    growth = (boxes[:, 2:] - boxes[:, :2]) / (anchors[:, 2:] - anchors[:, :2])
    possible = (np.log(growth) < tensor_boxes.LARGEST_LOG_SCALE).all(axis=1)
    np.testing.assert_allclose(found[possible], boxes[possible], atol=0.05)


@given(some_boxes(), SIDES, SIDES)
def test_cut_boxes_lie_in_the_image(boxes, height, width):
    cut = tensor_boxes.clip(boxes, height, width).numpy()
    assert (cut >= 0).all() and (cut <= [height, width, height, width]).all()
    assert (cut[:, :2] <= cut[:, 2:]).all()


@given(some_boxes(), st.floats(0, 1))
def test_a_margin_grows_a_box_around_its_centre(boxes, margin):
    grown = expand_boxes(boxes, margin)
    np.testing.assert_allclose(grown[:, :2] + grown[:, 2:], boxes[:, :2] + boxes[:, 2:], atol=0.01)
    sides = boxes[:, 2:] - boxes[:, :2]
    np.testing.assert_allclose(grown[:, 2:] - grown[:, :2], sides * (1 + 2 * margin), atol=0.01)


@given(some_masks())
def test_masks_come_back_from_windows_and_run_lengths(masks):
    found = Instances.from_masks(masks, np.ones(len(masks), int))
    np.testing.assert_array_equal(found.masks, masks)
    assert found.areas.tolist() == masks.sum(axis=(1, 2)).tolist()
    size = list(masks.shape[1:])
    for mask, window, row in zip(masks, found.windows, found.to_coco(), strict=True):
        counts = run_lengths(window, mask.shape)
        assert counts.sum() == mask.size and (counts[1:] > 0).all()
        assert row["segmentation"]["size"] == size
        np.testing.assert_array_equal(coco_mask.decode(row["segmentation"]), mask)
        np.testing.assert_array_equal(decompress_counts(row["segmentation"]["counts"]), counts)
        expected = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
        assert row["segmentation"]["counts"] == expected


@given(some_masks(), st.integers(0, 5), st.integers(0, 5))
def test_a_window_may_lie_anywhere_in_its_image(masks, top, left):
    for mask in masks:
        size = mask.shape[0] + top + 2, mask.shape[1] + left + 1
        whole = np.zeros(size, bool)
        whole[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
        np.testing.assert_array_equal(coco_mask.decode(encode_rle(MaskWindow(top, left, mask), size)), whole)


@given(st.lists(st.integers(0, 2**31), max_size=40))
def test_run_lengths_come_back_from_their_text(counts):
    text = compress_counts(np.array(counts, np.int64))
    if counts:
        assert decompress_counts(text).tolist() == counts
    else:
        assert text == ""


@given(st.one_of(st.text(max_size=40), st.binary(max_size=40)))
def test_any_text_is_run_lengths_or_refused(text):
    try:
        assert decompress_counts(text).dtype == np.int64
    except ValueError as error:
        assert str(error)


@given(some_masks())
def test_semantic_and_instance_maps_agree_with_the_masks(masks):
    found = Instances.from_masks(masks, np.arange(1, len(masks) + 1), np.linspace(1, 0.1, len(masks)))
    for drawn in (found.semantic_map(), found.instance_map()):
        assert drawn.shape == masks.shape[1:]
        np.testing.assert_array_equal(drawn > 0, masks.any(axis=0))
    for row in range(len(found)):
        assert found.masks[row][found.instance_map() == row + 1].all()


@given(some_masks(), st.booleans())
def test_cleaned_masks_stay_in_the_image_and_apart(masks, overlaps):
    windows = clean_masks(Instances.from_masks(masks, np.ones(len(masks), int)).windows, overlaps)
    claimed = np.zeros(masks.shape[1:], int)
    for window in windows:
        claimed[window.slices][window.mask] += 1
    assert len(windows) == len(masks)
    assert overlaps or claimed.max(initial=0) <= 1


@given(
    arrays.arrays(np.float32, (7, 7), elements=st.floats(0, 1, width=32)),
    some_boxes(least=1, most=1),
    SIDES,
    SIDES,
    st.sampled_from([0.3, 0.5, 0.8]),
    st.booleans(),
)
def test_pasted_masks_lie_in_the_image_and_in_their_box(soft_mask, boxes, height, width, threshold, fading):
    window = paste_mask(soft_mask, boxes[0], (height, width), threshold, fading)
    y1, x1, y2, x2 = boxes[0]
    top, left, bottom, right = window.box
    assert 0 <= top <= bottom <= height and 0 <= left <= right <= width
    if window.mask.size:
        assert top >= np.floor(y1) and left >= np.floor(x1) and bottom <= np.ceil(y2) and right <= np.ceil(x2)


@given(
    st.integers(0, 3),
    st.tuples(st.integers(32, 300), st.integers(32, 300)),
    st.tuples(st.integers(32, 300), st.integers(32, 300)),
    st.integers(0, 2**32 - 1),
)
def test_detections_scaled_there_and_back_are_the_same(count, size, other, seed):
    rng = np.random.default_rng(seed)
    near = rng.uniform(0, 0.5, (count, 2))
    boxes = (np.concatenate([near, near + 0.4], axis=1) * np.tile(size, 2)).astype(np.float32)
    soft_masks = rng.random((count, 14, 14)).astype(np.float16)
    scores = np.sort(rng.random(count).astype(np.float32))[::-1]
    found = Detections(boxes, scores, np.ones(count, np.int32), soft_masks, size, ("cat",))
    again = found.resized(other).resized(size)
    assert again.image_size == size
    np.testing.assert_allclose(again.boxes, found.boxes, rtol=1e-4, atol=1e-3)
    assert found.resized(other).instances(0).masks.shape == (count, *other)


@given(st.integers(1, 9000), st.integers(1, 9000), st.integers(1, 40))
def test_the_canvas_keeps_the_aspect(height, width, strides):
    size = strides * STRIDE
    rows, columns = letterbox_size(height, width, size)
    assert max(rows, columns) == size and min(rows, columns) >= 1
    scale = size / max(height, width)
    assert abs(rows - height * scale) <= 1 and abs(columns - width * scale) <= 1


@given(st.tuples(st.integers(32, 400), st.integers(32, 400)), st.sampled_from([64, 160, 416]), some_boxes())
def test_boxes_go_onto_the_canvas_and_back(shape, size, boxes):
    canvas, window = letterbox(np.zeros((*shape, 3), np.uint8), size)
    assert canvas.shape[0] % STRIDE == canvas.shape[1] % STRIDE == 0
    assert (canvas[: window[2], : window[3]] == 0).all()
    onto = np.tile(np.array(window[2:]) / shape, 2).astype(np.float32)
    np.testing.assert_allclose(to_image(boxes * onto, window, shape), boxes, rtol=1e-4, atol=1e-3)
    # The whole canvas covers the whole image.
    corner = to_image(np.array([[0, 0, *window[2:]]], np.float32), window, shape)
    assert corner[0].tolist() == pytest.approx([0, 0, *shape], abs=1e-3)
