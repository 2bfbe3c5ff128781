"""What people would use instead, for `python -m pipeline benchmark --peers`: timed where its packages are installed.

    pip install torch torchvision ultralytics onnx onnxslim onnxruntime

All have random weights, which take as long as trained ones as long as they do not find more: torchvision is held to one
object a photo, and the other two find nothing, so that their masks are not computed. This errs in the peers' favour.
"""

import concurrent.futures
import functools
import importlib.util
import multiprocessing
import os
import time
from pathlib import Path

import numpy as np

TORCHVISION = "torchvision R50-FPN"
YOLO = "YOLO11n-seg ONNX 640"
YOLO_SMALL = "YOLO11n-seg ONNX 416"  # at the size that our network reads
YOLO_NEW = "YOLO26n-seg ONNX 640"
CLASSIC = "classic R101-FPN 1024"


class Peer:
    """A model in a process of its own: torch and TensorFlow crash where they share one.

    Args:
        make: function of a folder that returns a function of a uint8 `(H, W, 3)` image.
        folder: path of a folder for an exported file.

    Raises:
        ImportError: if a package is missing.
    """

    def __init__(self, make, folder):
        context = multiprocessing.get_context("spawn")
        self._pool = concurrent.futures.ProcessPoolExecutor(1, mp_context=context)
        try:
            self._pool.submit(_load, make, Path(folder)).result()
        except BaseException:
            self.close()
            raise

    def seconds(self, image):
        """How long the model takes for an image, without the way to its process and back."""
        return self._pool.submit(_time, image).result()

    def close(self):
        self._pool.shutdown()


def _load(make, folder):
    global _run  # lives in the peer's process
    _run = make(folder)


def _time(image):
    start = time.perf_counter()
    _run(image)
    return time.perf_counter() - start


def available_peers(folder, makers=None):
    """The peers whose packages are installed.

    Args:
        folder: path of a folder for an exported file.
        makers: dict from name to function, see `Peer`. Defaults to all.

    Returns:
        dict from name to `Peer`, and dict from the names of the others to the reason.
    """
    peers, missing = {}, {}
    for name, make in (makers or PEERS).items():
        try:
            peers[name] = Peer(make, folder)
        except ImportError as error:
            missing[name] = str(error)
    return peers, missing


def torchvision_peer(folder):
    """torchvision's Mask R-CNN with ResNet-50 at its default size, shorter side 800 pixels, and one object a photo."""
    import torch
    from torchvision.models.detection import maskrcnn_resnet50_fpn

    torch.set_num_threads(os.cpu_count())
    model = maskrcnn_resnet50_fpn(weights=None, weights_backbone=None, box_detections_per_img=1).eval()

    def run(image):
        with torch.inference_mode():
            found = model([torch.from_numpy(image).permute(2, 0, 1) / 255])[0]
            return (found["masks"] > 0.5).numpy()

    return run


def yolo_peer(folder, name="yolo11n-seg", size=640):
    """A YOLO as ultralytics exports and runs it: ONNX Runtime, `size` x `size` pixels."""
    import onnxruntime  # noqa: F401  (ultralytics would only miss it at the first image)

    os.environ.update(YOLO_AUTOINSTALL="false", YOLO_OFFLINE="true", YOLO_CONFIG_DIR=str(folder))
    from ultralytics import YOLO as Model

    before, folder = Path.cwd(), Path(folder) / f"{name}-{size}"
    folder.mkdir(exist_ok=True)
    os.chdir(folder)  # the exporter writes to the current folder
    try:
        slim = importlib.util.find_spec("onnxslim") is not None
        network = Model(f"{name}.yaml", verbose=False)
        path = Path(network.export(format="onnx", imgsz=size, simplify=slim)).resolve()
    finally:
        os.chdir(before)
    model = Model(str(path), task="segment")

    def run(image):
        return model.predict(np.ascontiguousarray(image[..., ::-1]), imgsz=size, verbose=False)

    return run


def classic_peer(folder):
    """The ResNet-101 set-up of the original Mask R-CNN repository at 1024 pixels, in this project's code."""
    from mrcnn import MaskRCNN
    from mrcnn.build import build_network
    from mrcnn.config import PRESETS

    model = MaskRCNN(build_network(PRESETS["resnet101"]))
    return model.segment


PEERS = {
    TORCHVISION: torchvision_peer,
    YOLO: yolo_peer,
    YOLO_SMALL: functools.partial(yolo_peer, size=416),
    YOLO_NEW: functools.partial(yolo_peer, name="yolo26n-seg"),
    CLASSIC: classic_peer,
}
