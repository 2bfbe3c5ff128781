"""The exported network behind the facade: the same result as the Keras one, and plain words about other files."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from interface.model_card import short_card
from mrcnn import MaskRCNN, weights
from mrcnn.engines.onnx import OnnxEngine

pytestmark = pytest.mark.slow

pytest.importorskip("tf2onnx")
pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The shipped model as an ONNX file, written by the command."""
    path = tmp_path_factory.mktemp("onnx") / "cat.onnx"
    command = [sys.executable, "-m", "pipeline", "export", "--weights", "cat", "--format", "onnx", "--out", str(path)]
    subprocess.run(command, check=True, cwd=weights.FOLDER.parent)
    return path


def test_the_exported_model_finds_the_same(exported, model, chelsea):
    """In a batch, with an image of another shape and one without anything in it."""
    images = [chelsea, np.zeros((90, 60, 3), np.uint8), np.ascontiguousarray(chelsea[:, ::-1])]
    other = MaskRCNN.from_pretrained(exported)
    assert other.config == model.config
    results = zip(other.segment_batch(images, 0.05), model.segment_batch(images, 0.05), strict=True)
    counts = []
    for found, expected in results:
        assert found.class_names == expected.class_names
        np.testing.assert_allclose(found.scores, expected.scores, atol=1e-3)
        np.testing.assert_allclose(found.boxes, expected.boxes, atol=0.1)
        assert (found.masks == expected.masks).mean() > 0.999 if len(found) else not len(expected)
        counts.append(len(found))
    assert counts[0] and counts[2] and not counts[1]


def test_it_has_no_network_to_look_into_or_to_save(exported, chelsea, tmp_path):
    model = MaskRCNN.from_pretrained(exported)
    for use in (lambda: model.network, lambda: model.inspect(chelsea), lambda: model.save(tmp_path / "a.npz")):
        with pytest.raises(ValueError, match="exported model.*npz"):
            use()


def test_it_runs_without_tensorflow(exported):
    program = (
        "import sys; import numpy as np; from mrcnn import MaskRCNN;"
        "MaskRCNN.from_pretrained(sys.argv[1]).segment(np.zeros((64, 64, 3), np.uint8));"
        "assert not {'tensorflow', 'keras'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program, str(exported)], check=True, timeout=300)


def test_it_is_listed_and_found_by_name(exported, tmp_path, monkeypatch):
    for path in (exported, f"{exported}.json"):
        shutil.copy(path, tmp_path)
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    assert weights.available() == ["cat", "cat.onnx"]
    assert weights.locate("cat.onnx", weights.RUNNABLE) == tmp_path / "cat.onnx"
    assert short_card("cat.onnx").startswith("1 class: cat · mask AP 0.")
    with pytest.raises(ValueError, match=r"no weights 'cat.onnx': give the path of an .npz file"):
        weights.load_network("cat.onnx")


def test_other_files_are_refused_in_one_sentence(exported, tmp_path):
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(exported.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"damaged.onnx.json does not say what .*damaged.onnx is .*: export it anew"):
        OnnxEngine(damaged)
    facts = json.loads((exported.parent / "cat.onnx.json").read_text())
    facts_path = tmp_path / "damaged.onnx.json"
    facts_path.write_text(json.dumps(facts))
    with pytest.raises(ValueError, match="damaged.onnx is damaged or no ONNX file"):
        OnnxEngine(damaged)
    facts["config"]["preset"] = "resnet50"
    facts_path.write_text(json.dumps(facts))
    with pytest.raises(ValueError, match="is of the preset resnet50; only lite models run from ONNX files here"):
        OnnxEngine(damaged)
