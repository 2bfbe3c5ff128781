"""The training command: resuming is exact, mistakes are said, a kill leaves a checkpoint that can be resumed."""

import argparse
import csv
import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from PIL import Image

from mrcnn import MaskRCNN, weights
from mrcnn.mobilenet_v2 import fold_batch_norms, mobilenet_v2
from pipeline.commands import train as command
from pipeline.data.dataset import CocoDataset
from pipeline.training import loop
from pipeline.training.config import FOLDER, TrainConfig, load_config
from pipeline.training.initial_network import initial_network
from pipeline.training.release import check_name, release_onnx
from pipeline.training.run_log import speed
from pipeline.training.trainer import Trainer, learning_rate
from tests.drawn import write_dataset
from tests.mrcnn.matterport.file import random_file

BACKBONE = str(weights.FOLDER / "mobilenet_v2_oidv4.npz")
SMALL = {"image_size": 64, "canvas_sizes": (64,), "batch_size": 2, "steps": 4, "warmup_steps": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("train") / "train", count=3, negatives=2, side=64)


@pytest.mark.slow
def test_resumed_run_ends_with_the_same_weights(folder, tmp_path):
    dataset = CocoDataset(folder)
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    config = TrainConfig(**SMALL, checkpoint_steps=2)
    assert loop.train(config, [dataset], None, whole, resume=False)

    class Stop(Exception):
        pass

    class StopsAfterTwo(Trainer):
        def train_step(self, *batch):
            if self.step == 2:
                raise Stop
            return super().train_step(*batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "Trainer", StopsAfterTwo)
        with pytest.raises(Stop):
            loop.train(config, [dataset], None, halves, resume=False)
    assert loop.train(config, [dataset], None, halves, resume=True)

    with np.load(whole / "checkpoint.npz") as one, np.load(halves / "checkpoint.npz") as two:
        assert one["progress"][0] == 4
        assert set(one.files) == set(two.files)
        for name in one.files:
            np.testing.assert_allclose(one[name], two[name], rtol=1e-4, atol=1e-6, err_msg=name)
    rows = [list(csv.DictReader((run / "log.csv").open())) for run in (whole, halves)]
    assert [row["step"] for row in rows[1]] == ["1", "2", "3", "4"]
    for one, two in zip(*rows, strict=True):
        assert float(one["total"]) == pytest.approx(float(two["total"]), rel=1e-3)
    assert (whole / "best.npz").exists()
    assert any((whole / "tensorboard").iterdir())


@pytest.mark.slow
def test_interrupted_command_saves_and_says_how_to_go_on(folder, tmp_path):
    out = tmp_path / "run"
    command = [sys.executable, "-m", "pipeline", "train", "--data", str(folder), "--out", str(out)]
    command += [f"--set={key}={value}" for key, value in {**SMALL, "steps": 100000}.items()]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    log = out / "log.csv"
    deadline = time.monotonic() + 240
    while not (log.exists() and log.read_text().count("\n") > 2):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline, "no step within four minutes"
        time.sleep(0.2)
    os.kill(process.pid, signal.SIGTERM)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "go on with --resume" in errors
    assert "Traceback" not in errors
    with np.load(out / "checkpoint.npz") as checkpoint:
        assert checkpoint["progress"][0] >= 2
    again = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert again.returncode == 1
    assert "already holds a run" in again.stderr
    assert "Traceback" not in again.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "layer, what",
    [
        ("logits", "loss"),
        # Some CPUs' fused ReLU turns NaN into 0: then only the gradient tells.
        ("hidden", "(loss|norm of the gradient)"),
    ],
)
def test_a_loss_that_is_not_a_number_stops_the_run(folder, layer, what):
    dataset = CocoDataset(folder)
    config = TrainConfig(**SMALL)
    trainer = Trainer(initial_network(config, dataset.class_names), config)
    head = trainer.network.box_head
    kernel = {"logits": head.logits, "hidden": head.hidden[0]}[layer].kernel
    kernel.assign(np.full(kernel.shape, np.nan))
    images = np.zeros((1, 64, 64, 3), np.uint8)
    truth = {
        "boxes": np.array([[[8, 8, 40, 40]]], np.float32),
        "class_ids": np.array([[1]], np.int32),
        "masks": np.full((1, 1, 112, 112), 255, np.uint8),
        "known": np.array([[[0, 0, 64, 64]]], np.float32),
    }
    seeds = np.zeros((1, 2), np.int32)
    with pytest.raises(FloatingPointError, match=f"{what} is nan at step 0.*learning_rate=0.0001"):
        trainer.train_step(images, truth, seeds)
    assert trainer.step == 0


