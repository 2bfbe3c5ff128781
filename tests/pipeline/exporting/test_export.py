"""Exported files of a small network find what the network finds; each is run in a process of its own."""

import json
import os
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest

from mrcnn.build import build_network
from mrcnn.config import PRESETS, replace
from mrcnn.network import Network
from pipeline.exporting.check import TOLERANCES, check, compare, in_new_process
from pipeline.exporting.export import FORMATS, export, export_with_card, file_size

SIZE, LIMIT = 64, 5


@pytest.fixture(scope="module")
def network():
    """The lite preset with random weights and heads of a few channels, for 64 pixels."""
    keras.utils.set_random_seed(3)
    small = replace(PRESETS["lite"], image_size=SIZE, pyramid_channels=16, box_units=16, mask_channels=16)
    return Network(replace(small, pre_nms_top_n=40, post_nms_top_n=20))


@pytest.fixture(scope="module")
def photo():
    return np.random.default_rng(1).integers(0, 256, (48, SIZE, 3), dtype=np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FORMATS)
def test_a_written_file_agrees_with_the_network(network, photo, tmp_path, kind):
    if kind == "web" and not shutil.which("npm"):
        pytest.skip("no npm, which fetches ONNX Runtime's files for the page")
    if kind in ("onnx", "web"):
        pytest.importorskip("tf2onnx")
        pytest.importorskip("onnxruntime")
    path = tmp_path / f"small{FORMATS[kind].ENDING}"
    export(network, kind, path, limit=LIMIT, photo=photo)
    result = check(network, kind, path, photo, limit=LIMIT)
    assert result["detections"] == LIMIT
    for name, tolerance in TOLERANCES.items():
        assert result[name] <= tolerance
    assert list(tmp_path.iterdir()) == [path], "nothing but the file is left"
    assert file_size(path) > 4_000_000, "two million weights in float32"
    if kind == "tflite":
        check_tflite(path)


def check_tflite(path):
    """Every shape is known beforehand, and all operations are built in."""
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(str(path))
    inputs, outputs = ({row["name"]: row for row in rows} for rows in (interpreter.get_input_details(), []))
    assert {tuple(row["shape_signature"]) for row in inputs.values()} == {(1, SIZE, SIZE, 3), ()}
    runner = interpreter.get_signature_runner("serving_default")
    outputs = {name: tuple(row["shape"]) for name, row in runner.get_output_details().items()}
    assert outputs == {
        "boxes": (1, LIMIT, 4),
        "scores": (1, LIMIT),
        "class_ids": (1, LIMIT),
        "masks": (1, LIMIT, 56, 56),
    }
    operations = {row["op_name"] for row in interpreter._get_ops_details()}
    assert not {name for name in operations if name.startswith("Flex") or name == "CUSTOM"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["keras", "saved_model", "onnx"])
def test_the_classic_presets_agree_too(tmp_path, photo, kind):
    small = replace(PRESETS["resnet50"], backbone_blocks=(1, 1, 1, 1), image_size=SIZE, image_min_size=0)
    small = replace(small, pyramid_channels=16, proposal_channels=16, box_units=16, mask_channels=16)
    keras.utils.set_random_seed(0)
    network = build_network(replace(small, class_names=("ant", "bee"), pre_nms_top_n=40, post_nms_top_n=20))
    network.box_head.logits.bias.assign([-9.0, 0.0, 0.0])  # without training, too: nothing is background
    path = tmp_path / f"small{FORMATS[kind].ENDING}"
    export(network, kind, path)
    assert check(network, kind, path, photo, limit=LIMIT)["detections"] > 1
    with pytest.raises(ValueError, match="tflite is for the preset lite, not for resnet50"):
        export(network, "tflite", tmp_path / "small.tflite")


@pytest.mark.slow
def test_padded_detections_are_those_of_detect_and_zeros_behind(network, photo):
    import tensorflow as tf

    images = tf.constant(np.stack([np.pad(photo, [(0, 16), (0, 0), (0, 0)])] * 2))
    threshold = float(network.detect(images[:1], 0.0, 3)["scores"][-1])
    found = network.detect(images, threshold, LIMIT)
    padded = network.detect_padded(images, threshold, LIMIT)
    count = int((padded["class_ids"][0] > 0).numpy().sum())
    assert 0 < count < LIMIT, "the threshold leaves some rows empty"
    assert padded["masks"].shape == (2, LIMIT, 56, 56)
    for name in ("boxes", "scores", "class_ids", "masks"):
        first = found["image_index"].numpy() == 0
        np.testing.assert_allclose(padded[name][0][:count], found[name].numpy()[first], atol=1e-5)
        assert not padded[name][:, count:].numpy().any()


