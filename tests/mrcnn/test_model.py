"""The facade with the shipped weights on real images that ship with scikit-image."""

import numpy as np
import pytest
from PIL import Image
from skimage import data

from mrcnn import Instances, MaskRCNN
from tools.odd_arguments import arguments as odd_arguments


def test_finds_chelsea(model, chelsea):
    found = model.segment(chelsea)
    assert len(found) == 1
    assert found.class_names == ["cat"]
    assert found.scores[0] > 0.8
    mask = found.masks[0]
    assert mask.shape == chelsea.shape[:2]
    assert mask.dtype == bool
    face = mask[60:270, 60:330]  # eyes, nose and cheeks
    background = mask[60:220, 400:]  # the blurred room at the right
    assert face.mean() > 0.95
    assert background.mean() < 0.05
    assert (found.semantic_map() == mask).all()


def test_a_mask_goes_on_up_to_the_edge_of_the_photo(model, chelsea):
    mask = model.segment(chelsea).masks[0]
    covered, inside = mask[-3:].sum(axis=1), mask[-12]
    assert inside.sum() > 100
    assert (covered >= 0.95 * inside.sum()).all()


def test_the_box_is_that_of_the_mask(model, chelsea):
    found = model.segment(chelsea)
    rows, columns = np.flatnonzero(found.masks[0].any(axis=1)), np.flatnonzero(found.masks[0].any(axis=0))
    assert found.boxes[0].tolist() == [rows[0], columns[0], rows[-1] + 1, columns[-1] + 1]


def test_each_pixel_has_one_owner_unless_overlaps_are_asked_for(model, chelsea):
    two = np.hstack([chelsea[:, 100:330], chelsea[:, 100:330]])
    assert model.segment(two, confidence=0.05).masks.sum(axis=0).max() == 1
    assert model.segment(two, confidence=0.05, overlaps=True).masks.sum(axis=0).max() > 1


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_no_cat_where_there_is_none(model, name):
    assert len(model.segment(getattr(data, name)())) == 0


def test_path_image_and_array_give_the_same(model, chelsea, tmp_path):
    Image.fromarray(chelsea).save(tmp_path / "chelsea.png")
    from_array = model.segment(chelsea)
    for image in (tmp_path / "chelsea.png", str(tmp_path / "chelsea.png"), Image.fromarray(chelsea)):
        found = model.segment(image)
        assert (found.masks == from_array.masks).all()
        assert (found.scores == from_array.scores).all()


@pytest.mark.parametrize("size", [(32, 32), (32, 4000), (4000, 33), (3000, 4000), (97, 511)])
def test_any_size(model, chelsea, size):
    image = np.asarray(Image.fromarray(chelsea).resize(size[::-1]))
    found = model.segment(image)
    assert found.masks.shape == (len(found), *size)
    assert found.boxes.shape == (len(found), 4)
    assert (found.boxes >= 0).all()
    assert (found.boxes <= [*size, *size]).all()


def test_large_photo_has_a_smooth_and_right_mask(model, chelsea):
    """At 3000 x 4510 pixels the mask agrees with the one of the small photo, enlarged."""
    large = Image.fromarray(chelsea).resize((4510, 3000), Image.BICUBIC)
    small_mask, mask = model.segment(chelsea).masks[0], model.segment(large).masks[0]
    expected = np.asarray(Image.fromarray(small_mask).resize((4510, 3000), Image.NEAREST))
    assert (mask & expected).sum() > 0.97 * (mask | expected).sum()


def test_grey_and_transparent_images(model, chelsea):
    grey = model.segment(np.asarray(Image.fromarray(chelsea).convert("L")))
    transparent = model.segment(np.dstack([chelsea, np.full(chelsea.shape[:2], 255, np.uint8)]))
    assert len(grey) == 1
    assert (transparent.masks == model.segment(chelsea).masks).all()


def test_nothing_found_has_well_shaped_arrays(model):
    found = model.segment(np.full((60, 80, 3), 200, np.uint8))
    assert isinstance(found, Instances)
    assert len(found) == 0
    assert found.masks.shape == (0, 60, 80)
    assert found.boxes.shape == (0, 4)
    assert found.class_names == []
    assert not found.semantic_map().any()
    assert found.to_coco() == []


def test_confidence_and_limit(model, chelsea):
    everything = model.segment(chelsea, confidence=0.0, limit=7)
    assert len(everything) == 7
    assert (np.diff(everything.scores) <= 0).all()
    detections = model.detect(chelsea)
    for confidence in (0.05, 0.5, 0.9):
        assert len(detections.instances(confidence)) == len(model.segment(chelsea, confidence))


def test_two_cats_side_by_side_are_two(model, chelsea):
    found = model.segment(np.hstack([chelsea, chelsea[:, ::-1]]))
    assert len(found) == 2
    assert not (found.masks[0] & found.masks[1]).any()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"confidence": 1.5}, "confidence is 1.5, expected a number from 0 to 1"),
        ({"limit": 0}, "limit is 0, expected a number of detections from 1 to 1000"),
        ({"size": 9}, "size is 9, expected a length from 32 to 2048 pixels"),
        ({"confidence": "x"}, "confidence is 'x', expected a number from 0 to 1"),
        ({"confidence": float("nan")}, "confidence is nan, expected"),
        ({"limit": None, "confidence": []}, r"confidence is \[\], expected"),
        ({"limit": 1.5}, "limit is 1.5, expected"),
        ({"size": 10**400}, "size is a huge number, expected"),
    ],
)
def test_arguments_out_of_range_are_refused(model, chelsea, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        model.segment(chelsea, **arguments)


@pytest.mark.parametrize(
    "image", [np.zeros((10, 10, 3), np.uint8), np.zeros((64, 64, 7), np.uint8), "no/such/file.jpg", None, 7]
)
def test_bad_images_are_refused_in_one_sentence(model, image):
    with pytest.raises(ValueError) as error:
        model.segment(image)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("images", [None, 7, "photo.jpg", b"photo.jpg"])
def test_a_batch_is_a_list(model, images):
    with pytest.raises(ValueError, match=f"Images must come in a list, but came as {type(images).__name__}"):
        model.segment_batch(images)


@pytest.mark.slow
def test_odd_arguments_give_a_result_or_a_sentence(model, tmp_path):
    """The same that `make fuzz` sends."""
    for name, image, options in odd_arguments(150, tmp_path):
        try:
            assert model.segment(image, **options).masks.dtype == bool
        except ValueError as error:
            assert str(error) and "\n" not in str(error), name


def test_a_saved_model_comes_back_with_its_card(model, chelsea, tmp_path):
    model.save(tmp_path / "mine.npz")
    again = MaskRCNN.from_pretrained(tmp_path / "mine.npz", compiled=False)
    assert again.config == model.config
    assert {**again.card, "sha256": ""} == {**model.card, "config": again.card["config"], "sha256": ""}
    for variable, expected in zip(again.network.weights, model.network.weights, strict=True):
        np.testing.assert_array_equal(variable, expected)
    with pytest.raises(ValueError, match="must end in .npz"):
        model.save(tmp_path / "mine.h5")


def test_uncompiled_gives_the_same(model, chelsea):
    found, expected = MaskRCNN.from_pretrained("cat", compiled=False).segment(chelsea), model.segment(chelsea)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-4)
    np.testing.assert_allclose(found.boxes, expected.boxes, atol=0.05)
    assert (found.masks & expected.masks).sum() > 0.999 * (found.masks | expected.masks).sum()
