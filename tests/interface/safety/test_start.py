"""What is wrong at the start is said in one sentence."""

import json
import os
import shutil
import socket
import subprocess
import sys

import pytest

from mrcnn import weights
from tools.app_process import ROOT


def start(**environment):
    """Starts the page, which must fail, and gives what it says."""
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", **environment}
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("port", ["²", "0", "65536", "-1", "x", "７８６０", "7860 7861", "1e3"])
def test_ports_that_are_none(port):
    assert start(PORT=port) == f'PORT must be a number from 1 to 65535, but is "{port}".'


def test_a_folder_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("")
    words = start(GRADIO_TEMP_DIR=str(tmp_path / "file"))
    assert words.startswith("The page needs a folder that it can write to")


@pytest.mark.slow
def test_no_model(tmp_path):
    assert start(MRCNN_WEIGHTS=str(tmp_path)).startswith("There is no model")


@pytest.mark.slow
def test_damaged_weights(tmp_path):
    for ending in (".npz", ".json", ".md"):
        shutil.copy(weights.locate("cat").with_suffix(ending), tmp_path)
    content = bytearray((tmp_path / "cat.npz").read_bytes())
    content[1000] ^= 1
    (tmp_path / "cat.npz").write_bytes(content)
    assert "cat.npz is damaged" in start(MRCNN_WEIGHTS=str(tmp_path))


@pytest.mark.slow
def test_a_card_that_does_not_fit(tmp_path):
    for ending in (".npz", ".json", ".md"):
        shutil.copy(weights.locate("cat").with_suffix(ending), tmp_path)
    card = json.loads((tmp_path / "cat.json").read_text())
    card["config"]["no such field"] = 1
    (tmp_path / "cat.json").write_text(json.dumps(card))
    assert "no such field" in start(MRCNN_WEIGHTS=str(tmp_path))


@pytest.mark.slow
def test_a_broken_card(tmp_path):
    """A warning names it (`tests/mrcnn/test_weights.py`); and if no other model is there, that is said."""
    shutil.copy(weights.locate("cat"), tmp_path)
    (tmp_path / "cat.json").write_text("{")
    assert start(MRCNN_WEIGHTS=str(tmp_path), MRCNN_ENGINE="tensorflow").startswith("There is no model")


@pytest.mark.slow
def test_weights_that_were_cut_short(tmp_path):
    """Of which no checksum is known."""
    (tmp_path / "cat.npz").write_bytes(weights.locate("cat").read_bytes()[:-100_000])
    card = json.loads(weights.locate("cat").with_suffix(".json").read_text())
    del card["sha256"]
    (tmp_path / "cat.json").write_text(json.dumps(card))
    assert "cat.npz" in start(MRCNN_WEIGHTS=str(tmp_path), MRCNN_ENGINE="tensorflow")


@pytest.mark.slow
def test_an_exported_graph_that_is_damaged(tmp_path):
    for ending in (".onnx", ".onnx.json"):
        shutil.copy(weights.FOLDER / f"cat{ending}", tmp_path)
    content = bytearray((tmp_path / "cat.onnx").read_bytes())
    content[1000] ^= 1
    (tmp_path / "cat.onnx").write_bytes(content)
    assert "cat.onnx is damaged" in start(MRCNN_WEIGHTS=str(tmp_path), MRCNN_ENGINE="onnx")


@pytest.mark.slow
def test_an_engine_that_there_is_not():
    assert "MRCNN_ENGINE" in start(MRCNN_ENGINE="torch")


def test_a_package_that_is_missing(tmp_path):
    """For the MCP server; the same words are said of Gradio."""
    hide = (
        "import sys, importlib.util as u; f = u.find_spec; u.find_spec = lambda n, *a: n != 'mcp' and f(n, *a) or None;"
    )
    code = f"{hide} from interface.server import main; main()"
    environment = {**os.environ, "GRADIO_MCP_SERVER": "True"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (
        done.returncode == 1
        and done.stderr.strip() == 'The MCP server needs one more package: pip install "gradio[mcp]"'
    )


@pytest.mark.slow
def test_a_port_in_use():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert start(PORT=str(port)).startswith(f"Port {port} is in use; choose another one")
