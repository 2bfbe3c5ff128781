"""A full disk is said in one sentence; a file size limit stands for it."""

import subprocess
import sys

import pytest

from pipeline.resume import full_disk_said

LIMITED = """
import resource
from pathlib import Path
import tensorflow as tf
from pipeline.resume import full_disk_said
from pipeline.training.run_log import Log

out = Path(OUT)
log, whole = Log(out, 0), resource.getrlimit(resource.RLIMIT_FSIZE)
module = tf.Module()
module.weights = tf.Variable(tf.zeros(100_000))

def rows():
    for step in range(1, 9):
        log.step(step, {"total": 1.0}, 0.5, 2.0, 0.5)

def board():
    for step in range(3000):
        log._summaries("train", step, {"step": step, "total": 1.0})

def saved_model():
    with full_disk_said(out / "model"):
        tf.saved_model.save(module, str(out / "model"))

for write, size in ((rows, 100), (board, 5000), (saved_model, 50_000)):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, whole[1]))
    try:
        write()
    except OSError as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, whole)
"""


@pytest.mark.slow
def test_python_and_tensorflow_say_the_same(tmp_path):
    code = LIMITED.replace("OUT", repr(str(tmp_path)))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    sentences = done.stdout.splitlines()
    assert len(sentences) == 3
    for name, sentence in zip(("log.csv", "tensorboard", "model"), sentences, strict=True):
        assert f"no space left to write {tmp_path / name};" in sentence
        assert "same command again" in sentence


def test_other_errors_go_through():
    import tensorflow as tf

    with pytest.raises(OSError, match="^no network$"), full_disk_said("file"):
        raise OSError("no network")
    with pytest.raises(tf.errors.ResourceExhaustedError, match="OOM when allocating"), full_disk_said("file"):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
