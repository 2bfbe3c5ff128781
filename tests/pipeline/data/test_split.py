"""Which photos are for validation, on looks made up: 128 bits of which other photos differ in some 50."""

import numpy as np
import pytest

from pipeline.data.split import choose

SCENE = "00" * 16


def others(count):
    random = np.random.default_rng(0)
    return [random.bytes(16).hex() for _ in range(count)]


def test_photos_of_a_fixed_camera_are_cut_in_file_order_and_that_is_said():
    told = []
    assert choose([SCENE] * 50, 0.2, 0, told.append) == set(range(40, 50))
    assert "50 of 50 photos look alike" in told[0] and "WILL FLATTER" in told[0]


def test_a_large_group_fills_what_other_photos_leave():
    told = []
    looks = [*others(5), *[SCENE] * 95]
    assert choose(looks, 0.2, 0, told.append) == {*range(5), *range(85, 100)}
    assert "the last 15 of them" in told[0]


def test_no_group_is_cut_where_others_give_half():
    told = []
    looks = [*[SCENE] * 60, *others(40)]
    chosen = choose(looks, 0.2, 0, told.append)
    assert len(chosen) == 20 and min(chosen) >= 60
    assert not told


def test_where_a_group_is_cut_is_printed_for_who_does_not_ask(capsys):
    assert choose([SCENE] * 2, 0.2, 0) == {1}
    assert "look alike" in capsys.readouterr().err


@pytest.mark.parametrize("looks", [[], [SCENE], others(3)])
def test_too_few_photos(looks):
    with pytest.raises(ValueError, match=f"{len(looks)} images cannot be divided at 3: none would be left"):
        choose(looks, 3, 0)