@pytest.mark.slow
def test_the_photos_of_a_step_that_is_not_a_number_are_named(folder, tmp_path):
    config = TrainConfig(**{**SMALL, "learning_rate": 1e30, "warmup_steps": 1})
    with pytest.raises(FloatingPointError, match=r"at step \d.*; the photos of this step: .*\d\.png") as error:
        loop.train(config, [CocoDataset(folder)], None, tmp_path / "run", resume=False)
    named = str(error.value).split("the photos of this step: ")[1].split(", ")
    assert len(named) == config.batch_size
    assert all((folder / name).is_file() for name in named)


@pytest.mark.slow
def test_a_run_goes_on_without_a_photo_that_cannot_be_read(tmp_path, capsys):
    folder = write_dataset(tmp_path / "train", count=3, negatives=0, side=64)
    (folder / "2.png").write_bytes(b"no photo")
    assert loop.train(TrainConfig(**SMALL), [CocoDataset(folder)], None, tmp_path / "run", resume=False)
    told = capsys.readouterr().err
    assert "left out: 2.png is not an image" in told
    assert "1 photos could not be read and were left out" in told


@pytest.mark.slow
def test_frozen_layers_keep_their_weights_and_others_do_not(folder):
    config = TrainConfig(**SMALL)
    network = initial_network(config, ("cat",))
    trainer = Trainer(network, config)
    names = {variable.path for variable in trainer.trained}
    assert not any(name.startswith(("Conv1/", "block_1_", "block_2_")) for name in names)
    assert any(name.startswith("block_16_") for name in names)
    assert len(trainer.trained) == len(network.trainable_variables) - 2 * len({"Conv1", "dw", "project"}) - 2 * 6
    everything = Trainer(network, dataclasses.replace(config, frozen="none")).trained
    assert len(everything) == len(network.trainable_variables)
    heads = {variable.path for variable in Trainer(network, dataclasses.replace(config, frozen="all")).trained}
    assert heads == {v.path for v in network.trainable_variables} - {v.path for v in network.backbone.weights}
    with pytest.raises(ValueError, match="'conv1'.*'stem'"):
        Trainer(network, dataclasses.replace(config, frozen="conv1"))


