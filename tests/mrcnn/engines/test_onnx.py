"""The light engine behind the facade: the same result as TensorFlow, without it, and plain words about other files."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from interface.model_card import short_card
from interface.session import Models
from mrcnn import MaskRCNN, engines, weights
from mrcnn.engines.onnx import OnnxEngine
from pipeline.exporting.check import TOLERANCES

pytest.importorskip("onnxruntime")

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "weights" / "cat.onnx"
INT8 = ROOT / "weights" / "cat.int8.onnx"

# Python gives up on an import whose module is None, and `find_spec` finds nothing.
WITHOUT_TENSORFLOW = "import sys; sys.modules.update(dict.fromkeys(['tensorflow', 'keras', 'matplotlib', 'onnx'])); "


def run_without_tensorflow(program, *arguments):
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW + program, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def light():
    return MaskRCNN.from_pretrained("cat", engine="onnx")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of its own with the shipped model as npz and as onnx."""
    for path in SHIPPED.parent.glob("cat.*"):
        shutil.copy(path, tmp_path)
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    monkeypatch.setattr(weights, "SHIPPED", tmp_path)
    return tmp_path


def test_the_shipped_file_belongs_to_the_shipped_weights():
    """After new weights: python -m pipeline export --weights cat --format onnx --out weights/cat.onnx"""
    card = json.loads((ROOT / "weights" / "cat.onnx.json").read_text())
    assert card["weights_sha256"] == hashlib.sha256(SHIPPED.with_suffix(".npz").read_bytes()).hexdigest()
    assert card["sha256"] == hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    found = card["compared_with_keras"]
    assert found["detections"] >= 1
    assert all(found[name] <= tolerance for name, tolerance in TOLERANCES.items())
    assert SHIPPED.stat().st_size < 10_000_000


def test_the_shipped_file_in_8_bits_has_figures_of_its_own():
    """After new weights: as above with --int8 DATA/train --val DATA/val --out weights/cat.int8.onnx"""
    card, whole = (json.loads(path.read_text()) for path in (Path(f"{INT8}.json"), ROOT / "weights" / "cat.json"))
    assert card["weights_sha256"] == hashlib.sha256(SHIPPED.with_suffix(".npz").read_bytes()).hexdigest()
    assert card["sha256"] == hashlib.sha256(INT8.read_bytes()).hexdigest()
    assert card["metrics"]["pictures"] == whole["metrics"]["pictures"]
    assert whole["metrics"]["mask"]["AP"] - 0.005 < card["metrics"]["mask"]["AP"] < whole["metrics"]["mask"]["AP"]
    assert INT8.stat().st_size < 0.7 * SHIPPED.stat().st_size


def test_in_8_bits_the_cat_is_nearly_the_same(model, chelsea):
    quick = MaskRCNN.from_pretrained("cat", engine="int8")
    found, expected = quick.segment(chelsea), model.segment(chelsea)
    assert found.class_names == expected.class_names == ["cat"]
    assert abs(found.scores[0] - expected.scores[0]) < 0.01
    both, either = (operation(found.masks[0], expected.masks[0]).sum() for operation in (np.logical_and, np.logical_or))
    assert 0.97 < both / either < 1
    for one, alone in zip(quick.segment_batch([chelsea, chelsea]), [found, found], strict=True):
        np.testing.assert_array_equal(one.masks, alone.masks)


