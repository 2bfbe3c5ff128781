"""Files of matterport's Mask_RCNN become models of this project; the published one can be fetched."""

import functools
import hashlib
import http.server
import json
import socket
import threading

import numpy as np
import pytest

from mrcnn import MaskRCNN, weights
from pipeline import __main__ as command
from pipeline.exporting.download_coco import download
from pipeline.exporting.import_matterport import import_file
from tests.mrcnn.matterport.file import random_file


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    return tmp_path


@pytest.mark.slow
def test_imported_model_finds_what_the_file_finds(folder, monkeypatch, capsys, chelsea):
    path, _ = random_file(4, 50)
    names = "cat,dog,sea horse"
    arguments = ["pipeline", "import-matterport", str(path), "--name", "zoo", "--classes", names, "--size", "128"]
    monkeypatch.setattr("sys.argv", arguments)
    assert command.main() == 0
    assert f"{folder / 'zoo.npz'}: 89 MB" in capsys.readouterr().err
    assert weights.available() == ["cat", "pets", "zoo"]
    card = json.loads((folder / "zoo.json").read_text())
    assert card["origin"].startswith(path.name)
    assert card["config"]["preset"] == "resnet50"

    imported = MaskRCNN.from_pretrained("zoo").segment(chelsea, confidence=0.8, limit=10)
    original = MaskRCNN.from_matterport(path, image_max_dim=128).segment(chelsea, confidence=0.8, limit=10)
    assert imported.class_names[0] in names.split(",")
    # float16 has three digits; a few detections of a random network hang on less.
    near = np.abs(imported.boxes[:, None] - original.boxes).max(axis=-1) <= 5
    same = imported.class_ids[:, None] == original.class_ids
    assert (near & same).any(axis=0).mean() > 0.7


@pytest.mark.parametrize("name", ["Big Zoo", "../zoo", "", "-x"])
def test_names_that_are_no_file_names_are_refused(folder, name):
    with pytest.raises(ValueError, match="expected lower-case letters"):
        import_file("any.h5", name)


def test_a_trained_model_is_not_overwritten(folder):
    (folder / "cat.npz").write_bytes(b"weights")
    (folder / "cat.json").write_text('{"config": {}}')
    with pytest.raises(ValueError, match="was not imported: give another --name"):
        import_file("any.h5", "cat")
    assert (folder / "cat.npz").read_bytes() == b"weights"


def test_a_missing_file_is_one_sentence(folder, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["pipeline", "import-matterport", "none.h5", "--name", "zoo"])
    assert command.main() == 1
    (sentence,) = capsys.readouterr().err.splitlines()
    assert "import-matterport: " in sentence
    assert "none.h5" in sentence


CONTENT = bytes(range(256)) * 1000
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def server(tmp_path):
    """A web server on this machine with one file."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "weights.h5").write_bytes(CONTENT)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "site"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}/weights.h5"
        served.shutdown()


def test_download_is_complete_and_not_repeated(server, tmp_path):
    path = tmp_path / "new" / "weights.h5"
    download(path, server, MD5, progress=False)
    assert path.read_bytes() == CONTENT
    download(path, "http://127.0.0.1:1/nowhere", MD5, progress=False)


def test_a_wrong_file_is_refused_and_one_that_was_there_is_kept(server, tmp_path):
    path = tmp_path / "weights.h5"
    with pytest.raises(ValueError, match="came from there .* not the published file"):
        download(path, server, "0" * 32, progress=False)
    assert not path.exists()
    path.write_bytes(b"something of mine")
    with pytest.raises(ValueError, match="there already .* not the published file"):
        download(path, server, MD5, progress=False)
    assert path.read_bytes() == b"something of mine"


def test_without_a_network_there_is_one_sentence(tmp_path, monkeypatch, capsys):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    out = tmp_path / "weights.h5"
    url = f"http://127.0.0.1:{port}/weights.h5"
    monkeypatch.setattr("sys.argv", ["pipeline", "download-coco", "--out", str(out), "--url", url])
    assert command.main() == 1
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert f"weights.h5 could not be downloaded from 127.0.0.1:{port}" in message
