"""What goes wrong while the page runs ends in a sentence, and the page goes on or ends in order."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from skimage import data

from mrcnn import weights
from tools.app_process import ROOT, running_app
from tools.visitor import Visitor, words

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """A page of its own with two models, and the folders that its tests break."""
    folder = tmp_path_factory.mktemp("faulty")
    models, kept = folder / "weights", folder / "kept"
    models.mkdir()
    kept.mkdir()
    for path in weights.FOLDER.glob("cat.*"):
        shutil.copy(path, models)
        shutil.copy(path, models / path.name.replace("cat", "other", 1))
    with running_app(MRCNN_WEIGHTS=str(models), GRADIO_TEMP_DIR=str(kept)) as app:
        yield Visitor(app.address), models, kept, app


@pytest.fixture
def webp(tmp_path):
    path = tmp_path / "a.webp"
    Image.fromarray(data.chelsea()).save(path)
    return path


def children(process_id):
    """The processes below a process, all of them."""
    found = []
    for task in Path(f"/proc/{process_id}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *children(child)]
    return found


def test_the_processes_that_decode_may_be_killed(faulty, webp):
    visitor, _, _, app = faulty
    assert "Found 1 cat" in words(visitor.send("photo", visitor.file(webp, "a.webp")))
    for child in children(app.process_id):
        os.kill(child, signal.SIGKILL)
    for _ in range(2):
        assert "Found 1 cat" in words(visitor.send("photo", visitor.file(webp, "a.webp")))


def test_a_model_that_is_deleted_is_said(faulty, webp):
    visitor, models, _, _ = faulty
    for path in models.glob("other.*"):
        path.unlink()
    photo = visitor.file(webp, "a.webp")
    answer = visitor.send("api", photo, model="other")
    assert not answer["success"] and answer["output"]["error"] == 'There is no model "other", only: cat.'
    assert visitor.send("api", photo)["success"]


def test_a_photo_that_is_deleted_is_said(faulty, webp):
    visitor, _, _, _ = faulty
    photo = visitor.file(webp, "a.webp")
    os.unlink(photo["path"])
    for door in ("photo", "inside", "api", "files"):
        said = words(visitor.send(door, [photo] if door == "files" else photo))
        assert "The photo is no longer kept here: please choose it again." in said and photo["path"] not in said


def test_a_folder_of_uploads_that_is_deleted_comes_back(faulty, webp):
    visitor, _, kept, _ = faulty
    for path in kept.iterdir():
        shutil.rmtree(path)
    assert "Found 1 cat" in words(visitor.send("photo", visitor.file(webp, "a.webp")))


def test_clients_that_leave_in_the_middle_leave_nothing_behind(faulty, webp):
    visitor, _, _, app = faulty
    number, values = visitor.event("api", visitor.file(webp, "a.webp"))
    for _ in range(5):
        other = Visitor(app.address)
        assert other.begin(number, values).status_code == 200
        other.http.close()
    assert visitor.send("api", visitor.file(webp, "a.webp"))["success"]
    assert visitor.http.get("/healthz").json() == {"status": "ready"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("ready", [False, True])
def test_it_may_be_ended_at_any_time(tmp_path, number, ready):
    """While it loads its model, and while it serves: quickly, quietly, and without leaving its folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "PORT": str(port), "PYTHONUNBUFFERED": "1", "GRADIO_TEMP_DIR": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 300
    if ready:
        while not process.stdout.readline().startswith("Ready:"):
            assert process.poll() is None and time.monotonic() < deadline
    else:
        while not list(tmp_path.iterdir()):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
    process.send_signal(number)
    said, _ = process.communicate(timeout=60)
    assert "Traceback" not in said
    assert not list(tmp_path.iterdir())
    assert process.returncode in (0, -number, 128 + number)
