import json

import pytest

from interface.model_card import class_names, long_card, short_card
from interface.photo_tab import _class_choices
from mrcnn import weights
from mrcnn.coco_classes import COCO_CLASSES


@pytest.fixture
def install(tmp_path, monkeypatch):
    """A function that puts a model's card beside weights of 1.5 MB."""
    monkeypatch.setattr(weights, "FOLDER", tmp_path)

    def install(name, classes, text=None, **facts):
        (tmp_path / f"{name}.npz").write_bytes(bytes(1_500_000))
        (tmp_path / f"{name}.json").write_text(json.dumps({"config": {"class_names": classes}, **facts}))
        if text is not None:
            (tmp_path / f"{name}.md").write_text(text)

    return install


def test_the_shipped_model():
    assert class_names("cat") == ("cat",)
    assert short_card("cat").startswith("1 class: cat · mask AP 0.")
    assert "\n#### Where it fails\n" in long_card("cat")
    assert _class_choices("cat")["visible"] is False


def test_eighty_classes_without_figures_or_card(install):
    install("coco", list(COCO_CLASSES))
    assert short_card("coco") == (
        "80 classes: person, bicycle, car, motorcycle, airplane, ... · accuracy not measured · 1.5 MB · "
        "licence not stated"
    )
    assert long_card("coco") == f"**Classes (80):** {', '.join(COCO_CLASSES)}"
    choices = _class_choices("coco")
    assert choices["visible"] is True and choices["choices"] == list(COCO_CLASSES) and choices["value"] == []


def test_a_trained_model(install):
    text = "# balloon\n\n## Figures\n\ngood"
    install("balloon", ["balloon"], text, metrics={"mask": {"AP": 0.5}, "pictures": 20}, licence="CC0")
    assert short_card("balloon") == "1 class: balloon · mask AP 0.500 on 20 photos · 1.5 MB · CC0"
    assert long_card("balloon") == "### balloon\n\n#### Figures\n\ngood\n\n**Classes (1):** balloon"


@pytest.mark.parametrize("metrics", [{}, None, {"mask": {"AP": -1}, "pictures": 3}])
def test_no_figure_is_made_up(install, metrics):
    install("new", ["cat"], metrics=metrics)
    assert "accuracy not measured" in short_card("new")
