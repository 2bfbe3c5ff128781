"""Weights files: nothing is loaded that does not fit in every name and shape."""

import json

import keras
import numpy as np
import pytest

from mrcnn import weights


@keras.saving.register_keras_serializable(package="test")
class Small(keras.Model):
    """Two stages, named as in the real network."""

    def __init__(self, units=3):
        super().__init__()
        self.first = keras.layers.Dense(4, name="first")
        self.second = keras.layers.Dense(units, name="second")
        self.first.build((None, 2))
        self.second.build((None, 4))
        self.built = True


def test_round_trip_in_half_precision(tmp_path):
    source, target = Small(), Small()
    weights.save(source, tmp_path / "a.npz", {"what": "test"})
    weights.load_into(target, tmp_path / "a.npz")
    for wanted, got in zip(source.get_weights(), target.get_weights(), strict=True):
        assert got == pytest.approx(wanted, abs=1e-3)
    card = json.loads((tmp_path / "a.json").read_text())
    assert card["what"] == "test"
    assert len(card["sha256"]) == 64
    assert not list(tmp_path.glob("*.part")), "no temporary file stays behind"


@keras.saving.register_keras_serializable(package="test")
class OneConvolution(keras.Model):
    """One 3x3 convolution, depthwise-separable or full."""

    def __init__(self, kind):
        super().__init__()
        self.shared = kind(5, 3, padding="same", name="shared", bias_initializer="random_normal")
        self.shared.build((None, None, None, 4))
        self.built = True

    def call(self, inputs):
        return self.shared(inputs)


def test_a_full_convolution_goes_on_from_a_separable_one(tmp_path):
    separable, full = OneConvolution(keras.layers.SeparableConv2D), OneConvolution(keras.layers.Conv2D)
    weights.save(separable, tmp_path / "a.npz", {})
    weights.load_into(full, tmp_path / "a.npz")
    image = np.random.default_rng(0).normal(size=(1, 8, 8, 4)).astype(np.float32)
    assert np.asarray(full(image)) == pytest.approx(np.asarray(separable(image)), abs=5e-3)  # stored in half precision
    weights.save(full, tmp_path / "b.npz", {})
    with pytest.raises(ValueError, match="missing shared/depthwise_kernel"):
        weights.load_into(separable, tmp_path / "b.npz")


def test_names_say_where_a_variable_belongs():
    names = set(weights.named_variables(Small()))
    assert names == {"first/kernel", "first/bias", "second/kernel", "second/bias"}


def test_one_changed_byte_is_noticed(tmp_path):
    weights.save(Small(), tmp_path / "a.npz", {})
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ValueError, match="a.npz is damaged"):
        weights.load_into(Small(), tmp_path / "a.npz")


def test_a_changed_byte_is_noticed_without_the_json_too(tmp_path):
    weights.save(Small(), tmp_path / "a.npz", {})
    (tmp_path / "a.json").unlink()
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[content.index(b"NUMPY") + 130] ^= 1  # in the data of the first array
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ValueError, match="a.npz is damaged"):
        weights.load_into(Small(), tmp_path / "a.npz")


@pytest.mark.parametrize("earlier", [False, True])
def test_killed_between_weights_and_card_the_model_loads(tmp_path, monkeypatch, earlier):
    """The npz has been replaced, its JSON is missing or that of the weights before."""
    folder = tmp_path / "weights"
    monkeypatch.setattr(weights, "FOLDER", folder)
    monkeypatch.setattr(weights, "SHIPPED", folder)
    if earlier:
        weights.save(Small(), folder / "a.npz", {"config": {}, "step": 1})

    def killed(*arguments):
        raise KeyboardInterrupt

    source, target = Small(), Small()
    with monkeypatch.context() as patch:
        patch.setattr(weights, "write_atomically", killed)
        with pytest.raises(KeyboardInterrupt):
            weights.save(source, folder / "a.npz", {"config": {}, "step": 2})
    assert (folder / "a.json").exists() == earlier
    assert weights.read_card(folder / "a.npz") == {"config": {}, "step": 2}
    assert weights.available() == ["a"]
    weights.load_into(target, folder / "a.npz")
    assert target.get_weights()[0] == pytest.approx(source.get_weights()[0], abs=1e-3)


def test_missing_unexpected_and_wrong_shape_are_listed(tmp_path):
    arrays = {name: np.asarray(v) for name, v in weights.named_variables(Small()).items()}
    arrays["other/kernel"] = arrays.pop("first/bias")
    arrays["second/bias"] = np.zeros(7)
    np.savez(tmp_path / "b.npz", **arrays)
    model = Small()
    before = model.get_weights()
    with pytest.raises(ValueError) as error:
        weights.load_into(model, tmp_path / "b.npz")
    for part in ("missing first/bias", "unexpected other/kernel", "second/bias is (7,), expected (3,)"):
        assert part in str(error.value)
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True)), "nothing half-loaded"


def test_one_stage_alone(tmp_path):
    source, target = Small(units=5), Small(units=3)
    weights.save(source, tmp_path / "a.npz", {})
    second = target.second.get_weights()
    weights.load_into(target, tmp_path / "a.npz", "first/")
    assert target.first.get_weights()[0] == pytest.approx(source.first.get_weights()[0], abs=1e-3)
    assert (target.second.get_weights()[0] == second[0]).all()


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="no weights 'dog'.*cat"):
        weights.locate("dog")


def test_a_backbone_is_not_a_model():
    with pytest.raises(ValueError, match="not a whole model"):
        weights.load_network("mobilenet_v2_oidv4")
    assert "mobilenet_v2_oidv4" not in weights.available()
    assert weights.available()[:2] == ["cat", "pets"]


def test_shipped_files_are_small_and_carry_a_card():
    for path in weights.FOLDER.glob("*.npz"):
        assert path.stat().st_size < 10e6
        assert len(weights.read_card(path)["sha256"]) == 64
        assert path.with_suffix(".md").exists(), f"{path.name} has no model card"


def test_weights_without_a_checksum_are_loaded_with_a_word(tmp_path):
    weights.save(Small(), tmp_path / "a.npz", {})
    (tmp_path / "a.json").write_text("{}")
    with pytest.warns(UserWarning, match="a.npz is loaded without a check: its card names no SHA-256"):
        weights.load_into(Small(), tmp_path / "a.npz")


@pytest.mark.parametrize("content", ["{", "[1]", "\0", '"text"', "[" * 100_000])
def test_a_broken_card_does_not_hide_the_other_models(tmp_path, monkeypatch, content):
    for name in ("good", "broken"):
        weights.save(Small(), tmp_path / f"{name}.npz", {"config": {}})
    (tmp_path / "broken.json").write_text(content)
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    monkeypatch.setattr(weights, "SHIPPED", tmp_path)
    with pytest.warns(UserWarning, match="broken.json is damaged.*left out"):
        assert weights.available() == ["good"]


def test_the_model_of_cats_and_dogs_knows_a_cat(chelsea, model):
    from mrcnn import MaskRCNN

    found, expected = MaskRCNN.from_pretrained("pets").segment(chelsea), model.segment(chelsea)
    assert found.class_names == ["cat"] and found.scores[0] > 0.9
    both, either = (operation(found.masks[0], expected.masks[0]).sum() for operation in (np.logical_and, np.logical_or))
    assert both / either > 0.95
