"""`python -m pipeline serve` in a process of its own, for the load test and the tests of the service."""

import contextlib
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 600  # as for the page
END_SECONDS = 90


@contextlib.contextmanager
def running_service(*options):
    """A service on a free port for as long as the context lasts.

    Args:
        options: str. Further options of the command.

    Yields:
        `subprocess.Popen` with pipes of text, and the service's address.

    Raises:
        OSError: if it does not start.
    """
    line = [sys.executable, "-m", "pipeline", "serve", "--port", "0", *options]
    process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    timer = threading.Timer(START_SECONDS, process.kill)
    timer.start()
    try:
        first = process.stdout.readline() if process.stdout else ""
        timer.cancel()
        if not first.startswith("Ready: "):
            raise OSError(f"serve did not start: {process.communicate()[1]}")
        yield process, first.split()[1]
    finally:
        timer.cancel()
        process.terminate()
        try:
            process.wait(END_SECONDS)
        finally:
            process.kill()
