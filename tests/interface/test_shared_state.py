"""What a link carries, and what is made of links that others wrote."""

import dataclasses

import pytest

from interface.settings import LOOKS, Settings
from interface.shared_state import link_state, read_state, slug

MODELS = ["cat", "zoo"]


def test_the_first_view_has_a_bare_link():
    assert link_state("cat", Settings(), "cat") == ""


@pytest.mark.parametrize("look", LOOKS)
def test_a_link_leads_back_to_where_it_was_written(look):
    shown, opacity, background = LOOKS[look]
    settings = Settings(confidence=0.35, shown=tuple(shown), opacity=opacity / 100, background=background)
    sent = dict(part.split("=") for part in link_state("zoo", settings, "cat").split("&"))
    assert read_state(sent, MODELS) == ("zoo", 35, look)


def test_settings_that_are_no_look_say_nothing_of_one():
    settings = dataclasses.replace(Settings(), opacity=0.33, confidence=0.2)
    assert link_state("cat", settings, "cat") == "confidence=20"


@pytest.mark.parametrize("confidence", ["", "4", "100", "-5", "5.5", "x", "9" * 5000, "\u0663\u0663", None, [50], True])
def test_what_is_not_offered_is_not_taken(confidence):
    sent = {"model": "../cat", "confidence": confidence, "look": "<script>"}
    assert read_state(sent, MODELS) == ("cat", 50, "Masks")


def test_slugs_are_unique():
    assert len({slug(name) for name in LOOKS}) == len(LOOKS)
