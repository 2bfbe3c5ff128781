"""What a run makes of its data: sizes, schedule, forecast, the photos for validation, and the input size at the end."""

import json
import sys

import numpy as np
import pytest

from mrcnn import weights
from mrcnn.matterport.network import MatterportNetwork
from pipeline import __main__ as command
from pipeline.commands.train import divide, public_command
from pipeline.data.dataset import CocoDataset
from pipeline.data.sizes import SIZES
from pipeline.training.config import TrainConfig, check_settings
from pipeline.training.forecast import STEPS, Forecast
from pipeline.training.plan import canvases, plan
from pipeline.training.recipes.own import CONFIG as OWN
from tests.drawn import write_dataset


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("plan") / "toys", count=9, negatives=1, side=64)


def test_the_schedule_follows_from_the_data(toys):
    dataset = CocoDataset(toys)
    config, reasons = plan(OWN, [dataset], dataset)
    check_settings(config)
    assert (config.image_size, config.canvas_sizes) == (512, (416, 512))
    assert config.steps == 338  # 450 times the root of 9 photos with instances, 4 a step
    assert config.warmup_steps == 16
    assert config.steps / config.evaluate_steps == pytest.approx(8, abs=0.2)
    assert config.ema_momentum == pytest.approx(1 - 10 / 338)
    assert reasons[1] == "338 steps of 4 photos: each of 10 is seen about 135 times"


def test_what_a_person_sets_stays(toys):
    dataset = CocoDataset(toys)
    given = TrainConfig(image_size=96, steps=7, evaluate_steps=3, batch_size=2)
    config, reasons = plan(given, [dataset], None, ["image_size", "steps", "evaluate_steps"])
    assert (config.image_size, config.steps, config.evaluate_steps) == (96, 7, 3)
    assert config.canvas_sizes == (64, 96)
    assert reasons == []
    assert plan(given, [dataset], None, epochs=3)[0].steps == 15


def test_sizes_that_are_chosen_suit_every_preset():
    assert all(size % MatterportNetwork.size_multiple == 0 for size in SIZES)


@pytest.mark.parametrize("size, expected", [(512, (416, 512)), (640, (512, 640)), (832, (672, 832)), (32, (32,))])
def test_canvases_are_multiples_of_32(size, expected):
    assert canvases(size) == expected


def test_the_forecast_leaves_out_the_steps_that_compile(toys):
    config = TrainConfig(steps=108, evaluate_steps=50, batch_size=4)
    forecast = Forecast(config, 0, None)
    said = [forecast.add(seconds) for seconds in (60.0, 1.0, 30.0, *[1.0] * (STEPS - 2))]
    assert said == [False] * (STEPS - 1) + [True, False]
    assert forecast.sentence() == "4.0 photos a second: done in 2 minutes"
    with_figures = Forecast(config, 0, CocoDataset(toys))
    for _ in range(STEPS):
        with_figures.add(1.0)
    assert with_figures.sentence() == "4.0 photos a second: done in 2 minutes, the first figure in 43 seconds"


def test_a_share_for_validation(toys):
    whole = CocoDataset(toys)
    (train,), val = divide([whole], "0.2", None, seed=0)
    assert len(train) + len(val) == 10 and len(val) == 2
    assert not set(train.image_ids) & set(val.image_ids)
    assert sorted(divide([whole], "0.2", None, seed=0)[1].image_ids) == sorted(val.image_ids)
    assert len(val.to_coco()["images"]) == 2
    with pytest.raises(ValueError, match="--val is 1.5, expected a folder, or a share between 0 and 1"):
        divide([whole], "1.5", None, seed=0)


def test_a_share_for_validation_leaves_out_photos_that_cannot_be_read(tmp_path, capsys):
    folder = write_dataset(tmp_path / "toys", count=9, negatives=1, side=64)
    (folder / "4.png").write_bytes(b"no photo")
    (train,), val = divide([CocoDataset(folder)], "0.2", None, seed=0)
    assert sorted(train.image_ids + val.image_ids) == [1, 2, 3, 5, 6, 7, 8, 9, 10]
    assert "left out: 4.png is not an image" in capsys.readouterr().err


