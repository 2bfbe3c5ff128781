"""What the largest photo that is accepted costs the server, whichever tab it goes through."""

import importlib.util
from pathlib import Path

import pytest
from PIL import Image
from skimage import data

from tools.app_process import running_app
from tools.visitor import Visitor, words

pytestmark = pytest.mark.slow
BOUND = 250_000_000  # bytes that it adds at most to what the server has once its page is there
# With ONNX Runtime a network has no stages to look into.
DOORS = {"tensorflow": ("photo", "redraw", "inside", "files", "api"), "onnx": ("photo", "redraw", "files", "api")}


def peak(process_id):
    """The most bytes of memory that a process has had so far."""
    (line,) = (line for line in Path(f"/proc/{process_id}/status").read_text().splitlines() if "VmHWM" in line)
    return 1024 * int(line.split()[1])


@pytest.mark.parametrize("engine", ["tensorflow", "onnx"])
def test_a_photo_of_50_megapixels_in_every_tab(tmp_path, engine):
    if engine == "tensorflow" and importlib.util.find_spec("tensorflow") is None:
        pytest.skip("TensorFlow is not installed")
    path = tmp_path / "large.jpg"
    Image.fromarray(data.chelsea()).resize((8640, 5760)).save(path, quality=80)
    with running_app(MRCNN_ENGINE=engine) as app:
        visitor = Visitor(app.address, patience=300)
        photo, peaks = visitor.file(path, "large.jpg"), {"start": peak(app.process_id)}
        for door in DOORS[engine]:
            answer = visitor.send(door, [photo] if door == "files" else photo)
            assert answer["success"] and "Sorry" not in words(answer), words(answer)[:300]
            peaks[door] = peak(app.process_id)
    print(engine, {door: f"{value / 1e9:.2f} GB" for door, value in peaks.items()})
    assert max(peaks.values()) - peaks["start"] < BOUND, peaks
