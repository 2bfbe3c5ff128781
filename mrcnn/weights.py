"""Weights on disk: `NAME.npz` with the tensors as float16, `NAME.json` with what they are, `NAME.md` for people.

`NAME.onnx` beside them, with its own `NAME.onnx.json`, is the same model for ONNX Runtime.

The npz holds one array for each variable, named by its place in the network (`box_head/hidden1/kernel`). Loading checks
the checksum and that every name and shape fits: half-loaded weights run without an error and find nothing, which is how
other ports of this model fail.
"""

import dataclasses
import hashlib
import json
import os
from pathlib import Path

import numpy as np

from mrcnn.atomic import atomic_file, write_atomically
from mrcnn.config import config_from_card
from mrcnn.engines import require_tensorflow

RUNNABLE = ".npz", ".onnx"  # endings of files that `MaskRCNN.from_pretrained` loads


HOW_TO_MAKE = {
    ".npz": "an exported file cannot be turned back into weights",
    ".onnx": "python -m pipeline export --format onnx makes such a file where TensorFlow is installed",
}


def _find_folders():
    """The folder that models are installed into, and the one that the shipped models lie in."""
    package = Path(__file__).resolve().parent
    if "MRCNN_WEIGHTS" in os.environ:  # takes the place of both: exactly what lies there is offered
        folder = Path(os.environ["MRCNN_WEIGHTS"])
        return folder, folder
    if not (package / "shipped").is_dir():  # a checkout
        return package.parent / "weights", package.parent / "weights"
    from platformdirs import user_data_path  # only an installed package writes outside its own folder

    return user_data_path("mrcnn", appauthor=False) / "weights", package / "shipped"


# What `train --name` and `import-matterport` write to, and what is only read. In a checkout both are `weights/`; in an
# installed package FOLDER belongs to the user (Linux: ~/.local/share/mrcnn/weights) and SHIPPED came with the wheel.
FOLDER, SHIPPED = _find_folders()


def available(endings=RUNNABLE):
    """Names of the models that can be loaded: the shipped ones and the user's own, the default `cat` first.

    `NAME.npz` and `NAME.onnx` are one model.

    Args:
        endings: tuple of str. Kinds of files that will do. Defaults to all of `RUNNABLE`.
    """
    names = set()
    for folder in {FOLDER, SHIPPED}:
        files = [path for path in folder.glob("*") if path.suffix in endings]
        names |= {path.stem for path in files if "config" in read_card(path)}
    return sorted(names, key=lambda name: (name != "cat", name))


def locate(name_or_path, endings=(".npz",)):
    """The file for a path, a name of the user's, or a name of a shipped model, in this order.

    The ending may be left out.

    Args:
        name_or_path: str or path.
        endings: tuple of str. Kinds of files that will do, the preferred one first. Defaults to `.npz`, which can be
            trained as well.

    Raises:
        ValueError: if there is none; the message lists the names there are.
    """
    for place in (Path(name_or_path), FOLDER / name_or_path, SHIPPED / name_or_path):
        if place.is_file() and place.suffix in endings:
            return place
        there = {ending: place.with_name(f"{place.name}{ending}") for ending in RUNNABLE if place.name}
        there = {ending: path for ending, path in there.items() if path.is_file()}
        for ending in endings:
            if ending in there:
                return there[ending]
        # A name of the user's hides a shipped one, also where it is of the wrong kind: that would be another model.
        if there:
            path = next(iter(there.values()))
            raise ValueError(f"{path} is there, but not as {' or '.join(endings)}: {HOW_TO_MAKE[endings[0]]}")
    raise ValueError(
        f"no weights {str(name_or_path)!r}: give the path of an {' or '.join(endings)} file or one of these names: "
        f"{', '.join(available(endings)) or '(none are installed)'}"
    )


def read_card(path):
    """The metadata beside a weights file, a dict; empty where there is none."""
    path = card_path(path)
    return json.loads(path.read_text()) if path.exists() else {}


def card_path(path):
    """Where the card of a weights file is."""
    return Path(f"{path}.json") if Path(path).suffix == ".onnx" else Path(path).with_suffix(".json")