def run_padded(path, batches):
    """What the signature `detect_padded` of a folder says of several batches; for a process of its own."""
    import tensorflow as tf

    serve = tf.saved_model.load(str(path)).signatures["detect_padded"]
    found = [serve(images=tf.constant(images), confidence=tf.constant(least)) for images, least in batches]
    return [{name: values.numpy() for name, values in each.items()} for each in found]


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["lite", "resnet50"])
def test_a_server_may_put_requests_together(network, photo, tmp_path, preset):
    """Each image of a batch of any size gets the rows that it gets alone, at the confidence of its own request."""
    if preset == "resnet50":
        small = replace(PRESETS[preset], backbone_blocks=(1, 1, 1, 1), image_size=SIZE, image_min_size=0)
        small = replace(small, pyramid_channels=16, proposal_channels=16, box_units=16, mask_channels=16)
        keras.utils.set_random_seed(0)
        network = build_network(replace(small, class_names=("ant", "bee"), pre_nms_top_n=40, post_nms_top_n=20))
        network.box_head.logits.bias.assign([-9.0, 0.0, 0.0])
    export(network, "saved_model", tmp_path / "small", limit=LIMIT)
    canvas = np.pad(photo, [(0, 16), (0, 0), (0, 0)])
    images = np.stack([canvas, canvas[::-1], canvas[:, ::-1], canvas // 2, np.zeros_like(canvas)])
    alone = [network.detect(image[None], 0.0, LIMIT) for image in images]
    # Between the scores of each image, so that some rows count and some do not.
    least = [float(np.mean(np.asarray(found["scores"])[1:3])) for found in alone[:4]] + [1.0]
    least = np.array(least, np.float32)[:, None]
    sizes = (slice(0, 1), slice(0, 5), slice(1, 3), slice(4, 5))
    batches = [(np.ascontiguousarray(images[part]), least[part]) for part in sizes]
    for part, found in zip(sizes, in_new_process(run_padded, tmp_path / "small", batches), strict=True):
        numbers = range(5)[part]
        assert found["boxes"].shape == (len(numbers), LIMIT, 4) and found["scores"].shape == (len(numbers), LIMIT)
        assert found["class_ids"].dtype == np.int32 and found["masks"].shape[:2] == (len(numbers), LIMIT)
        for row, number in enumerate(numbers):
            expected = network.detect(images[number][None], float(least[number, 0]), LIMIT)
            count = len(expected["scores"])
            assert (count == 0) == (number == 4)
            assert preset != "lite" or number == 4 or count == 2, "some rows are left out"
            for name in ("boxes", "scores", "class_ids", "masks"):
                np.testing.assert_allclose(found[name][row, :count], expected[name], atol=1e-3)
                assert not found[name][row, count:].any()


def rows(boxes, scores, class_ids=None):
    class_ids = np.ones(len(scores), np.int32) if class_ids is None else np.array(class_ids)
    masks = np.arange(len(scores), dtype=np.float32)[:, None, None] / 10 + np.zeros((2, 2), np.float32)
    return {"boxes": np.array(boxes, np.float32), "scores": np.array(scores), "class_ids": class_ids, "masks": masks}


def test_compare_reports_the_largest_differences():
    expected = rows([[0, 0, 10, 10], [5, 5, 9, 9]], [0.9, 0.8])
    found = rows([[0, 0, 10, 10.5], [5, 5, 9, 9]], [0.9, 0.7])
    result = compare(expected, found)
    assert result == {"boxes": 0.5, "scores": pytest.approx(0.1), "masks": 0.0}


def test_compare_gives_each_row_a_partner_of_its_own():
    twice = rows([[0, 0, 10, 10]] * 2, [0.9, 0.8])
    assert compare(twice, twice) == {"boxes": 0, "scores": 0, "masks": 0}
    assert compare(rows([[0, 0, 10, 10], [5, 5, 9, 9]], [0.9, 0.8]), twice)["boxes"] == 5


def test_compare_matches_rows_of_equal_score_in_any_order():
    expected = rows([[0, 0, 10, 10], [5, 5, 9, 9]], [0.8, 0.8])
    swapped = {name: values[::-1] for name, values in expected.items()}
    assert compare(expected, swapped) == {"boxes": 0, "scores": 0, "masks": 0}


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (rows([[0, 0, 10, 10]], [0.9]), "the file finds 1 objects, the Keras model 2"),
        (rows([[0, 0, 10, 10], [5, 5, 9, 9]], [0.9, 0.8], [1, 2]), "the file finds objects of other classes"),
    ],
)
def test_compare_refuses_other_objects(found, message):
    with pytest.raises(ValueError, match=message):
        compare(rows([[0, 0, 10, 10], [5, 5, 9, 9]], [0.9, 0.8]), found)


