"""What only whole processes show: the start of the command line, and the memory of the server."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import mrcnn

COLD_STARTS = 3
SERVED_PHOTOS = 10


def cold_starts(name_or_path, photo, folder):
    """Median seconds of the command line from nothing to its result, and of importing TensorFlow and Keras.

    Returns:
        dict with `command`, `imports` and, where weights of that name have an ONNX file, `light`: with ONNX Runtime.
    """
    package = str(Path(mrcnn.__file__).parents[1])  # a checkout need not be installed
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))}
    segment = ["-m", "mrcnn", str(photo), "--out", str(folder / "result"), "--weights", str(name_or_path)]
    commands = {"command": [*segment, "--engine", "tensorflow"], "imports": ["-c", "import tensorflow, keras"]}
    if _has_light_file(name_or_path):
        commands["light"] = [*segment, "--engine", "onnx"]
    seconds = {name: [] for name in commands}
    for _ in range(COLD_STARTS):
        for name, command in commands.items():
            start = time.perf_counter()
            run = subprocess.run([sys.executable, *command], capture_output=True, text=True, env=environment)
            seconds[name].append(time.perf_counter() - start)
            if run.returncode:
                raise OSError(f"`python {' '.join(command[:2])} ...` failed: {run.stderr.strip().splitlines()[-1]}")
    return {name: round(float(np.median(values)), 2) for name, values in seconds.items()}


def _has_light_file(name_or_path):
    from mrcnn import weights

    try:
        return weights.locate_runnable(name_or_path, "onnx").exists()
    except ValueError:
        return False


def server_memory(name_or_path, subjects):
    """Largest resident memory of `python app.py` in GB over some photos; `None` where it cannot be measured.

    The server shows what is under weights/, so weights given by their path cannot be measured. Nor can a server where
    there is no checkout to start it from, or no /proc.
    """
    from mrcnn import weights

    try:
        from tools.app_process import running_app
    except ModuleNotFoundError:  # an installed package has no tools/
        return None

    if name_or_path not in weights.available() or not Path("/proc/self/status").exists():
        return None
    from gradio_client import Client, handle_file

    with running_app() as app:
        client = Client(app.address, verbose=False)
        for number in range(SERVED_PHOTOS):
            photo = subjects[number % len(subjects)]
            client.predict(handle_file(photo.path), model=name_or_path, api_name="/segment")
        status = Path(f"/proc/{app.process_id}/status").read_text()
        kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
        return round(int(kilobytes) * 1024 / 1e9, 3)
