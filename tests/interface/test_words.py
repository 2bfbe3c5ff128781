"""The page speaks of what its model finds."""

import pytest

from interface.page import build_page
from interface.words import introduction, title
from mrcnn import weights
from tests.interface.test_model_card import install  # noqa: F401  (a fixture)


@pytest.mark.parametrize(
    "names, words",
    [
        (["cat"], "Every cat, cut out"),
        (["pedestrian"], "Every pedestrian, cut out"),
        (["cat", "dog"], "Every object, cut out"),
    ],
)
def test_title(names, words):
    assert title(names) == words
    assert introduction(names).startswith(f"# {words}\nMask R-CNN finds each ")


def test_the_page_of_a_model_of_pedestrians_says_nothing_of_cats(install, monkeypatch):  # noqa: F811
    monkeypatch.setattr(weights, "SHIPPED", weights.FOLDER)
    install("street", ["pedestrian"])
    page = build_page()
    assert page.title.startswith("Every pedestrian, cut out")
    shown = {block.elem_id: block for block in page.blocks.values() if getattr(block, "elem_id", None)}
    assert "cat" not in shown["introduction"].value.replace("cut out", "")
    assert "cat" not in shown["images"].value.lower().replace("class=", "")
    assert not shown["model"].visible, "there is nothing to choose from"
