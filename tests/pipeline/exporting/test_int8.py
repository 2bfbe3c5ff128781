"""A file in 8 bits: what is quantized, what is refused, and what its card says."""

import json

import numpy as np
import pytest
from PIL import Image

from mrcnn import MaskRCNN, weights
from mrcnn.build import build_network
from mrcnn.config import PRESETS
from pipeline.commands.export import measure_into_card
from pipeline.exporting import int8
from pipeline.exporting.export import export, export_with_card
from tests.drawn import write_dataset


@pytest.fixture(scope="module")
def shipped():
    return weights.load_network("cat")


@pytest.fixture
def photos(tmp_path, chelsea):
    """A folder with more photos than are looked at, in a folder of their own, and a text beside them."""
    folder = tmp_path / "photos" / "day"
    folder.mkdir(parents=True)
    for number in range(int8.PHOTOS + 2):
        Image.fromarray(np.roll(chelsea, number, axis=1)).resize((96, 64)).save(folder / f"{number}.png")
    (folder.parent / "read.me").write_text("no photo")
    return folder.parent


def test_the_photos_are_the_same_each_time(photos, tmp_path):
    first, second = int8.calibration_photos(photos), int8.calibration_photos(photos)
    assert len(first) == int8.PHOTOS
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"empty holds no photos, of which 8 bits need some 64"):
        int8.calibration_photos(tmp_path / "empty")


def test_the_photos_are_those_of_the_annotations_where_there_are_any(tmp_path):
    folder = write_dataset(tmp_path / "toys", count=2, negatives=1, side=64)
    (folder / "masks").mkdir()
    for number in range(1, 4):
        Image.new("L", (64, 64)).save(folder / "masks" / f"{number}.png")
    photos = int8.calibration_photos(folder)
    assert sorted(photo.tobytes() for photo in photos) == sorted(
        np.asarray(Image.open(folder / f"{number}.png")).tobytes() for number in range(1, 4)
    )


@pytest.mark.slow
def test_the_file_agrees_and_its_card_claims_no_figures_of_others(shipped, chelsea, tmp_path):
    network, card = shipped
    path = tmp_path / "quick.int8.onnx"
    result = export_with_card(network, card, "onnx", path, chelsea, calibration=[chelsea, chelsea[:, ::-1]])
    assert result["detections"] == 1 and result["tolerances"] == int8.TOLERANCES
    written = json.loads((tmp_path / "quick.int8.onnx.json").read_text())
    assert "metrics" in card and "metrics" not in written and "everyday" not in written
    assert written["calibrated_on"] == 2
    found = MaskRCNN.from_pretrained(path).segment(chelsea)
    assert found.class_names == ["cat"] and found.scores[0] > 0.9
    operators = [node.op_type for node in int8.quantized(network, [chelsea]).graph.node]
    assert operators.count("QuantizeLinear") > 50


@pytest.mark.slow
def test_measuring_writes_the_figures_into_the_card(shipped, chelsea, tmp_path):
    network, card = shipped
    path = tmp_path / "quick.int8.onnx"
    export_with_card(network, card, "onnx", path, chelsea, calibration=[chelsea])
    write_dataset(tmp_path / "val", 2, 0)
    measure_into_card(path, tmp_path / "val")
    assert weights.read_card(path)["metrics"]["pictures"] == 2
    assert MaskRCNN.from_pretrained(path).card["metrics"]["pictures"] == 2


def test_only_lite_models_as_onnx(shipped, chelsea, tmp_path):
    with pytest.raises(ValueError, match="8 bits are for the format onnx, not for keras"):
        export(shipped[0], "keras", tmp_path / "a.keras", calibration=[chelsea])
    with pytest.raises(ValueError, match="8 bits are for the preset lite, not for resnet50"):
        int8.quantized(build_network(PRESETS["resnet50"]), [chelsea])
