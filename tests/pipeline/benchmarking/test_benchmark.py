"""The benchmark's counting, checking and judging; no test asks how fast this machine is."""

import os
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from mrcnn import Instances, MaskRCNN
from mrcnn.config import PRESETS, replace
from mrcnn.network import Network
from pipeline.benchmarking import peers, stages
from pipeline.benchmarking.photos import photos
from pipeline.benchmarking.processes import server_memory
from pipeline.benchmarking.report import describe, draw
from pipeline.benchmarking.targets import targets
from pipeline.commands import benchmark
from tests.pipeline.benchmarking import peer_examples


@pytest.fixture(scope="module")
def network():
    import keras

    keras.utils.set_random_seed(3)
    return Network(replace(PRESETS["lite"], image_size=96, pyramid_channels=16, post_nms_top_n=20, box_units=16))


@pytest.fixture(scope="module")
def subjects(tmp_path_factory):
    return photos(4, tmp_path_factory.mktemp("photos"))


def operation(function, *shapes):
    """The only counted operation in the graph of a function."""
    specs = [tf.TensorSpec(shape, tf.float32) for shape in shapes]
    graph = tf.function(function, input_signature=specs).get_concrete_function().graph
    types = ("Conv2D", "MatMul", "DepthwiseConv2dNative", "Conv2DBackpropInput")
    (found,) = [operation for operation in graph.get_operations() if operation.type in types]
    return found


@pytest.mark.parametrize(
    ("function", "shapes", "expected"),
    [
        # 4 x 5 places, 3 x 3 kernel, 2 channels in, 7 out
        (lambda x, k: tf.nn.conv2d(x, k, 1, "SAME"), [(1, 4, 5, 2), (3, 3, 2, 7)], 4 * 5 * 9 * 2 * 7),
        (lambda x, k: tf.nn.conv2d(x, k, 2, "SAME"), [(1, 4, 6, 2), (1, 1, 2, 7)], 2 * 3 * 2 * 7),
        (lambda x, k: tf.nn.depthwise_conv2d(x, k, [1] * 4, "SAME"), [(1, 4, 5, 2), (3, 3, 2, 1)], 4 * 5 * 9 * 2),
        (lambda x, k: tf.nn.conv2d_transpose(x, k, (1, 8, 10, 7), 2), [(1, 4, 5, 2), (2, 2, 7, 2)], 4 * 5 * 4 * 2 * 7),
        (lambda x, k: tf.matmul(x, k), [(3, 4), (4, 5)], 3 * 4 * 5),
        (lambda x, k: tf.matmul(x, k, transpose_b=True), [(3, 4), (5, 4)], 3 * 4 * 5),
    ],
)
def test_multiply_adds_are_counted_by_hand(function, shapes, expected):
    assert stages._multiply_adds_of(operation(function, *shapes)) == expected


def test_the_network_costs_more_for_larger_images(network):
    small, large = stages.multiply_adds(network, 64, 64), stages.multiply_adds(network, 128, 128)
    heads = 4 * small - large  # what does not grow with the image, three times
    assert small < large < 4 * small
    assert heads > 0


def test_photos_differ_and_hold_the_cat_where_they_say(subjects):
    assert len({photo.image.tobytes() for photo in subjects}) == len(subjects)
    for photo in subjects:
        assert photo.image.shape == (480, 640, 3)
        assert Image.open(photo.path).size == (640, 480)
        rows, columns = photo.face.T
        ground = np.array([112, 100, 92])
        assert (np.abs(photo.image[rows, columns].astype(int) - ground).sum(axis=1) > 10).all(), "fur, not ground"


def test_a_result_holds_the_cat_only_if_one_mask_covers_the_face(subjects):
    photo = subjects[0]
    rows, columns = photo.face.T
    mask = np.zeros((480, 640), bool)
    mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = True
    assert photo.is_held_by(Instances.from_masks(mask[None], [1]))
    assert not photo.is_held_by(Instances.empty((480, 640)))
    assert not photo.is_held_by(Instances.from_masks(np.ones((1, 480, 640), bool), [1])), "everything is no cat"
    halves = np.stack([mask, mask])
    halves[0, :, : columns.max()] = halves[1, :, columns.max() :] = False
    assert not photo.is_held_by(Instances.from_masks(halves, [1, 1]))