def test_learning_rate_warms_up_and_falls_to_zero():
    config = TrainConfig(steps=100, warmup_steps=10, learning_rate=1.0)
    rates = [learning_rate(config, step) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[10] == pytest.approx(1.0)
    assert rates[55] == pytest.approx(0.5)
    assert rates[100] == pytest.approx(0.0)
    assert rates == sorted(rates[:11]) + sorted(rates[11:], reverse=True)


def test_nothing_to_resume(folder, tmp_path):
    with pytest.raises(ValueError, match=r"nothing to resume.*checkpoint.npz"):
        loop.train(TrainConfig(**SMALL), [CocoDataset(folder)], None, tmp_path / "none", resume=True)


@pytest.mark.slow
def test_a_resumed_run_says_what_is_not_as_it_began(folder, pets, tmp_path, capsys):
    out, config = tmp_path / "run", TrainConfig(**{**SMALL, "steps": 1})
    assert loop.train(config, [CocoDataset(pets, classes=["dog"])], None, out, resume=False)
    assert "not as the run began" not in capsys.readouterr().err
    with pytest.raises(ValueError, match="for dog, not for cat"):
        loop.train(config, [CocoDataset(pets, classes=["cat"])], None, out, resume=True)

    dogs = CocoDataset(pets, classes=["dog"])
    assert loop.train(config, [dogs], None, out, resume=True)
    assert "not as the run began" not in capsys.readouterr().err
    changed = dataclasses.replace(config, canvas_sizes=(64, 96))
    assert loop.train(changed, [dogs], None, out, resume=True)
    said = capsys.readouterr().err
    assert "not as the run began: canvas_sizes from [64] to [64, 96]\n" in said

    (out / "checkpoint.npz").write_bytes((out / "checkpoint.npz").read_bytes()[:50_000])
    with pytest.raises(ValueError, match=r"checkpoint.npz is damaged"):
        loop.train(changed, [dogs], None, out, resume=True)


def test_validation_photos_without_an_instance_are_refused(folder, tmp_path):
    empty = CocoDataset(write_dataset(tmp_path / "empty", count=0, negatives=2, side=64))
    with pytest.raises(ValueError, match=r"no photo of .*empty.* cat.*--val"):
        loop.train(TrainConfig(**SMALL), [CocoDataset(folder)], empty, tmp_path / "run", resume=False)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_validation_photos_that_cannot_be_read_are_named_before_the_first_step(folder, tmp_path, capsys):
    val = write_dataset(tmp_path / "val", count=3, negatives=1, side=64)
    (val / "2.png").write_bytes(b"no photo")
    content = json.loads(val.with_suffix(".json").read_text())
    content["annotations"][-1]["segmentation"] = [[1, 2, 3]]  # of 3.png
    val.with_suffix(".json").write_text(json.dumps(content))
    assert loop.train(TrainConfig(**SMALL), [CocoDataset(folder)], CocoDataset(val), tmp_path / "run")
    before, _, _ = capsys.readouterr().err.partition("step 0 of 4")
    assert "left out: 2.png is not an image" in before
    assert "val.json: annotation 6 cannot be decoded" in before
    assert weights.read_card(tmp_path / "run/best.npz")["metrics"]["pictures"] == 2


@pytest.mark.slow
def test_a_damaged_photo_is_named(tmp_path):
    folder = write_dataset(tmp_path / "train", count=2, negatives=0, side=64)
    dataset = CocoDataset(folder)
    for photo in folder.iterdir():
        photo.write_bytes(photo.read_bytes()[:300])
    with pytest.raises(ValueError, match=r"^the training data .*[12].png .*damaged.*$"):
        loop.train(TrainConfig(**SMALL), [dataset], None, tmp_path / "run", resume=False)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("preset=liet", "preset is 'liet', expected one of lite"),
        ("steps=0", "steps is 0,"),
        ("batch_size=-2", "batch_size is -2,"),
        ("checkpoint_steps=0", "checkpoint_steps is 0,"),
        ("evaluate_steps=0", "evaluate_steps is 0,"),
        ("learning_rate=1e999", "learning_rate is inf,"),
        ("patience=-1", "patience is -1,"),
        ("negative_share=2", "negative_share is 2.0,"),
        ("image_size=5", "image_size is 5,"),
        ("canvas_sizes=()", "canvas_sizes is (),"),
        ("canvas_sizes=(100,)", "canvas_sizes is (100,),"),
        ("scale=(1.0,)", "scale is (1.0,),"),
        ("scale=(1.5, 0.5)", "scale is (1.5, 0.5),"),
        ("sampling_weights=('a', 'b')", "sampling_weights is ('a', 'b'),"),
    ],
)
def test_settings_that_cannot_be_are_refused_at_once(tmp_path, setting, words):
    with pytest.raises(ValueError) as error:
        command.main(parse("--data", tmp_path, "--out", tmp_path / "run", "--set", setting))
    assert words in str(error.value)


def test_every_recipe_has_settings_that_can_be():
    for path in FOLDER.glob("*.py"):
        if path.stem != "__init__":
            assert load_config(path.stem, []).steps > 0


def parse(*options):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args([str(option) for option in options])


@pytest.fixture(scope="module")
def pets(tmp_path_factory):
    """Photos of a cat and a dog each."""
    folder = write_dataset(tmp_path_factory.mktemp("pets") / "pets", count=3, negatives=0, side=64)
    path = folder.with_suffix(".json")
    content = json.loads(path.read_text())
    content["categories"] = [{"id": 7, "name": "cat"}, {"id": 9, "name": "dog"}]
    for number, row in enumerate(content["annotations"]):
        row["category_id"] = 9 if number % 2 else 7
    path.write_text(json.dumps(content))
    return folder


