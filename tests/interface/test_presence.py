"""Who was in a clip, on drawn tracks."""

import csv
import io

import numpy as np
import pytest

from interface.presence import COLUMNS, LEAST, Presence
from mrcnn import Instances
from mrcnn.results.instances import MaskWindow


def found(*class_names, score=0.9):
    count = len(class_names)
    windows = [MaskWindow(0, 0, np.zeros((0, 0), bool))] * count
    ids = [1 + (name != "cat") for name in class_names]
    return Instances(np.zeros((count, 4)), np.full(count, score), ids, list(class_names), (10, 10), windows)


@pytest.fixture
def presence():
    """Two seconds at ten images a second, from second 5 on: a cat in all, a dog in the first, a spot in one image."""
    presence = Presence()
    for image in range(20):
        names, numbers = ["cat"], [0]
        if image < 10:
            names, numbers = [*names, "dog"], [*numbers, 1]
        if image == 12:
            names, numbers = [*names, "cat"], [*numbers, 2]
        presence.add(found(*names, score=0.5 + image / 100), numbers, 5 + image / 10)
    presence.close(0.1)
    return presence


def test_seconds_are_those_between_the_images(presence):
    (one, cat), (two, dog) = presence.stays()
    assert (one, two) == (1, 2)
    assert (cat.class_name, cat.images) == ("cat", 20) and cat.seconds == pytest.approx(2)
    assert (cat.first, cat.last) == pytest.approx((0, 1.9)) and cat.score == pytest.approx(0.69)
    assert (dog.class_name, dog.images) == ("dog", 10) and dog.seconds == pytest.approx(1)
    assert presence.most == 2


def test_what_is_there_for_a_moment_is_not_counted(presence):
    assert LEAST > 0.1
    assert presence.counted() == "1 cat and 1 dog"


def test_the_table_says_the_same(presence):
    rows = list(csv.DictReader(io.StringIO(presence.table().decode())))
    assert list(rows[0]) == COLUMNS
    assert [(row["number"], row["class"], row["present_s"], row["images"]) for row in rows] == [
        ("1", "cat", "2.0", "20"),
        ("2", "dog", "1.0", "10"),
    ]
    assert float(rows[0]["present_min"]) == pytest.approx(2 / 60, abs=1e-3)


def test_a_clip_in_which_nothing_is_seen():
    presence = Presence()
    presence.add(found(), [], 0.0)
    presence.close(0.1)
    assert presence.counted() == "nothing" and presence.table().decode().splitlines() == [",".join(COLUMNS)]
