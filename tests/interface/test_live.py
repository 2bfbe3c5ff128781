"""The rate that Live shows."""

import pytest

from interface.live_tab import WINDOW, Watch


def test_the_rate_is_what_arrives_however_uneven_the_gaps_are():
    watch, now = Watch(), 100.0
    assert watch.tick(now) == 0
    for gap in [0.02, 0.38] * 20:
        now += gap
        rate = watch.tick(now)
    assert rate == pytest.approx(5, rel=0.1)  # the mean of 1 / gap would be 26


def test_the_rate_begins_anew_after_a_pause():
    watch = Watch()
    watch.tick(1.0)
    assert watch.tick(1.1) == pytest.approx(10)
    assert watch.tick(1.2 + WINDOW) == 0
