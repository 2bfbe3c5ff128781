"""Writes h5 files as matterport's Mask_RCNN did with Keras 2, with seeded random weights.

The names and shapes come from `layers.json`, facts about the published ResNet-101 file, and not
from this project's own table of them.
"""

import atexit
import functools
import json
import re
import tempfile
from pathlib import Path

import h5py
import numpy as np

LAYERS = Path(__file__).parent / "layers.json"
CLASSES = 81


def tensor_shapes(classes=CLASSES, depth=101):
    """Names such as `fpn_p2/kernel:0` and shapes of all tensors, for any class count (with background)."""
    shapes = {name: tuple(shape) for name, shape in json.loads(LAYERS.read_text())}
    if depth == 50:  # stage 4 has 6 blocks instead of 23
        shapes = {name: shape for name, shape in shapes.items() if not re.match(r"(res|bn)4[g-z]_", name)}
    for name, shape in shapes.items():
        if name.startswith(("mrcnn_class_logits/", "mrcnn_mask/")):
            shapes[name] = (*shape[:-1], classes)
        elif name.startswith("mrcnn_bbox_fc/"):
            shapes[name] = (*shape[:-1], 4 * classes)
    return shapes


def random_tensors(shapes, seed=0):
    """Weights under which an image gives many different detections, neither saturated nor all alike."""
    random = np.random.default_rng(seed)
    gains = {"mrcnn_class_logits": 2.0, "mrcnn_bbox_fc": 1.0, "rpn_class_raw": 1.0, "rpn_bbox_pred": 0.6}
    tensors = {}
    for name, shape in shapes.items():
        layer, variable = name.removesuffix(":0").split("/")
        values = random.standard_normal(shape, np.float32)
        if variable == "kernel":
            values *= gains.get(layer, 0.3 if layer.startswith("fpn_c") else 1.4) / np.sqrt(np.prod(shape[:-1]))
        elif variable == "gamma":
            # Of a residual sum the new part is small, so that a hundred layers neither explode nor fade.
            values = (0.3 if layer.endswith("_branch2c") else 1.0) * (1.0 + 0.1 * values)
        elif variable == "moving_variance":
            values = np.exp(0.3 * values)
        else:
            values *= 0.1
        tensors[name] = values
    tensors["conv1/kernel:0"] /= 64.0  # its input are pixels of -128 to 128
    return tensors


@functools.cache
def random_file(classes=CLASSES, depth=101):
    """A file with random weights, written once, and its tensors."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    tensors = random_tensors(tensor_shapes(classes, depth))
    return write(Path(folder.name) / f"resnet{depth}_{classes}.h5", tensors), tensors


def write(path, tensors, root=""):
    """One group a layer, `weight_names` in its attributes, the region proposal network in a group of its own."""
    groups = {}
    for name in tensors:
        layer = name.split("/")[0]
        groups.setdefault("rpn_model" if layer.startswith("rpn_") else layer, []).append(name)
    with h5py.File(path, "w") as file:
        top = file.create_group(root) if root else file
        top.attrs["layer_names"] = [name.encode() for name in groups]
        top.attrs["backend"], top.attrs["keras_version"] = b"tensorflow", b"2.0.8"
        for group, names in groups.items():
            folder = top.create_group(group)
            folder.attrs["weight_names"] = [name.encode() for name in names]
            for name in names:
                folder.create_dataset(name, data=tensors[name])
    return path