def test_classes_are_chosen_in_the_order_asked_for(pets):
    everything, dogs_first = CocoDataset(pets), CocoDataset(pets, classes=["dog", "cat"])
    dogs = CocoDataset(pets, classes=["dog"])
    assert everything.class_names == ("cat", "dog")
    assert (dogs_first.class_names, dogs_first.category_ids) == (("dog", "cat"), (9, 7))
    for image_id in everything.image_ids:
        assert everything.load_mask(image_id)[1].tolist() == [1, 2]
        assert dogs_first.load_mask(image_id)[1].tolist() == [2, 1]
        masks, class_ids = dogs.load_mask(image_id)
        assert class_ids.tolist() == [1]
        assert (masks[..., 0] == everything.load_mask(image_id)[0][..., 1]).all()
    assert dogs.count_instances() == {"dog": 3}
    assert {row["category_id"] for row in dogs.to_coco()["annotations"]} == {9}


@pytest.mark.slow
def test_a_trained_model_speaks_of_the_categories_of_its_data(pets, tmp_path):
    dataset = CocoDataset(pets)
    assert loop.train(TrainConfig(**SMALL), [dataset], None, tmp_path / "run", resume=False)
    model = MaskRCNN.from_pretrained(tmp_path / "run" / "best.npz", compiled=False)
    assert model.config.coco_category_ids == dataset.category_ids == (7, 9)
    assert model.detect(dataset.load_image(1), 0.0).category_ids == (7, 9)


@pytest.mark.parametrize(("name", "hint"), [("Dog", "near matches: dog"), ("teapot", "there are: cat, dog")])
def test_an_unknown_class_is_refused_with_near_matches(pets, name, hint):
    with pytest.raises(ValueError, match=f"has no class '{name}'; {hint}"):
        CocoDataset(pets, classes=[name])


@pytest.mark.slow
def test_one_class_from_a_whole_model_to_a_name_that_the_page_lists(pets, tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "FOLDER", tmp_path / "weights")
    config = TrainConfig(**SMALL)
    before = initial_network(dataclasses.replace(config, init=BACKBONE), ("cat",))
    before.set_weights([value + 0.01 for value in before.get_weights()])  # unlike any that are made anew
    weights.save(before, tmp_path / "before.npz", weights.card_of(before))
    settings = [f"--set={key}={value}" for key, value in {**SMALL, "learning_rate": 1e-9}.items()]
    val = shutil.copytree(pets, tmp_path / "val")
    shutil.copy(pets.with_suffix(".json"), val.with_suffix(".json"))
    options = ["--data", pets, "--val", val, "--class", "dog", "--init", tmp_path / "before", "--name", "my-dog"]
    line = [*options, "--out", tmp_path / "run", *settings]
    monkeypatch.setattr(sys, "argv", ["train", "train", *map(str, line)])
    assert command.main(parse(*line)) == 0

    assert weights.available() == ["cat", "my-dog", "pets"]
    network, card = weights.load_network("my-dog")
    assert network.config.class_names == ("dog",)
    for name, variable in weights.named_variables(network).items():
        # A new class begins as the mean of the known ones, of which there is one.
        expected = weights.named_variables(before)[name]
        np.testing.assert_allclose(variable, expected, rtol=2e-3, atol=1e-3, err_msg=name)
    assert card["data"] == [{"folder": pets.name, "photos": 3, "photos_without_instances": 0, "instances": {"dog": 3}}]
    text = (tmp_path / "weights" / "my-dog.md").read_text()
    for part in ("# my-dog", "for: dog", "3 dog", "--class dog", "`learning_rate=1e-09`", "| mask | ", "TODO"):
        assert part in text

    with pytest.raises(ValueError, match="already holds my-dog"):
        command.main(parse(*line))
    assert command.main(parse(*line, "--resume")) == 0, "the run that it came from may write it again"
    weights.save(before, weights.FOLDER / "my-dog.npz", weights.card_of(before))
    with pytest.raises(ValueError, match="already holds my-dog"):
        command.main(parse(*line, "--resume"))


def test_the_name_of_a_shipped_model_is_taken_in_an_installed_package_too(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "FOLDER", tmp_path)  # where a user's models go; the shipped ones lie elsewhere
    with pytest.raises(ValueError, match="already holds cat"):
        check_name("cat", tmp_path, resume=False)
    check_name("my-cat", tmp_path, resume=False)