def test_it_finds_the_same_in_a_batch(light, model, chelsea):
    """With an image of another shape, one without anything in it, and cats at the border, whose masks reach out."""
    cut = np.ascontiguousarray(chelsea[:, :240])
    images = [chelsea, np.zeros((90, 60, 3), np.uint8), np.ascontiguousarray(chelsea[:, ::-1]), cut, chelsea // 8]
    assert light.config == model.config
    counts = []
    for found, expected in zip(light.segment_batch(images, 0.05), model.segment_batch(images, 0.05), strict=True):
        assert found.class_names == expected.class_names
        np.testing.assert_allclose(found.scores, expected.scores, atol=1e-3)
        np.testing.assert_allclose(found.boxes, expected.boxes, atol=0.1)
        assert (found.masks == expected.masks).mean() > 0.999 if len(found) else not len(expected)
        counts.append(len(found))
    assert counts[0] and counts[2] and counts[3] and not counts[1]


def test_boxes_that_nearly_reach_the_end_of_the_photo_reach_it(light, model, chelsea):
    """And not that of the canvas, which goes on with filling."""
    canvas = light.letterbox(chelsea).canvas
    ((_, _, bottom, right),) = model.detect_canvases([(canvas, (0, 0, *canvas.shape[:2]))], 0.5)[0]["boxes"]
    window = (0, 0, float(bottom) + 2, float(right) + 2)
    for engine in (light, model):
        found = engine.detect_canvases([(canvas, window), (canvas, (0, 0, *canvas.shape[:2]))], 0.5)
        np.testing.assert_allclose([rows["boxes"][0, 2:] for rows in found], [window[2:], (bottom, right)], atol=0.1)


def test_it_runs_where_tensorflow_is_not_installed():
    done = run_without_tensorflow(
        "import skimage.data; from mrcnn import MaskRCNN;"
        "found = MaskRCNN.from_pretrained('cat').segment(skimage.data.chelsea());"
        "loaded = [name for name in sys.modules if name.startswith(('tensorflow', 'keras')) and sys.modules[name]];"
        "print(found.class_names, loaded)"
    )
    assert done.stdout.strip() == "['cat'] []", done.stderr


def test_naming_the_engine_does_not_load_tensorflow():
    program = (
        "import sys; import numpy as np; from mrcnn import MaskRCNN;"
        "MaskRCNN.from_pretrained('cat', engine='onnx').segment(np.zeros((64, 64, 3), np.uint8));"
        "assert not {'tensorflow', 'keras'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=300)


@pytest.mark.slow
def test_the_page_is_built_and_analyses_where_tensorflow_is_not_installed(tmp_path):
    done = run_without_tensorflow(
        "import skimage.data; from PIL import Image\n"
        "from interface.page import build_page; from interface.session import Models\n"
        "path = sys.argv[1]; Image.fromarray(skimage.data.chelsea()).save(path)\n"
        "models = Models(); build_page(models)\n"
        "print(models.names()[0], len(models.analyse('cat', path).detections.instances(0.5)))\n"
        "try: models.inspect('cat', path, 0.5)\n"
        "except ValueError as error: print(error)\n",
        tmp_path / "chelsea.png",
    )
    lines = done.stdout.splitlines()
    assert lines, done.stderr
    assert lines[0] == "cat 1"
    assert lines[1].startswith("Looking into the network, or saving it, needs TensorFlow and Keras")


def test_what_needs_tensorflow_says_so_where_it_is_missing():
    done = run_without_tensorflow(
        "from mrcnn import MaskRCNN\n"
        "for use in (lambda: MaskRCNN.from_pretrained('cat.npz'), lambda: MaskRCNN.from_matterport('a.h5'),\n"
        "            lambda: MaskRCNN.from_pretrained('cat', engine='tensorflow')):\n"
        "    try: use()\n"
        "    except ValueError as error: print(error)\n"
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 3 and all("needs TensorFlow and Keras, which are not installed" in line for line in lines)


def test_the_environment_chooses_and_an_argument_overrides_it(monkeypatch):
    assert engines.endings() == (".npz", ".onnx", ".int8.onnx")
    monkeypatch.setenv("MRCNN_ENGINE", "onnx")
    assert engines.endings() == (".onnx",)
    assert isinstance(MaskRCNN.from_pretrained("cat")._engine, OnnxEngine)
    assert engines.endings("tensorflow") == (".npz",)
    assert engines.endings("int8") == (".int8.onnx",)
    monkeypatch.setenv("MRCNN_ENGINE", "int8")
    assert Models().names() == ["cat"] and "calibrated_on" in MaskRCNN.from_pretrained("cat").card
    monkeypatch.setenv("MRCNN_ENGINE", "torch")
    with pytest.raises(ValueError, match="MRCNN_ENGINE is 'torch', expected one of tensorflow, onnx, int8"):
        MaskRCNN.from_pretrained("cat")
    with pytest.raises(ValueError, match="engine is 'torch'"):
        MaskRCNN.from_pretrained("cat", engine="torch")


def test_it_has_no_network_to_look_into_or_to_save(light, chelsea, tmp_path):
    for use in (lambda: light.network, lambda: light.inspect(chelsea), lambda: light.save(tmp_path / "a.npz")):
        with pytest.raises(ValueError, match="has no network to look into or to save.*MRCNN_ENGINE=tensorflow"):
            use()


def test_a_model_is_listed_once_whatever_its_files(folder, monkeypatch):
    assert weights.available() == Models().names() == ["cat"]
    assert weights.locate("cat", (".onnx",)) == weights.locate("cat.onnx", weights.RUNNABLE) == folder / "cat.onnx"
    assert weights.locate("cat", engines.endings()) == folder / "cat.npz"
    assert weights.locate("cat", engines.endings("int8")) == folder / "cat.int8.onnx"
    assert weights.beside(folder / "cat.int8.onnx", ".npz") == folder / "cat.npz"
    (folder / "cat.npz").unlink()
    assert short_card("cat").startswith("1 class: cat · mask AP 0.")
    with pytest.raises(ValueError, match=r"cat.onnx is there, but not as .npz"):
        weights.load_network("cat")
    monkeypatch.setenv("MRCNN_ENGINE", "tensorflow")
    assert Models().names() == []


def test_weights_of_the_users_hide_a_shipped_model_of_the_other_kind(folder, tmp_path_factory, monkeypatch):
    mine = tmp_path_factory.mktemp("mine")
    for name in ("cat.npz", "cat.json"):
        shutil.copy(folder / name, mine)
    monkeypatch.setattr(weights, "FOLDER", mine)
    with pytest.raises(ValueError, match=r"cat.npz is there, but not as .onnx: python -m pipeline export"):
        MaskRCNN.from_pretrained("cat", engine="onnx")


def test_a_file_of_other_weights_than_those_beside_it_is_refused(folder):
    card = json.loads((folder / "cat.json").read_text())
    (folder / "cat.json").write_text(json.dumps({**card, "sha256": "0" * 64}))
    with pytest.raises(ValueError, match="made of other weights than cat.npz beside it: export it anew"):
        MaskRCNN.from_pretrained("cat", engine="onnx")


def test_other_files_are_refused_in_one_sentence(tmp_path):
    damaged, card_path = tmp_path / "damaged.onnx", tmp_path / "damaged.onnx.json"
    damaged.write_bytes(SHIPPED.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"damaged.onnx.json does not say what .*damaged.onnx is .*: export it anew"):
        OnnxEngine(damaged)
    facts = json.loads(Path(f"{SHIPPED}.json").read_text())
    card_path.write_text(json.dumps(facts))
    with pytest.raises(ValueError, match="damaged.onnx is damaged: its SHA-256 is not the one in damaged.onnx.json"):
        OnnxEngine(damaged)
    del facts["sha256"]
    card_path.write_text(json.dumps(facts))
    with pytest.raises(ValueError, match="damaged.onnx is damaged or no ONNX file"):
        OnnxEngine(damaged)
    facts["config"]["preset"] = "resnet50"
    card_path.write_text(json.dumps(facts))
    with pytest.raises(ValueError, match="is of the preset resnet50; only lite models run from ONNX files here"):
        OnnxEngine(damaged)