def test_compare_refuses_to_compare_nothing():
    empty = rows(np.zeros((0, 4)), [])
    with pytest.raises(ValueError, match="nothing to compare"):
        compare(empty, empty)


@pytest.mark.slow
def test_a_file_of_another_network_does_not_pass(network, photo, tmp_path):
    keras.utils.set_random_seed(4)
    export(Network(network.config), "keras", tmp_path / "other.keras")
    with pytest.raises(ValueError, match=r"differs from|the file finds"):
        check(network, "keras", tmp_path / "other.keras", photo, limit=LIMIT)


@pytest.mark.slow
def test_a_file_that_fails_its_check_leaves_what_was_there(network, photo, tmp_path, monkeypatch):
    kind = "keras"
    path = tmp_path / f"small{FORMATS[kind].ENDING}"
    export_with_card(network, {}, kind, path, photo, limit=LIMIT)
    files = [each for each in tmp_path.rglob("*") if each.is_file()]
    before = {each: each.read_bytes() for each in files}
    monkeypatch.setattr("pipeline.exporting.check.TOLERANCES", dict.fromkeys(TOLERANCES, -1.0))
    with pytest.raises(ValueError, match=f"the {kind} file differs from the Keras model"):
        export_with_card(network, {"step": 7}, kind, path, photo, limit=LIMIT)
    assert {each: each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()} == before
    with pytest.raises(ValueError, match="differs from"):
        export_with_card(network, {}, kind, tmp_path / f"new{FORMATS[kind].ENDING}", photo, limit=LIMIT)
    assert {each: each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()} == before


@pytest.mark.parametrize(
    ("kind", "name", "options", "message"),
    [
        ("coreml", "a.mlmodel", {}, "format is 'coreml'.*keras"),
        ("onnx", "a.tflite", {}, "must end in .onnx"),
        ("tflite", "a.tflite", {"size": 100}, "size 100 .*multiple of 32"),
        ("tflite", "a.tflite", {"limit": 0}, "limit 0"),
    ],
)
def test_bad_arguments_are_refused(network, tmp_path, kind, name, options, message):
    with pytest.raises(ValueError, match=message):
        export(network, kind, tmp_path / name, **options)


def test_a_folder_of_something_else_is_left_alone(network, tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(ValueError, match="holds something else"):
        export(network, "saved_model", tmp_path / "photos")


def test_a_process_that_dies_is_said_in_a_sentence():
    with pytest.raises(OSError, match="process .* died"):
        in_new_process(os._exit, 1)


@pytest.mark.slow
def test_the_command_writes_checks_and_says_so(network, tmp_path):
    from mrcnn import weights

    weights.save(network, tmp_path / "small.npz", weights.card_of(network))
    out = tmp_path / "small.keras"
    command = [sys.executable, "-m", "pipeline", "export", "--weights", str(tmp_path / "small.npz")]
    run = subprocess.run(
        [*command, "--format", "keras", "--out", str(out)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "detections agree" in run.stdout
    assert "tolerance 0.001" in run.stdout
    facts = json.loads((tmp_path / "small.keras.json").read_text())
    assert facts["class_names"] == ["cat"]
    assert facts["compared_with_keras"]["boxes"] <= TOLERANCES["boxes"]
    run = subprocess.run([*command, "--format", "onnx", "--out", str(out)], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "must end in .onnx" in run.stderr
    assert "Traceback" not in run.stderr