def test_photos_for_both_are_refused(toys, tmp_path):
    content = json.loads(toys.with_suffix(".json").read_text())
    content["images"][0]["file_name"] = str(toys / "1.png")
    content["images"] = content["images"][:1]
    content["annotations"] = [row for row in content["annotations"] if row["image_id"] == 1]
    (tmp_path / "val").mkdir()
    (tmp_path / "val.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"1 photos are in --data and in --val, the first is 1\.png"):
        divide([CocoDataset(toys)], str(tmp_path / "val"), None, seed=0)


def test_paths_from_the_root_do_not_come_into_a_card():
    line = ["train", "--data", "/home/me/photos/toys", "--out=../runs/toys", "--val", "data/val", "--lr", "1e-4"]
    assert public_command(line) == "python -m pipeline train --data toys --out=toys --val data/val --lr 1e-4"


@pytest.mark.slow
def test_own_data_from_the_command_line(toys, tmp_path, monkeypatch, capsys):
    """Short names are understood; at the end larger inputs are tried, and the best one is in the card."""
    line = ["train", "--data", str(toys), "--val", "0.3", "--init", "cat", "--out", str(tmp_path / "run")]
    line += ["--size", "64", "--batch", "2", "--lr", "1e-4", "--epochs", "1"]
    monkeypatch.setattr(sys, "argv", ["pipeline", *line])
    assert command.main() == 0
    said = capsys.readouterr()
    assert "7 photos for training, 3 for validation" in said.err
    assert "4 steps of 2 photos: each of 7 is seen about 1 times" in said.err
    assert "photos a second: done in" in said.err
    assert "at an input of 96 instead of 64: mask AP" in said.err
    assert "done: " in said.out and "ms a photo" in said.out
    network, card = weights.load_network(tmp_path / "run/best")
    sizes = {int(size): of["mask_AP"] for size, of in card["sizes"].items()}
    assert set(sizes) >= {64, 96}
    assert card["metrics"]["mask"]["AP"] == sizes[network.config.image_size]
    assert network.config.image_size == 64 or sizes[network.config.image_size] >= sizes[64] + 0.005
    settings = json.loads((tmp_path / "run/config.json").read_text())
    assert (settings["learning_rate"], settings["batch_size"], settings["steps"]) == (1e-4, 2, 4)


@pytest.mark.slow
def test_a_checkpoint_by_the_clock(toys, tmp_path, monkeypatch):
    """A slow machine writes one between the steps that are due."""
    from pipeline.training import loop
    from pipeline.training.checkpoint import Checkpointer

    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0)
    saved = []
    save = Checkpointer.save
    monkeypatch.setattr(
        Checkpointer, "save", lambda self, trainer, _: saved.append(trainer.step) or save(self, trainer, _)
    )
    config = TrainConfig(image_size=64, canvas_sizes=(64,), batch_size=2, steps=3, warmup_steps=1)
    assert loop.train(config, [CocoDataset(toys)], None, tmp_path / "run")
    assert saved == [1, 2, 3]
    with np.load(tmp_path / "run/checkpoint.npz") as archive:
        assert archive["progress"][0] == 3


@pytest.mark.slow
def test_boxes_alone_are_measured_as_boxes(toys, tmp_path, monkeypatch, capsys):
    """Validation data without a mask chooses the best weights and the size by box AP."""
    rows = json.loads(toys.with_suffix(".json").read_text())
    for row in rows["annotations"]:
        row.pop("segmentation")
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps(rows))
    line = ["train", "--data", str(toys), "--annotations", str(boxes), "--val", "0.3", "--init", "cat", "--size", "64"]
    line += ["--batch", "2", "--epochs", "1", "--name", "boxed", "--out", str(tmp_path / "run")]
    monkeypatch.setattr(weights, "FOLDER", tmp_path / "models")
    monkeypatch.setattr(sys, "argv", ["pipeline", *line])
    assert command.main() == 0
    said = capsys.readouterr()
    assert "at an input of 96 instead of 64: box AP" in said.err and "/best.npz, box AP" in said.out
    card = weights.read_card(tmp_path / "models/boxed.npz")
    assert card["metrics"]["mask"]["AP"] == -1 and card["metrics"]["box"]["AP"] >= 0
    assert "| box AP |" in (tmp_path / "models/boxed.md").read_text()


@pytest.mark.parametrize("epochs", ["0", "-3"])
def test_no_epochs_are_refused(epochs, toys, tmp_path, monkeypatch, capsys):
    line = ["train", "--data", str(toys), "--epochs", epochs, "--out", str(tmp_path / "run")]
    monkeypatch.setattr(sys, "argv", ["pipeline", *line])
    assert command.main() == 1
    assert f"--epochs is {epochs}, expected 1 or more" in capsys.readouterr().err
