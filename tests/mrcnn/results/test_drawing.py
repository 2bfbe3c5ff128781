import numpy as np
import pytest
from PIL import Image

from mrcnn.results import drawing
from mrcnn.results.instances import Instances

HEIGHT, WIDTH = 120, 160
NOTHING = {"masks": False, "outlines": False, "boxes": False, "labels": False, "scores": False}


@pytest.fixture
def photo():
    return np.random.default_rng(3).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


@pytest.fixture
def found():
    """Two discs that overlap, the surer one on the left."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    masks = [(rows - 70) ** 2 + (columns - column) ** 2 < 30**2 for column in (55, 95)]
    return Instances.from_masks(masks, [1, 2], [0.9, 0.6], ["cat", "dog"])


def changed(photo, drawn):
    return (photo != drawn).any(axis=2)


def test_everything_off_gives_the_photo(photo, found):
    drawn = drawing.draw_instances(photo, found, **NOTHING)
    np.testing.assert_array_equal(drawn, photo)
    assert drawn is not photo


def test_nothing_found_gives_the_photo(photo):
    empty = Instances.empty((HEIGHT, WIDTH))
    np.testing.assert_array_equal(drawing.draw_instances(photo, empty), photo)
    assert not drawing.cut_out(photo, empty).any()


@pytest.mark.parametrize("band", [7, drawing.BAND])
def test_masks_are_blended_exactly_where_they_are(photo, found, monkeypatch, band):
    monkeypatch.setattr(drawing, "BAND", band)
    before = photo.copy()
    drawn = drawing.draw_instances(photo, found, **{**NOTHING, "masks": True}, opacity=0.5)
    np.testing.assert_array_equal(photo, before)
    union = found.masks.any(axis=0)
    np.testing.assert_array_equal(drawn[~union], photo[~union])
    only_dog = found.masks[1] & ~found.masks[0]
    colour = np.array(drawing.instance_colour(1), float)
    np.testing.assert_allclose(drawn[only_dog], (photo[only_dog] + colour) / 2, atol=0.5)


def test_full_opacity_shows_the_surer_mask_on_top(photo, found):
    drawn = drawing.draw_instances(photo, found, **{**NOTHING, "masks": True}, opacity=1)
    assert (drawn[found.masks[0]] == drawing.instance_colour(0)).all()
    assert (drawn[found.masks[1] & ~found.masks[0]] == drawing.instance_colour(1)).all()
    by_class = drawing.draw_instances(photo, found, **{**NOTHING, "masks": True}, opacity=1, color_by="class")
    assert (by_class[found.masks[0]] == drawing.class_colour(1)).all()


def test_outlines_lie_inside_the_mask_at_its_edge(photo, found):
    outline = changed(photo, drawing.draw_instances(photo, found[0], **{**NOTHING, "outlines": True}))
    assert not (outline & ~found.masks[0]).any()
    assert not outline[50:90, 35:75].any()
    assert outline[70, 26] and outline[41, 55] and outline[99, 55]


def test_a_mask_that_fills_the_image_has_an_outline_too(photo):
    full = Instances.from_masks(np.ones((1, HEIGHT, WIDTH), bool), [1])
    outline = changed(photo, drawing.draw_instances(photo, full, **{**NOTHING, "outlines": True}))
    assert outline[0].any() and outline[:, -1].any() and not outline[20:-20, 20:-20].any()


def test_boxes_are_drawn_at_their_edges(photo, found):
    drawn = drawing.draw_instances(photo, found[0], **{**NOTHING, "boxes": True})
    y1, x1, y2, x2 = found.boxes[0].astype(int)
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[y1:y2, x1:x2] = True
    expected[y1 + 1 : y2 - 1, x1 + 1 : x2 - 1] = False
    np.testing.assert_array_equal(changed(photo, drawn), expected)
    assert (drawn[expected] == drawing.instance_colour(0)).all()


def test_labels_and_scores_are_written_separately(photo, found):
    variants = [
        drawing.draw_instances(photo, found, **{**NOTHING, **switches})
        for switches in ({"labels": True}, {"scores": True}, {"labels": True, "scores": True})
    ]
    sizes = [int(changed(photo, drawn).sum()) for drawn in variants]
    assert 0 < sizes[0] < sizes[2] and 0 < sizes[1] < sizes[2]


def test_tags_do_not_cover_each_other():
    size = (480, 640)
    masks = np.zeros((4, *size), bool)
    masks[:, 200:300, 100:220] = True
    found = Instances.from_masks(masks, [1] * 4, [0.9, 0.8, 0.7, 0.6], ["cat"] * 4)
    grey = np.full((*size, 3), 128, np.uint8)
    drawn = drawing.draw_instances(grey, found, **{**NOTHING, "labels": True})
    for row in range(4):
        assert (drawn == drawing.instance_colour(row)).all(axis=2).sum() > 300


@pytest.mark.parametrize("size", [(32, 32), (32, 900), (900, 32), (33, 47)])
@pytest.mark.parametrize("box", [[0, 0, 1, 1], [20, 20, 32, 32], [0, 0, 32, 32]])
def test_small_images_and_long_labels(size, box):
    mask = np.zeros((1, *size), bool)
    mask[0, box[0] : box[2], box[1] : box[3]] = True
    found = Instances.from_masks(mask, [1], [0.99], ["a rather long class name"])
    drawn = drawing.draw_instances(np.zeros((*size, 3), np.uint8), found)
    assert drawn.shape == (*size, 3) and drawn.any()
    assert drawing.draw_semantic_map(found.semantic_map(), {1: "cat"}).shape == (*size, 3)


def test_semantic_map_has_one_colour_a_class(found):
    drawn = drawing.draw_semantic_map(found.semantic_map(), {1: "cat", 2: "dog"}, legend=False)
    for class_id in (0, 1, 2):
        assert (drawn[found.semantic_map() == class_id] == drawing.class_colour(class_id)).all()


def test_semantic_map_over_the_photo(photo, found):
    drawn = drawing.draw_semantic_map(found.semantic_map(), {}, image=photo, opacity=0.25, legend=False)
    np.testing.assert_array_equal(changed(photo, drawn) & (found.semantic_map() == 0), False)
    cat = found.masks[0]
    expected = 0.75 * photo[cat] + 0.25 * np.array(drawing.class_colour(1))
    np.testing.assert_allclose(drawn[cat], expected, atol=0.5)


def test_legend_names_only_what_is_there(found):
    solid = drawing.draw_semantic_map(found[0].semantic_map(), {1: "cat", 2: "dog"}, legend=False)
    with_legend = drawing.draw_semantic_map(found[0].semantic_map(), {1: "cat", 2: "dog"})
    legend = with_legend[changed(solid, with_legend)]
    assert (legend == drawing.class_colour(1)).all(axis=1).any()
    assert not (legend == drawing.class_colour(2)).all(axis=1).any()


def test_semantic_image_keeps_class_ids_through_a_file(tmp_path, found):
    drawing.semantic_image(found.semantic_map()).save(tmp_path / "map.png")
    with Image.open(tmp_path / "map.png") as image:
        assert image.mode == "P"
        np.testing.assert_array_equal(np.array(image), found.semantic_map())
        assert image.convert("RGB").getpixel((55, 70)) == drawing.class_colour(1)


def test_cut_out(photo, found):
    cut = drawing.cut_out(photo, found, soft=False)
    union = found.masks.any(axis=0)
    assert cut.shape == (HEIGHT, WIDTH, 4)
    np.testing.assert_array_equal(cut[..., 3], union * 255)
    np.testing.assert_array_equal(cut[union, :3], photo[union])
    assert not cut[~union].any()
    y1, x1, y2, x2 = found.boxes[1].astype(int)
    cropped = drawing.cut_out(photo, found[1], crop=True, soft=False)
    np.testing.assert_array_equal(cropped[..., 3] > 0, found.masks[1][y1:y2, x1:x2])


def luminance(colour):
    channels = [value / 255 for value in colour]
    linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return np.dot([0.2126, 0.7152, 0.0722], linear)


@pytest.mark.parametrize("colour", [*map(tuple, drawing.PALETTE.tolist()), drawing.BACKGROUND_COLOUR])
def test_tags_are_readable_on_every_colour(colour):
    tag = drawing._tag("cat", colour, 20)
    assert (tag == colour).all(axis=2).any()
    black = tag.sum(axis=2).min() < sum(colour) / 2
    text, ground = luminance((0, 0, 0) if black else (255, 255, 255)), luminance(colour)
    assert (max(text, ground) + 0.05) / (min(text, ground) + 0.05) >= 4.5


def test_colours_are_distinct_and_repeat():
    assert len({drawing.instance_colour(row) for row in range(16)}) == 16
    assert drawing.instance_colour(16) == drawing.instance_colour(0)
    assert drawing.class_colour(1) != drawing.instance_colour(0)


def test_refusals(photo, found):
    with pytest.raises(ValueError, match=r"Opacity.*1.5"):
        drawing.draw_instances(photo, found, opacity=1.5)
    with pytest.raises(ValueError, match=r'"instance" or by "class".*"size"'):
        drawing.draw_instances(photo, found, color_by="size")
    for draw in (drawing.draw_instances, drawing.cut_out):
        with pytest.raises(ValueError, match=r"150 x 120 pixels.*160 x 120"):
            draw(photo[:, :150], found)


def test_numbers_decide_colours_and_labels(photo, found):
    masks = {**NOTHING, "masks": True}
    exchanged = drawing.draw_instances(photo, found, **masks, opacity=1, numbers=[4, 2])
    assert exchanged[70, 40].tolist() == list(drawing.instance_colour(4))
    assert exchanged[70, 110].tolist() == list(drawing.instance_colour(2))
    labels = {**NOTHING, "labels": True}
    assert changed(drawing.draw_instances(photo, found, **labels), photo).any()
    assert changed(
        drawing.draw_instances(photo, found, **labels), drawing.draw_instances(photo, found, **labels, numbers=[7, 8])
    ).any()