@pytest.mark.slow
def test_a_release_brings_the_file_of_the_light_engine(tmp_path, chelsea):
    for ending in (".npz", ".json"):
        shutil.copy(weights.SHIPPED / f"cat{ending}", tmp_path / f"tom{ending}")
    (tmp_path / "photos").mkdir()
    Image.fromarray(chelsea).save(tmp_path / "photos" / "chelsea.png")
    content = {
        "images": [{"id": 1, "file_name": "chelsea.png", "height": 300, "width": 451}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 300, 300]}],
        "categories": [{"id": 1, "name": "cat"}],
    }
    (tmp_path / "photos.json").write_text(json.dumps(content))
    made = release_onnx(tmp_path / "tom.npz", CocoDataset(tmp_path / "photos"))
    assert made == tmp_path / "tom.onnx"
    assert MaskRCNN.from_pretrained(made, engine="onnx").class_names == ("cat",)


def test_a_name_that_is_a_path_is_refused(pets, tmp_path):
    with pytest.raises(ValueError, match=r"--name is '../dog'"):
        command.main(parse("--data", pets, "--out", tmp_path / "run", "--name", "../dog"))


def test_shared_classes_keep_their_outputs_and_new_ones_begin_with_the_mean(tmp_path, capsys):
    config = TrainConfig(**SMALL)
    before = initial_network(config, ("ant", "Cat"))
    random = np.random.default_rng(0)
    before.set_weights([random.normal(size=value.shape) for value in before.get_weights()])
    weights.save(before, tmp_path / "before.npz", weights.card_of(before))
    config = dataclasses.replace(config, init=str(tmp_path / "before.npz"))
    network = initial_network(config, ("cat", "dog"))
    assert "classes kept: cat; new: dog" in capsys.readouterr().err
    (old, new), (old_masks, new_masks) = (
        [np.asarray(getattr(model, head).logits.kernel) for model in (before, network)]
        for head in ("box_head", "mask_head")
    )
    assert new[:, [0, 1]] == pytest.approx(old[:, [0, 2]], rel=1e-3, abs=1e-3), "background and cat"
    assert new[:, 2] == pytest.approx(old[:, 1:].mean(axis=1), rel=1e-3, abs=1e-3), "dog"
    assert new_masks[..., 0] == pytest.approx(old_masks[..., 1], rel=1e-3, abs=1e-3)
    assert new_masks[..., 1] == pytest.approx(old_masks.mean(axis=-1), rel=1e-3, abs=1e-3)
    old, new = (np.asarray(model.box_head.deltas.kernel).reshape(-1, 3, 4) for model in (before, network))
    assert new[:, [0, 1]] == pytest.approx(old[:, [0, 2]], rel=1e-3, abs=1e-3)
    assert new[:, 2] == pytest.approx(old[:, 1:].mean(axis=1), rel=1e-3, abs=1e-3)


@pytest.mark.slow
def test_the_same_classes_keep_the_heads(tmp_path):
    config = TrainConfig(**SMALL)
    before = initial_network(config, ("cat", "dog"))
    before.mask_head.set_weights([value + 1 for value in before.mask_head.get_weights()])
    weights.save(before, tmp_path / "before.npz", weights.card_of(before))
    again = initial_network(dataclasses.replace(config, init=str(tmp_path / "before.npz")), ("cat", "dog"))
    for expected, got in zip(before.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-3, rtol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("include_top", [False, True])
def test_backbone_from_a_file_of_keras_applications(tmp_path, include_top):
    source = keras.applications.MobileNetV2(input_shape=(224, 224, 3), include_top=include_top, weights=None)
    random = np.random.default_rng(0)
    for layer in source.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 1.5, value.shape) for value in layer.get_weights()])
    path = tmp_path / "mobilenet_v2.h5"
    source.save(path)
    config = TrainConfig(**SMALL, init=str(path))
    expected = mobilenet_v2()
    fold_batch_norms(source, expected)
    got = initial_network(config, ("cat",)).backbone
    for one, other in zip(expected.get_weights(), got.get_weights(), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-6)


@pytest.mark.slow
def test_other_files_are_no_backbone(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none.h5 does not exist"):
        initial_network(TrainConfig(**SMALL, init=str(tmp_path / "none.h5")), ("cat",))
    path = tmp_path / "dense.h5"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]).save(path)
    with pytest.raises(ValueError, match=r"dense.h5 .*MobileNetV2"):
        initial_network(TrainConfig(**SMALL, init=str(path)), ("cat",))


