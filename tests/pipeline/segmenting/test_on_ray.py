"""The same rows from a Ray cluster of two nodes, of which an actor and a whole node are killed in the middle.

SEGMENT_PHOTOS=2000 python -m pytest tests/pipeline/segmenting/test_on_ray.py      # the proof of docs/scale.md
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.pipeline.segmenting.photos import write_photos
from tests.pipeline.segmenting.test_segment import rows_in

pytest.importorskip("ray", reason="Ray is not installed: pip install .[scale]")
ROOT = Path(__file__).resolve().parents[3]
PHOTOS = int(os.environ.get("SEGMENT_PHOTOS", 60))
SHARD = max(5, PHOTOS // 20)
SECONDS = 600 + PHOTOS


@pytest.fixture
def cluster(monkeypatch):
    """A cluster of two nodes with one core each, on loopback."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_worker_niceness", "0")  # at Ray's own 15, a busy machine would never come to them
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": 100_000_000})
    cluster.add_node(num_cpus=1, object_store_memory=100_000_000)
    yield cluster
    cluster.shutdown()


def start(photos, out, *options):
    line = [sys.executable, "-m", "pipeline", "segment", "--data", photos, "--out", out, "--engine", "onnx"]
    options = ["--shard-size", SHARD, "--threads", 1, *options]
    return subprocess.Popen(
        [*map(str, line), *map(str, options)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for(process, out, shards):
    deadline = time.monotonic() + SECONDS
    while len(list(out.glob("finished/*.json"))) < shards:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def actors_of(node):
    """Processes of the actors of a node, by the parent that they have in its raylet."""
    (raylet,) = (info.process.pid for info in node.all_processes["raylet"])
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            title = (folder / "cmdline").read_text()
        except OSError:  # it has ended
            continue
        if parent == raylet and title.startswith("ray::Actor"):
            found.append(int(folder.name))
    return found


@pytest.mark.slow
def test_a_killed_actor_and_a_killed_node_change_nothing(cluster, tmp_path):
    photos = write_photos(tmp_path / "photos", PHOTOS - 2)
    process = start(photos, tmp_path / "one", "--ray", "off", "--quiet")
    assert process.communicate(timeout=SECONDS) and process.returncode == 0
    out, started = tmp_path / "out", time.monotonic()
    process = start(photos, out, "--ray", cluster.address)
    wait_for(process, out, 2)
    head, other = cluster.head_node, next(iter(cluster.worker_nodes))
    deadline = time.monotonic() + 120
    while not (victims := actors_of(head)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.kill(victims[0], signal.SIGKILL)
    wait_for(process, out, 5)
    cluster.remove_node(other, allow_graceful=False)
    printed, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, errors
    assert errors.count("a worker is lost") >= 2 and "Traceback" not in errors
    assert f"{PHOTOS} photos: found" in printed
    expected, rows = rows_in(tmp_path / "one"), rows_in(out)
    assert [row["image_id"] for row in rows] == list(range(1, PHOTOS + 1))
    assert rows == expected
    assert sum(len(row["annotations"]) for row in rows) >= PHOTOS // 5
    print(f"{PHOTOS} photos in {time.monotonic() - started:.0f} s, {len(expected)} rows equal")


@pytest.mark.slow
def test_ctrl_c_ends_it_cleanly_and_it_goes_on(cluster, tmp_path):
    photos, out = write_photos(tmp_path / "photos", 38), tmp_path / "out"
    process = start(photos, out, "--ray", cluster.address)
    wait_for(process, out, 1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130 and "the same command goes on" in errors and "Traceback" not in errors
    again = start(photos, out, "--ray", "off")
    printed, errors = again.communicate(timeout=SECONDS)
    assert again.returncode == 0 and "40 photos: found" in printed, errors
    assert [row["image_id"] for row in rows_in(out)] == list(range(1, 41))


@pytest.mark.parametrize(
    ("address", "words"), [("127.0.0.1:1", "there is no Ray cluster at 127.0.0.1:1"), ("here", "expected auto, local")]
)
def test_no_cluster_is_said_in_one_sentence(tmp_path, address, words):
    process = start(write_photos(tmp_path / "photos", 2), tmp_path / "out", "--ray", address, "--quiet")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1 and words in errors and len(errors.splitlines()) == 1
