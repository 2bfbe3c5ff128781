"""`python app.py` in a process of its own, for the benchmark, the demo of the pipeline and the tests of the page."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
# Loading TensorFlow takes seconds, but minutes on a machine that is busy with training.
START_SECONDS = 600
END_SECONDS = 120


class RunningApp(NamedTuple):
    """An app that answers.

    Attributes:
        address: str. Where, `http://127.0.0.1:PORT`.
        lines: list of str. What it has printed so far.
        process_id: int.
    """

    address: str
    lines: list
    process_id: int


def free_port():
    """The number of a port of this machine that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextlib.contextmanager
def running_app(**environment):
    """Serves the app on a free port for as long as the context lasts.

    Args:
        environment: variables to set for it.

    Yields:
        `RunningApp`.

    Raises:
        OSError: if it does not start.
    """
    port = free_port()
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in ("GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT", "GRADIO_MCP_SERVER", "SPACE_ID")
    }
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={**inherited, "PORT": str(port), "PYTHONUNBUFFERED": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines, ready = [], threading.Event()

    def read():
        # Read to the end: a full pipe would stop the server.
        for line in process.stdout or ():
            lines.append(line)
            if line.startswith("Ready:"):
                ready.set()
        ready.set()

    threading.Thread(target=read, daemon=True).start()
    try:
        if not ready.wait(START_SECONDS) or process.poll() is not None:
            raise OSError("app.py did not start:\n" + "".join(lines))
        yield RunningApp(f"http://127.0.0.1:{port}", lines, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise OSError(f"app.py did not end within {END_SECONDS} seconds") from None