@pytest.mark.slow
def test_imagenet_weights_without_a_network(folder, tmp_path):
    nowhere = {"KERAS_HOME": str(tmp_path), "https_proxy": "http://127.0.0.1:9"}  # no old download, nobody listens
    command = [sys.executable, "-m", "pipeline", "train", "--data", str(folder), "--out", str(tmp_path / "run")]
    result = subprocess.run(
        [*command, "--init", "imagenet"], env={**os.environ, **nowhere}, capture_output=True, text=True, timeout=600
    )
    assert result.returncode == 1
    last = result.stderr.strip().splitlines()[-1]
    assert "ImageNet weights cannot be downloaded" in last
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_run_stops_when_nothing_gets_better(folder, tmp_path, capsys):
    dataset, out = CocoDataset(folder), tmp_path / "run"
    config = TrainConfig(**{**SMALL, "steps": 50, "learning_rate": 1e-12}, evaluate_steps=1, patience=2)
    assert loop.train(config, [dataset], dataset, out, resume=False)
    assert "no better mask AP in 2 evaluations: stopped" in capsys.readouterr().err
    assert (out / "log.csv").read_text().count("\n") == 1 + 3
    assert loop.train(config, [dataset], dataset, out, resume=True), "and a resumed run knows that it is over"
    assert (out / "log.csv").read_text().count("\n") == 1 + 3


@pytest.mark.slow
def test_a_run_from_a_matterport_file_learns_its_new_class(folder, tmp_path):
    """A whole run: other classes than the file's, ResNet-50, to weights that the facade loads."""
    path, _ = random_file(4, 50)
    config = TrainConfig(**{**SMALL, "steps": 2}, init=str(path))
    dataset = CocoDataset(folder)
    assert loop.train(config, [dataset], dataset, tmp_path / "run", resume=False, choose_size=True)
    network, card = weights.load_network(str(tmp_path / "run" / "best.npz"))
    assert (card["config"]["preset"], card["config"]["class_names"]) == ("resnet50", ["cat"])
    assert list(card["sizes"]) == ["64", "128"]
    assert set(card["metrics"]["mask"]) >= {"AP", "AP50"}
    fresh = initial_network(config, dataset.class_names)
    before, after = (weights.named_variables(model) for model in (fresh, network))
    moved = {name for name in before if (np.float16(before[name]) != np.float16(after[name])).any()}
    assert not [name for name in moved if name.startswith(("backbone/conv1/", "backbone/res2"))]
    assert {"backbone/res5c_branch2c/kernel", "box_head/logits/kernel", "mask_head/logits/kernel"} <= moved
    assert len(MaskRCNN(network).segment(dataset.load_image(1), size=64).scores) <= 100


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".h5", ".npz"])
def test_a_size_that_the_network_cannot_read_is_refused_before_the_first_step(folder, tmp_path, ending):
    path, _ = random_file(4, 50)
    dataset = CocoDataset(folder)
    if ending == ".npz":
        before = initial_network(TrainConfig(**SMALL, init=str(path)), ("cat",))
        path = tmp_path / "before.npz"
        weights.save(before, path, weights.card_of(before))
    config = TrainConfig(**{**SMALL, "image_size": 96}, preset="resnet50", init=str(path))
    with pytest.raises(ValueError, match="image_size is 96, expected a multiple of 64 pixels"):
        loop.train(config, [dataset], dataset, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_settings_of_network_and_sampling_reach_the_run(folder, tmp_path):
    groups = {"network": {"anchor_scales": (2.0, 4.0), "post_nms_top_n": 50}, "sampling": {"anchors": 16, "boxes": 8}}
    config = TrainConfig(**{**SMALL, "steps": 1}, **groups)
    trainer = Trainer(initial_network(config, ("cat",)), config)
    assert (trainer.sampling.anchors, trainer.sampling.boxes, trainer.sampling.masks) == (16, 8, 8)
    assert loop.train(config, [CocoDataset(folder)], None, tmp_path / "run")
    network, card = weights.load_network(str(tmp_path / "run" / "best.npz"))
    assert network.config.anchor_scales == (2.0, 4.0)
    assert (network.config.post_nms_top_n, network.config.box_units) == (50, 256)
    assert card["training"]["sampling"] == {"anchors": 16, "boxes": 8}


def test_speed_in_words():
    assert speed([(0.5, 0.0), (1.5, 0.1)], 4) == "4.0 photos a second, 5.0% of the time waiting for data"
    assert speed([], 4) == "too few steps to tell the speed"
