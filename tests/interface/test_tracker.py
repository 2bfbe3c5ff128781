"""The tracker on drawn boxes: who is who from image to image."""

import numpy as np
import pytest

from interface.tracker import HELD, MEMORY, SURE, Tracker
from mrcnn import Instances
from mrcnn.results.instances import MaskWindow


def found(*boxes):
    """Instances with these boxes, in this order."""
    count = len(boxes)
    windows = [MaskWindow(0, 0, np.zeros((0, 0), bool))] * count
    return Instances(np.array(boxes), np.linspace(1, 0.5, count), [1] * count, ["cat"] * count, (100, 100), windows)


LEFT, RIGHT = (10, 10, 50, 40), (10, 60, 50, 90)


def moved(box, by):
    return tuple(edge + by for edge in box)


def test_numbers_follow_objects_though_their_order_changes():
    tracker = Tracker()
    assert tracker.update(found(LEFT, RIGHT)).tolist() == [0, 1]
    assert tracker.update(found(moved(RIGHT, 4), moved(LEFT, 4))).tolist() == [1, 0]
    assert tracker.update(found(moved(LEFT, 8))).tolist() == [0]
    assert tracker.update(found(moved(LEFT, 8), moved(RIGHT, 4))).tolist() == [0, 1], "it came back where it was"


def test_the_better_overlap_wins():
    tracker = Tracker()
    tracker.update(found(LEFT))
    assert tracker.update(found(moved(LEFT, 6), moved(LEFT, 1))).tolist() == [1, 0]


def test_a_box_that_appeared_once_takes_nobodys_place():
    tracker = Tracker()
    for _ in range(SURE):
        tracker.update(found(LEFT))
    assert tracker.update(found(LEFT, moved(LEFT, 12))).tolist() == [0, 1]
    assert tracker.update(found(moved(LEFT, 9))).tolist() == [0]


def test_a_new_object_gets_a_free_number_and_old_ones_are_forgotten():
    tracker = Tracker()
    tracker.update(found(LEFT, RIGHT))
    for _ in range(MEMORY + 1):
        assert tracker.update(found(RIGHT)).tolist() == [1]
    assert tracker.update(found(RIGHT, LEFT)).tolist() == [1, 0]


def test_a_dog_where_a_cat_was_is_another_object():
    tracker = Tracker()
    cat = found(LEFT)
    dog = Instances(cat.boxes, cat.scores, [2], ["dog"], cat.image_size, cat.windows)
    assert tracker.update(cat).tolist() == [0]
    assert tracker.update(dog).tolist() == [1]
    assert tracker.update(cat).tolist() == [0], "it is remembered for a while"


@pytest.mark.parametrize("images", [1, 3])
def test_nothing_found(images):
    tracker = Tracker()
    for _ in range(images):
        assert tracker.update(Instances.empty((100, 100))).shape == (0,)
    assert tracker.update(found(LEFT)).tolist() == [0]


def test_what_is_missed_for_a_few_images_stays_where_it_was():
    tracker = Tracker()
    tracker.follow(found(LEFT, RIGHT))
    for _ in range(HELD):
        followed, numbers = tracker.follow(found(RIGHT))
        assert numbers.tolist() == [1, 0] and followed.boxes.tolist() == [list(RIGHT), list(LEFT)]
    followed, numbers = tracker.follow(found(RIGHT))
    assert numbers.tolist() == [1] and len(followed) == 1
    assert len(tracker.follow(Instances.empty((50, 50)))[0]) == 0, "another camera's image is no place to hold it in"


def coloured(*boxes_and_colours):
    """Instances whose masks fill their boxes, and the image with these colours in them."""
    image = np.zeros((100, 100, 3), np.uint8)
    windows = []
    for (y1, x1, y2, x2), colour in boxes_and_colours:
        image[y1:y2, x1:x2] = colour
        windows.append(MaskWindow(y1, x1, np.ones((y2 - y1, x2 - x1), bool)))
    boxes = np.array([box for box, _ in boxes_and_colours], np.float32).reshape(-1, 4)
    count = len(boxes)
    return Instances(boxes, np.linspace(1, 0.5, count), [1] * count, ["cat"] * count, (100, 100), windows), image


GINGER, GREY = (220, 140, 60), (120, 120, 125)


def test_who_comes_back_elsewhere_is_known_by_its_colours():
    tracker = Tracker(reuse=False)
    assert tracker.update(*coloured((LEFT, GINGER), (RIGHT, GREY))).tolist() == [0, 1]
    for _ in range(MEMORY + 5):
        assert tracker.update(*coloured()).tolist() == []
    assert tracker.update(*coloured((LEFT, GREY), (RIGHT, GINGER))).tolist() == [1, 0]


def test_where_objects_are_counted_no_number_is_given_twice():
    tracker = Tracker(reuse=False)
    seen = set()
    for colour in (GINGER, GREY, (10, 10, 10), (250, 250, 250)):
        (number,) = tracker.update(*coloured((LEFT, colour))).tolist()
        seen.add(number)
        for _ in range(MEMORY + 1):
            tracker.update(*coloured())
    assert seen == {0, 1, 2, 3}


def test_two_alike_in_sight_are_two():
    tracker = Tracker(reuse=False)
    assert tracker.update(*coloured((LEFT, GREY))).tolist() == [0]
    assert tracker.update(*coloured((LEFT, GREY), (RIGHT, GREY))).tolist() == [0, 1]
