"""Settings: recipes by name, changes by key=value, mistakes named."""

import pytest

from pipeline.training.config import FOLDER, load_config


def test_changes_keep_the_type_of_the_setting():
    config = load_config("cat", ["steps=12", "learning_rate=1", "canvas_sizes=[64, 96]", "init=somewhere/else.npz"])
    assert (config.steps, config.learning_rate) == (12, 1.0)
    assert config.canvas_sizes == (64, 96)
    assert config.init == "somewhere/else.npz"


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("learning_rat=1", "unknown config key 'learning_rat'; did you mean 'learning_rate'?"),
        ("steps", "--set takes key=value, got 'steps'"),
        ("steps=many", "steps takes a value like"),
        ("steps=1.5", "steps takes a value like"),
        ("canvas_sizes=64", "canvas_sizes takes a value like"),
    ],
)
def test_mistakes_are_named(setting, sentence):
    with pytest.raises(ValueError) as error:
        load_config("cat", [setting])
    assert sentence in str(error.value)


def test_unknown_recipe_lists_the_known_ones():
    with pytest.raises(ValueError, match="no config 'dog'; there are: .*cat"):
        load_config("dog", [])


def test_every_recipe_opens_with_its_command():
    for path in FOLDER.glob("*.py"):
        if path.stem != "__init__":
            assert f"python -m pipeline train --config {path.stem}" in path.read_text().split('"""')[1]
