"""Weights on disk: `NAME.npz` with the tensors as float16, `NAME.json` with what they are, `NAME.md` for people.

`NAME.onnx` beside them, with its own `NAME.onnx.json`, is the same model for ONNX Runtime, `NAME.int8.onnx` the same in
8 bits.

The npz holds one array for each variable, named by its place in the network (`box_head/hidden1/kernel`), and the card
as it was when they were written: where the writing of the JSON was interrupted, it takes its place. Loading checks
the checksum and that every name and shape fits: half-loaded weights run without an error and find nothing, which is how
other ports of this model fail.
"""

import dataclasses
import functools
import hashlib
import json
import os
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np

from mrcnn.atomic import atomic_file, write_atomically
from mrcnn.config import config_from_card
from mrcnn.engines import ENGINES, require_tensorflow
from mrcnn.engines import endings as endings_of

RUNNABLE = tuple(ENGINES.values())  # endings of files that `MaskRCNN.from_pretrained` loads
CARD = "card"  # name of the array in an npz that is no tensor


HOW_TO_MAKE = {
    ".npz": "an exported file cannot be turned back into weights",
    ".onnx": "python -m pipeline export --format onnx makes such a file where TensorFlow is installed",
    ".int8.onnx": "python -m pipeline export --format onnx --int8 PHOTOS makes one where TensorFlow is installed",
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


def ending_of(path):
    """The ending of a file, such as `.int8.onnx`: the longest of `RUNNABLE` that fits, else its last suffix."""
    fitting = [ending for ending in RUNNABLE if str(path).endswith(ending)]
    return max(fitting, key=len, default=Path(path).suffix)


def beside(path, ending):
    """The file of the same model with another ending."""
    path = Path(path)
    return path.with_name(path.name.removesuffix(ending_of(path)) + ending)


def available(endings=RUNNABLE):
    """Names of the models that are of use as they are: the shipped ones and the user's own, the default `cat` first.

    `NAME.npz`, `NAME.onnx` and `NAME.int8.onnx` are one model. One whose card says `initial` is there to train from,
    and is left out.

    Args:
        endings: tuple of str. Kinds of files that will do. Defaults to all of `RUNNABLE`.
    """
    names = set()
    for folder in {FOLDER, SHIPPED}:
        files = [path for path in folder.glob("*") if ending_of(path) in endings]
        names |= {beside(path, "").name for path in files if _describes_a_model(path)}
    return sorted(names, key=lambda name: (name != "cat", name))


def _describes_a_model(path):
    try:
        card = read_card(path)
        return "config" in card and not card.get("initial")
    except ValueError as error:  # one damaged card must not hide the other models
        warnings.warn(f"{error}; that model is left out", stacklevel=2)
        return False


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
        if place.is_file() and ending_of(place) in endings:
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


def locate_runnable(name_or_path, engine=None):
    """The file that `MaskRCNN.from_pretrained` loads for a name or path and an engine; see there."""
    ending = ending_of(name_or_path)
    return locate(name_or_path, (ending,) if engine is None and ending in RUNNABLE else endings_of(engine))


def read_card(path):
    """The metadata of a weights file, a dict; empty where there is none.

    It is the JSON beside the file. Where that is missing or of weights that were there before, because a program was
    killed between the writing of the two, it is the card within the npz.

    Raises:
        ValueError: if the JSON is no card.
    """
    path = Path(path)
    card = _read_json(card_path(path))
    if path.suffix != ".npz" or not path.exists():
        return card
    outdated = not card or card.get("sha256", _checksum(path)) != _checksum(path)
    return (outdated and _card_within(path)) or card


def _read_json(path):
    """The card in a JSON file, empty where there is no such file."""
    if not path.exists():
        return {}
    try:
        card = json.loads(path.read_text())
    except (ValueError, RecursionError, OSError) as error:
        raise ValueError(f"{path.name} is damaged: it cannot be read as JSON ({error})") from None
    if not isinstance(card, dict):
        raise ValueError(f"{path.name} is damaged: a card is a JSON object")
    return card


def _checksum(path):
    """SHA-256 of a file, computed once for as long as it stays the same."""
    status = path.stat()
    return _checksum_of(path, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=64)
def _checksum_of(path, changed, size):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _card_within(path):
    """The card in an npz, empty where there is none or the file is damaged."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return json.loads(str(archive[CARD])) if CARD in archive.files else {}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error):
        return {}


def card_path(path):
    """Where the card of a weights file is."""
    return Path(f"{path}.json") if Path(path).suffix == ".onnx" else Path(path).with_suffix(".json")


def check_sum(path):
    """Compare a file with the checksum in its card; where that has none, warn that it is loaded without a check.

    Raises:
        ValueError: if they differ.
    """
    path = Path(path)
    expected = read_card(path).get("sha256")
    if not expected:
        warnings.warn(f"{path.name} is loaded without a check: its card names no SHA-256", stacklevel=3)
    elif _checksum(path) != expected:
        raise ValueError(f"{path.name} is damaged: its SHA-256 is not the one in {card_path(path).name}")


def named_variables(model):
    """The variables of a model as a dict from their place, such as `pyramid/lateral2/kernel`, to the variable."""
    named = {}
    for stage in model.layers:
        for variable in stage.weights:
            named[f"{stage.name}/{variable.path.split(f'{stage.name}/')[-1]}"] = variable
    return named


def save(model, path, card, only=""):
    """Write the variables of a model as float16 and its card.

    Each of the two files is replaced in one piece. Between the two, the npz speaks for itself, see `read_card`.

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
        np.savez(file, allow_pickle=False, **arrays, **{CARD: json.dumps(card)})
    card = {**card, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    write_atomically(path.with_suffix(".json"), json.dumps(card, indent=2) + "\n")


def load_into(model, path, only: str | tuple[str, ...] = ""):
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
    try:
        with np.load(path, allow_pickle=False) as archive:
            names = [name for name in archive.files if name.startswith(only) and name != CARD]
            arrays = {name: archive[name] for name in names}
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:  # each array has a checksum of its own
        raise ValueError(f"{path.name} is damaged: {error}") from None
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


CLASS_LAYERS = "box_head/logits/", "box_head/deltas/", "mask_head/logits/"  # whose outputs belong to classes


def load_all_that_fits(network, path):
    """Fill a network from the npz of one with other classes.

    Class names are compared without regard to case. What belongs to a class that the file lacks becomes the mean of
    what belongs to the file's classes: an object of no known kind, whose box and outline are those of any object.

    Args:
        network: `mrcnn.network.Network`.
        path: path of the npz of a whole model, with its card beside it.

    Returns:
        list of str. The classes taken over.

    Raises:
        ValueError: as `load_into`.
    """
    names = [name.casefold() for name in read_card(path)["config"]["class_names"]]
    variables = named_variables(network)
    load_into(network, path, tuple(name for name in variables if not name.startswith(CLASS_LAYERS)))
    shared = [name for name in network.config.class_names if name.casefold() in names]
    with np.load(path, allow_pickle=False) as archive:
        for name, variable in variables.items():
            if not name.startswith(CLASS_LAYERS):
                continue
            background = 0 if name.startswith("mask_head/") else 1  # of which there is no mask
            old = archive[name].astype(np.float32)
            old = old.reshape(*old.shape[:-1], background + len(names), -1)  # outputs by class
            mean = old[..., background:, :].mean(axis=-2)
            rows = [old[..., 0, :]] * background
            for new_name in network.config.class_names:
                known = new_name in shared
                rows.append(old[..., background + names.index(new_name.casefold()), :] if known else mean)
            variable.assign(np.stack(rows, axis=-2).reshape(variable.shape))
    return shared


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