@pytest.mark.slow
def test_the_stages_give_what_segment_gives(network, subjects):
    times = []

    def watch(stage, function, *arguments):
        times.append(stage)
        return function(*arguments)

    found = stages.Stages(network).run(subjects[0].path, watch)
    expected = MaskRCNN(network).segment(subjects[0].path, stages.CONFIDENCE, stages.LIMIT)
    assert tuple(times) == stages.STAGES
    assert len(expected) > 0, "random scores lie around one half"
    np.testing.assert_allclose(found.boxes, expected.boxes, atol=1e-2)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-4)
    assert (found.masks == expected.masks).mean() > 0.999


def report(**changes):
    """A report of a machine on which everything takes 10 ms."""
    names = ["segment", "segment_batch of 8", "network", "3x3 convolution", peers.TORCHVISION, *stages.STAGES]
    ten = {"median": 10.0, "p10": 9.0, "p90": 12.0}
    made = {
        "milliseconds": dict.fromkeys(names, ten),
        "results_holding_the_cat": 1.0,
        "network_input": "384 x 288",
        "network_multiply_adds": 2_000_000_000,
        "multiply_adds_per_second": 400_000_000_000,
        "network_floor_ms": 5.0,
        "missing_peers": {peers.YOLO: "No module named 'ultralytics'"},
        "cold_start_seconds": {"command": 6.0, "imports": 5.0},
        "server_memory_gb": 1.5,
    }
    return {**made, **changes}


def test_targets_say_what_is_met_and_count_the_missing_as_unmet():
    rows = {row["name"]: row for row in targets(report())}
    assert rows[f"segment / {peers.TORCHVISION}"]["measured"] == 1
    assert not rows[f"segment / {peers.TORCHVISION}"]["met"]
    assert rows[f"segment / {peers.YOLO}"] == {
        "name": f"segment / {peers.YOLO}",
        "measured": None,
        "at_most": 0.7,
        "met": False,
    }
    assert rows["cold start, ONNX Runtime / the same"]["measured"] is None
    assert rows["network / its floor"]["met"], "10 ms of 5 ms"
    assert rows["pasting, drawing, encoding / whole"]["measured"] == pytest.approx(3 / 9)
    assert not rows["pasting, drawing, encoding / whole"]["met"]
    assert rows["throughput of batches / single"]["measured"] == 8
    assert not rows["throughput of batches / single, ONNX Runtime int8"]["met"]
    assert rows["cold start / importing TensorFlow, Keras"]["met"]
    assert not rows["GB of memory of the server"]["met"]
    assert rows["results that hold the cat"]["met"]
    rows = {row["name"]: row for row in targets(report(results_holding_the_cat=0.9))}
    assert not rows["results that hold the cat"]["met"]


def test_without_a_checkout_the_server_is_not_measured(monkeypatch):
    """An installed package has no tools/."""
    monkeypatch.setitem(sys.modules, "tools.app_process", None)
    assert server_memory("cat", []) is None
    text = describe(report(server_memory_gb=None))
    (row,) = [line for line in text.splitlines() if line.startswith("GB of memory")]
    assert "not measured" in row


def test_the_report_as_text_and_image(tmp_path):
    text = describe(report())
    assert "ultralytics" in text
    assert "2.00 G multiply-adds at 384 x 288" in text
    assert text.count("NOT MET") == 12
    draw(report()).savefig(tmp_path / "speed.png")
    assert np.asarray(Image.open(tmp_path / "speed.png").convert("L")).std() > 5


def test_peers_run_in_their_own_process_and_missing_ones_are_named(tmp_path):
    makers = {"sleeper": peer_examples.sleeper, "absent": peer_examples.absent}
    found, missing = peers.available_peers(tmp_path, makers)
    assert list(found) == ["sleeper"]
    assert missing == {"absent": "No module named 'no_such_engine'"}
    assert found["sleeper"].seconds(np.zeros((2, 2, 3), np.uint8)) >= 0.05, "its own time is reported"
    assert int((tmp_path / "process").read_text()) != os.getpid()
    found["sleeper"].close()


def test_no_repeats_are_refused():
    import argparse

    parser = argparse.ArgumentParser()
    benchmark.add_arguments(parser)
    with pytest.raises(ValueError, match="--repeats is 0"):
        benchmark.main(parser.parse_args(["--repeats", "0"]))
