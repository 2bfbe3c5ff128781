"""Settings: recipes by name, changes by key=value, mistakes named."""

import pytest

from mrcnn.config import PRESETS, replace
from mrcnn.training_losses import Sampling
from pipeline.training.config import FOLDER, load_config
from pipeline.training.settings import list_settings


def test_changes_keep_the_type_of_the_setting():
    config = load_config("cat", ["steps=12", "learning_rate=1", "canvas_sizes=[64, 96]", "init=somewhere/else.npz"])
    assert (config.steps, config.learning_rate) == (12, 1.0)
    assert config.canvas_sizes == (64, 96)
    assert config.init == "somewhere/else.npz"


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("learning_rat=1", "unknown config key 'learning_rat'; did you mean 'learning_rate'?"),
        ("sampling.anchor=1", "unknown config key 'sampling.anchor'; did you mean 'sampling.anchors'?"),
        ("network.anchor_scale=1", "unknown config key 'network.anchor_scale'; did you mean 'network.anchor_scales'?"),
        ("net.anchor_scales=(1,)", "unknown config key 'net.anchor_scales'"),
        ("network={}", "unknown config key 'network'"),
        ("network.image_size=64", "network.image_size cannot be set: use --set image_size=..."),
        ("network.anchor_scales=()", "network.anchor_scales is (), expected numbers above 0"),
        ("network.box_variance=(0.1,)", "network.box_variance is (0.1,), expected 4 numbers"),
        ("network.proposal_nms_iou=1.5", "network.proposal_nms_iou is 1.5, expected more than 0 and less than 1"),
        ("network.proposal_level=7", "network.proposal_level is 7, expected 2 to 5"),
        ("sampling.boxes=0", "sampling.boxes is 0, expected more than 0"),
        ("sampling.negative_iou=0.7", "sampling.negative_iou is 0.7, expected at most 0.6"),
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


def test_names_from_elsewhere_are_answered_with_ours():
    with pytest.raises(ValueError, match="unknown config key 'lr': it is 'learning_rate' here"):
        load_config("own", ["lr=1e-3"])
    with pytest.raises(ValueError, match="use --epochs"):
        load_config("own", ["epochs=3"])


def test_every_recipe_opens_with_its_command():
    for path in FOLDER.glob("*.py"):
        if path.stem != "__init__":
            assert f"python -m pipeline train --config {path.stem}" in path.read_text().split('"""')[1]


def test_network_and_sampling_have_settings_of_their_own():
    settings = ["network.anchor_scales=(2, 4)", "sampling.anchors=256", "sampling.positive_iou=0.7"]
    config = load_config("cat", settings)
    assert config.network == {"anchor_scales": (2, 4)}
    assert config.sampling == {"anchors": 256, "positive_iou": 0.7}
    assert load_config("cat", []).network == {}


def test_every_setting_can_be_set_to_what_it_is():
    listed = [line.split() for line in list_settings("cat").splitlines() if line.startswith("  ")]
    settings = [setting for setting, *_ in listed]
    assert len(settings) > 50
    changed, config = load_config("cat", settings), load_config("cat", [])
    assert replace(changed, network={}, sampling={}) == config
    assert Sampling(**changed.sampling) == Sampling()
    assert replace(PRESETS["lite"], **changed.network) == PRESETS["lite"]
    without_meaning = [setting for setting, *meaning in listed if not meaning and not setting.startswith("network.")]
    assert without_meaning in ([], ["sampling.negative_iou=0.3"])