def check_sum(path):
    """Compare a file with the checksum in its card, if that has one.

    Raises:
        ValueError: if they differ.
    """
    expected = read_card(path).get("sha256")
    if expected and hashlib.sha256(Path(path).read_bytes()).hexdigest() != expected:
        raise ValueError(f"{Path(path).name} is damaged: its SHA-256 is not the one in {card_path(path).name}")


def named_variables(model):
    """The variables of a model as a dict from their place, such as `pyramid/lateral2/kernel`, to the variable."""
    named = {}
    for stage in model.layers:
        for variable in stage.weights:
            named[f"{stage.name}/{variable.path.split(f'{stage.name}/')[-1]}"] = variable
    return named


def save(model, path, card, only=""):
    """Write the variables of a model as float16 and its card.

    Each of the two files is replaced in one piece, the pair is not: who reads between the two finds the new weights
    beside the old checksum, and `load_into` refuses them.

    Args:
        model: `keras.Model` whose `layers` are its stages.
        path: path of the npz to write.
        card: dict. Metadata for people and programs; the checksum is added.
        only: str. Only variables whose name begins with this. Defaults to all.
    """
    path = Path(path)
    variables = {name: v for name, v in named_variables(model).items() if name.startswith(only)}
    arrays = {name: np.asarray(variable).astype(np.float16) for name, variable in variables.items()}
    with atomic_file(path) as file:
        np.savez(file, allow_pickle=False, **arrays)
    card = {**card, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    write_atomically(path.with_suffix(".json"), json.dumps(card, indent=2) + "\n")


def load_into(model, path, only=""):
    """Fill the variables of a model from an npz.

    Args:
        model: `keras.Model`.
        path: path of the npz.
        only: str or tuple of str. Only variables whose name begins with this, or with one of these. Defaults to all.

    Raises:
        ValueError: if the checksum is wrong, or with a list of what is missing, unexpected or of another shape.
    """
    path = Path(path)
    check_sum(path)
    variables = {name: v for name, v in named_variables(model).items() if name.startswith(only)}
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files if name.startswith(only)}
    _multiply_out(arrays, variables)
    problems = [f"missing {name}" for name in variables.keys() - arrays.keys()]
    problems += [f"unexpected {name}" for name in arrays.keys() - variables.keys()]
    problems += [
        f"{name} is {arrays[name].shape}, expected {tuple(variable.shape)}"
        for name, variable in variables.items()
        if name in arrays and arrays[name].shape != tuple(variable.shape)
    ]
    if problems:
        raise ValueError(f"{path.name} does not fit this network: {'; '.join(sorted(problems))}")
    for name, variable in variables.items():
        variable.assign(arrays[name].astype(np.float32))


def _multiply_out(arrays, variables):
    """Where a file has a depthwise-separable convolution and the network a full one, make it the same full one.

    Filtering each channel and then mixing the channels is one convolution whose kernel is the product of the two. So a
    network with full convolutions can go on from weights that were trained without them.
    """
    for name in variables.keys() - arrays.keys():
        place, slash, kernel = name.rpartition("/")
        depthwise, pointwise = f"{place}{slash}depthwise_kernel", f"{place}{slash}pointwise_kernel"
        if kernel == "kernel" and depthwise in arrays and pointwise in arrays:
            # (h, w, in, 1) and (1, 1, in, out)
            arrays[name] = arrays.pop(depthwise).astype(np.float32) * arrays.pop(pointwise).astype(np.float32)[0]


def load_network(name_or_path):
    """The network that a weights file describes, with its weights, and its card.

    Raises:
        ValueError: if there are no such weights or they do not fit.
    """
    path = locate(name_or_path)
    require_tensorflow(path.name)
    from mrcnn.build import build_network  # here, so that listing the weights does not load TensorFlow

    card = read_card(path)
    if "config" not in card:
        raise ValueError(f"{path.name} is not a whole model: {path.with_suffix('.json').name} names no config")
    network = build_network(config_from_card(card["config"]))
    load_into(network, path)
    return network, card


def card_of(network, **facts):
    """A card for a network: its config and any further facts."""
    return {"config": dataclasses.asdict(network.config), **facts}
