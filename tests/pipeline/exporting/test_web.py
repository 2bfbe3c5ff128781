"""What the export writes around a model to make a page of it."""

import json
import re

import keras
import pytest

from mrcnn.config import PRESETS, replace
from mrcnn.network import Network
from mrcnn.results import drawing
from pipeline.exporting import onnx, web

pytest.importorskip("tf2onnx")
pytest.importorskip("onnxruntime")

pytestmark = pytest.mark.slow

CLASSES = ("cat", "box & <b>bag</b>", "fox")
CARD = {"metrics": {"mask": {"AP": 0.4321}}, "licence": "CC0-1.0"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The page of a small network with random weights and three classes."""
    try:
        web._runtime_archive()
    except (ValueError, OSError) as error:
        pytest.skip(str(error))
    keras.utils.set_random_seed(3)
    small = replace(PRESETS["lite"], class_names=CLASSES, image_size=64, pyramid_channels=16, box_units=16)
    network = Network(replace(small, mask_channels=16, pre_nms_top_n=40, post_nms_top_n=20))
    model = tmp_path_factory.mktemp("model") / "small.onnx"
    onnx.write(model, network)
    folder = tmp_path_factory.mktemp("web") / "site"
    web.write_site(folder, model.read_bytes(), network.config, CARD)
    return folder


def test_the_page_speaks_of_the_model(folder):
    page = (folder / "index.html").read_text()
    assert "<title>Every object, cut out</title>" in page and "box &amp; &lt;b&gt;bag&lt;/b&gt;" in page
    assert "mask AP 0.432" in page and "CC0-1.0" in page and "<b>bag" not in page
    site = json.loads((folder / "site.json").read_text())
    assert [(row["name"], row["plural"]) for row in site["classes"]][2] == ("fox", "foxes")
    assert [tuple(row["colour"]) for row in site["classes"]] == [drawing.class_colour(number) for number in (1, 2, 3)]
    assert site["input"]["size"] == 64 and site["mask_margin"] == PRESETS["lite"].mask_margin
    assert json.loads((folder / "model.json").read_text()) == CARD


def test_it_is_a_static_space_that_a_plain_push_takes(folder):
    front = (folder / "README.md").read_text().split("---")[1]
    assert "\nsdk: static\n" in front
    for header in ("embedder-policy: require-corp", "opener-policy: same-origin"):
        assert f"\n  cross-origin-{header}\n" in front
    assert max(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 10_000_000


def test_nothing_is_missing_and_nothing_comes_from_elsewhere(folder):
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    kept = json.loads(re.search(r"FILES = (\[.*\]);", (folder / "sw.js").read_text())[1])
    site = json.loads((folder / "site.json").read_text())
    assert {*kept} - {"./"} <= files and {*site["files"]} <= files
    asked_later = {"README.md", "sw.js", "onnxruntime/ThirdPartyNotices.txt"}
    assert files == {*kept} - {"./"} | {*site["files"]} | asked_later, "whatever there is works offline"
    for name in files:
        if name.endswith((".js", ".html", ".css")):
            text = (folder / name).read_text()
            assert not re.findall(r"https?://(?!www\.w3\.org)", text), name
            assert name.endswith(".js") or "$" not in text, "everything is filled in"
            for imported in re.findall(r'^(?:import|export) .*from "\./(.*)";', text, re.MULTILINE):
                assert imported in files


def test_another_archive_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(web.platformdirs, "user_cache_path", lambda name: tmp_path)
    (tmp_path / f"{web.RUNTIME}-{web.RUNTIME_VERSION}.tgz").write_bytes(b"something else")
    with pytest.raises(ValueError, match="its hash is another one"):
        web._runtime_archive()
