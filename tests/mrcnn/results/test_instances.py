import dataclasses
import json

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from mrcnn.config import PRESETS, replace
from mrcnn.results.documents import coco_document
from mrcnn.results.drawing import draw_semantic_map, semantic_image
from mrcnn.results.instances import Instances, MaskWindow

# Two overlapping objects in an image of 4 x 6 pixels.
CAT = np.array(
    [
        [0, 1, 1, 0, 0, 0],
        [0, 1, 1, 1, 0, 0],
        [0, 0, 1, 1, 0, 0],
        [0, 0, 0, 0, 0, 0],
    ],
    bool,
)
DOG = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [0, 0, 0, 1, 1, 1],
        [0, 0, 0, 1, 0, 1],
        [0, 0, 0, 1, 1, 1],
    ],
    bool,
)


@pytest.fixture
def found():
    return Instances.from_masks([DOG, CAT], class_ids=[2, 1], scores=[0.6, 0.9], class_names=["dog", "cat"])


def test_from_masks_sorts_and_finds_tight_boxes(found):
    assert found.class_names == ["cat", "dog"]
    np.testing.assert_array_equal(found.boxes, [[0, 1, 3, 4], [1, 3, 4, 6]])
    np.testing.assert_allclose(found.scores, [0.9, 0.6], rtol=1e-6)
    np.testing.assert_array_equal(found.class_ids, [1, 2])
    np.testing.assert_array_equal(found.areas, [7, 8])
    np.testing.assert_array_equal(found.masks, [CAT, DOG])
    assert (found.boxes.dtype, found.scores.dtype, found.class_ids.dtype) == (
        np.float32,
        np.float32,
        np.int32,
    )
    assert found.image_size == (4, 6)


def test_higher_score_wins_where_masks_overlap(found):
    expected = [
        [0, 1, 1, 0, 0, 0],
        [0, 1, 1, 1, 2, 2],
        [0, 0, 1, 1, 0, 2],
        [0, 0, 0, 2, 2, 2],
    ]
    np.testing.assert_array_equal(found.semantic_map(), expected)
    assert found.semantic_map().dtype == np.uint8
    np.testing.assert_array_equal(found.instance_map(), expected)
    assert found.instance_map().dtype == np.uint16


@pytest.mark.parametrize(
    "rows, names",
    [
        (0, ["cat"]),
        (-1, ["dog"]),
        (np.int64(1), ["dog"]),
        (slice(None), ["cat", "dog"]),
        (slice(0, 0), []),
        ([1, 0], ["dog", "cat"]),
        (np.array([False, True]), ["dog"]),
        ([False, False], []),
    ],
)
def test_indexing_gives_instances(found, rows, names):
    chosen = found[rows]
    assert isinstance(chosen, Instances)
    assert chosen.class_names == names
    assert chosen.masks.shape == (len(names), 4, 6)
    assert len(chosen.windows) == len(chosen.areas) == len(names)


def test_index_beyond_the_end(found):
    with pytest.raises(IndexError):
        found[2]
    assert [row.class_names for row in found] == [["cat"], ["dog"]]


def test_empty():
    found = Instances.empty((48, 64))
    assert len(found) == 0
    assert found.boxes.shape == (0, 4)
    assert found.masks.shape == (0, 48, 64) and found.masks.dtype == bool
    assert found.semantic_map().shape == (48, 64) and not found.semantic_map().any()
    assert found.areas.shape == (0,)
    assert found.to_coco() == []
    assert len(found[:3]) == 0


def test_more_than_255_classes_do_not_wrap():
    found = Instances.from_masks([CAT, DOG], class_ids=[256, 300], scores=[0.9, 0.6])
    assert found.semantic_map().dtype == np.uint16
    assert set(np.unique(found.semantic_map())) == {0, 256, 300}
    image = semantic_image(found.semantic_map())
    assert image.mode == "I;16"
    np.testing.assert_array_equal(np.array(image), found.semantic_map())
    assert draw_semantic_map(found.semantic_map(), {256: "cat"}, legend=False).shape == (4, 6, 3)


def test_from_no_masks_keeps_the_image_size():
    assert Instances.from_masks(np.zeros((0, 48, 64), bool), []).image_size == (48, 64)


def test_rows_must_agree():
    with pytest.raises(ValueError, match="1 boxes, 2 scores"):
        Instances(np.zeros((1, 4)), [0.9, 0.8], [1], ["cat"], (4, 6), [MaskWindow(0, 0, CAT)])
    with pytest.raises(ValueError, match=r"\(N, H, W\).*\(4, 6\)"):
        Instances.from_masks(CAT, [1])


def test_to_coco_is_plain_json_that_pycocotools_reads(found):
    results = json.loads(json.dumps(found.to_coco(image_id=42)))
    assert [result["category_id"] for result in results] == [1, 2]
    assert results[0]["bbox"] == [1.0, 0.0, 3.0, 3.0]
    assert results[0]["image_id"] == 42
    assert results[0]["area"] == 7
    assert results[0]["score"] == pytest.approx(0.9, abs=1e-5)
    for result, mask in zip(results, (CAT, DOG), strict=True):
        np.testing.assert_array_equal(coco_mask.decode(result["segmentation"]), mask)


def test_coco_results_have_the_category_ids_of_the_data(found):
    named = dataclasses.replace(found, category_ids=(17, 18))
    assert [row["category_id"] for row in named.to_coco()] == [17, 18]
    assert [row["category_id"] for row in named[1].to_coco()] == [18]
    categories = coco_document(named, "a.jpg", ("cat", "dog"))["categories"]
    assert categories == [{"id": 17, "name": "cat"}, {"id": 18, "name": "dog"}]
    assert PRESETS["resnet50"].coco_category_ids[PRESETS["resnet50"].class_names.index("cat")] == 17
    assert PRESETS["lite"].coco_category_ids == (1,)
    with pytest.raises(ValueError, match="2 category ids for 1 classes"):
        _ = replace(PRESETS["lite"], category_ids=[3, 4]).coco_category_ids
