"""Averages of weights."""

import numpy as np
import pytest

from mrcnn import weights
from mrcnn.config import PRESETS, replace
from mrcnn.network import Network
from pipeline import __main__ as command
from pipeline.training.average import average
from tests.drawn import write_dataset

pytestmark = pytest.mark.slow


def write(path, shift, **config):
    network = Network(replace(PRESETS["lite"], **{"class_names": ("cat",), **config}))
    for number, variable in enumerate(network.weights):
        variable.assign(np.full(variable.shape, number % 7 + shift, np.float32))
    weights.save(network, path, weights.card_of(network, step=12))
    return str(path)


def test_the_mean_of_three(tmp_path, monkeypatch):
    paths = [write(tmp_path / f"{shift}.npz", shift) for shift in (0, 1, 5)]
    monkeypatch.setattr("sys.argv", ["pipeline", "average", *paths, "--out", str(tmp_path / "new" / "mean.npz")])
    assert command.main() == 0
    network, card = weights.load_network(tmp_path / "new" / "mean.npz")
    assert card["averaged"] == paths and card["step"] == 12 and "metrics" not in card
    assert network.config.image_size == 384
    for number, variable in enumerate(network.weights):
        np.testing.assert_array_equal(np.asarray(variable), number % 7 + 2)


@pytest.mark.parametrize("name", ["soup_0.5", "soup_0.5.npz"])
def test_a_name_with_a_point_is_kept_whole(tmp_path, monkeypatch, name):
    path = write(tmp_path / "0.npz", 0)
    monkeypatch.setattr("sys.argv", ["pipeline", "average", path, path, "--out", str(tmp_path / "runs" / name)])
    assert command.main() == 0
    assert {file.name for file in (tmp_path / "runs").iterdir()} == {"soup_0.5.npz", "soup_0.5.json"}


def test_the_size_of_the_input_can_be_changed(tmp_path):
    paths = [write(tmp_path / f"{shift}.npz", shift) for shift in (0, 1)]
    network, card = average(paths, size=416)
    assert network.config.image_size == card["config"]["image_size"] == 416
    with pytest.raises(ValueError, match="--size is 400.*multiple of 32"):
        average(paths, size=400)


def test_the_size_of_a_single_model_can_be_changed(tmp_path):
    network, card = average([write(tmp_path / "0.npz", 3)], size=512)
    assert card["config"]["image_size"] == 512
    np.testing.assert_array_equal(np.asarray(network.weights[0]), 3)


def test_a_model_of_another_size_or_of_more_classes_gives_its_share(tmp_path):
    paths = [
        write(tmp_path / "cat.npz", 0),
        write(tmp_path / "large.npz", 1, image_size=512),
        write(tmp_path / "pets.npz", 5, class_names=("dog", "cat")),
    ]
    network, _ = average(paths)
    assert network.config.class_names == ("cat",) and network.config.image_size == 384
    for number, variable in enumerate(network.weights):
        np.testing.assert_array_equal(np.asarray(variable), number % 7 + 2)
    with pytest.raises(ValueError, match="large.npz is of another config than .*pets.npz"):
        average(paths[::-1])


@pytest.mark.slow
def test_it_is_measured_if_asked(tmp_path, monkeypatch, capsys):
    val = write_dataset(tmp_path / "val", count=2, negatives=1)
    out = tmp_path / "a.npz"
    monkeypatch.setattr("sys.argv", ["pipeline", "average", "cat", "cat", "--val", str(val), "--out", str(out)])
    assert command.main() == 0
    metrics = weights.read_card(out)["metrics"]
    assert metrics["pictures"] == 3
    assert f"{metrics['mask']['AP']:.3f}" in capsys.readouterr().out
    shipped, averaged = (weights.load_network(path)[0] for path in ("cat", out))
    for before, after in zip(shipped.weights, averaged.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(before), np.asarray(after))


@pytest.mark.parametrize(
    "count, config, message",
    [(1, {}, "give two or more"), (2, {"mask_margin": 0.3}, "1.npz is of another config than .*0.npz")],
)
def test_what_cannot_be_averaged_is_refused(tmp_path, count, config, message):
    paths = [write(tmp_path / f"{number}.npz", 0, **(config if number else {})) for number in range(count)]
    with pytest.raises(ValueError, match=message):
        average(paths)
