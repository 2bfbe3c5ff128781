"""Several devices and several machines train to what one device does."""

import csv
import json
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.training import devices
from pipeline.training.config import TrainConfig
from pipeline.training.trainer import Trainer
from tests.drawn import write_dataset
from tests.pipeline.training.device_run import CONFIG

ADDRESSES = ["127.0.0.1:7881", "127.0.0.1:7882"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("devices") / "train", count=6, negatives=2, side=64)


@pytest.fixture(scope="module")
def alone(folder, tmp_path_factory):
    """The run of one device."""
    out = tmp_path_factory.mktemp("alone") / "run"
    code, errors = finish(start(folder, out))
    assert code == 0, errors
    return out


def start(folder, out, *options, task=None):
    """Starts `device_run`, as machine number `task` if it is given."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    if task is not None:
        config = {"cluster": {"worker": ADDRESSES}, "task": {"type": "worker", "index": task}}
        environment["TF_CONFIG"] = json.dumps(config)
    command = [sys.executable, "-m", "tests.pipeline.training.device_run", str(folder), str(out), *options]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def finish(process):
    """The exit code and what was written to stderr."""
    try:
        _, errors = process.communicate(timeout=1800)
    finally:
        process.kill()
    return process.returncode, errors


def assert_same_run(one, two):
    """Losses and every number of the checkpoint agree within rounding."""
    logs = [list(csv.DictReader((out / "log.csv").open())) for out in (one, two)]
    assert [[row["step"] for row in log] for log in logs] == [["1", "2", "3", "4"]] * 2
    for row, other in zip(*logs, strict=True):
        for name in ("objectness", "anchor_box", "class", "box", "mask", "total", "gradient_norm"):
            assert float(other[name]) == pytest.approx(float(row[name]), rel=1e-3, abs=1e-5), (row["step"], name)
    with np.load(one / "checkpoint.npz") as expected, np.load(two / "checkpoint.npz") as got:
        assert expected.files == got.files
        for name in expected.files:
            # Adam's moments are what the gradients were; the weights may differ by a small part of one step.
            scale = np.abs(expected[name]).max() if name.startswith("optimizer") else CONFIG.learning_rate
            np.testing.assert_allclose(got[name], expected[name], rtol=1e-3, atol=0.05 * scale, err_msg=name)


@pytest.mark.slow
def test_one_device_that_is_killed_in_between_ends_with_the_same(folder, alone, tmp_path):
    out = tmp_path / "run"
    assert finish(start(folder, out, "--kill", "step"))[0] == -9
    code, errors = finish(start(folder, out, "--resume"))
    assert code == 0, errors
    assert_same_run(alone, out)


@pytest.mark.slow
def test_a_run_that_is_killed_in_its_evaluation_does_it_again(folder, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert finish(start(folder, whole, "--evaluate"))[0] == 0
    assert finish(start(folder, killed, "--evaluate", "--kill", "evaluation"))[0] == -9
    code, errors = finish(start(folder, killed, "--evaluate", "--resume"))
    assert code == 0, errors
    assert_same_run(whole, killed)
    figures = [list(csv.DictReader((out / "evaluations.csv").open())) for out in (whole, killed)]
    assert [row["step"] for row in figures[1]] == ["4"]
    assert figures[0][0].keys() == figures[1][0].keys()
    with np.load(whole / "best.npz") as expected, np.load(killed / "best.npz") as got:
        assert expected.files == got.files
        for name in set(expected.files) - {"card"}:  # it holds times
            np.testing.assert_allclose(got[name], expected[name], rtol=1e-2, atol=1e-3, err_msg=name)


@pytest.mark.slow
def test_two_devices_do_as_one(folder, alone, tmp_path):
    code, errors = finish(start(folder, tmp_path / "run", "--devices", "2"))
    assert code == 0, errors
    assert "4 photos each on 2 devices" in errors
    assert_same_run(alone, tmp_path / "run")


@pytest.mark.slow
def test_two_machines_do_as_one_even_if_one_is_killed_in_between(folder, alone, tmp_path):
    out = tmp_path / "run"
    first, second = start(folder, out, task=0), start(folder, out, "--kill", "step", task=1)
    assert finish(second)[0] == -9
    killed = time.monotonic()
    code, errors = finish(first)
    assert code == 1, errors
    assert "a machine was lost at step 2" in errors
    assert "--resume" in errors
    assert "Traceback" not in errors
    assert time.monotonic() - killed < 300
    with np.load(out / "checkpoint.npz") as checkpoint:
        assert checkpoint["progress"][0] == 2

    processes = [start(folder, out, "--resume", task=task) for task in (0, 1)]
    for process in processes:
        code, errors = finish(process)
        assert code == 0, errors
    assert_same_run(alone, out)


def test_a_batch_that_cannot_be_split_is_refused():
    with pytest.raises(ValueError, match="batch_size is 4.* 3 devices"):
        Trainer(None, TrainConfig(batch_size=4), SimpleNamespace(num_replicas_in_sync=3))


def test_one_device_needs_no_strategy():
    import tensorflow as tf

    strategy = devices.find_strategy()
    if len(tf.config.list_logical_devices("GPU")) < 2:
        assert strategy is tf.distribute.get_strategy()
        assert devices.worker(strategy) == (0, 1)
        assert devices.from_first(strategy, 3) == 3
        assert devices.is_first()


def test_the_first_machine_is_the_one_that_writes(monkeypatch):
    for index in (0, 1):
        config = {"cluster": {"worker": ADDRESSES}, "task": {"type": "worker", "index": index}}
        monkeypatch.setenv("TF_CONFIG", json.dumps(config))
        assert devices.is_first() == (index == 0)


@pytest.mark.parametrize(
    "text",
    [
        "here",
        "{}",
        '{"cluster": {"worker": []}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
    ],
)
def test_a_wrong_cluster_is_refused(text, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match=r"TF_CONFIG is .* expected the form"):
        devices.find_strategy()
