"""The best weights of a run, put under a name into the weights folder, with a card for people."""

import filecmp
import json
import re

from mrcnn import weights
from mrcnn.atomic import write_atomically
from pipeline.exporting.check import LEAST_CONFIDENCE
from pipeline.training.model_card import describe_data, write_model_card


def check_name(name, out, resume):
    """Refuse a name that cannot be one or is taken, unless by an earlier sitting of this run.

    Raises:
        ValueError: as said.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise ValueError(f"--name is {name!r}, expected letters, digits, - and _")
    # In an installed package the shipped models lie in a folder of their own, which a user's model would hide.
    for folder in (weights.FOLDER, weights.SHIPPED):
        path = folder / f"{name}.npz"
        if path.exists() and not (resume and _same_weights(path, out / "best.npz")):
            raise ValueError(f"{folder} already holds {name}: choose another --name")


def _same_weights(path, other):
    return other.exists() and filecmp.cmp(path, other, shallow=False)


def release(out, name, datasets, val, command):
    """Put the run's best weights under a name into the weights folder, with what they learned from and a model card.

    Args:
        out: Path of the run's folder.
        name: str, accepted by `check_name`.
        datasets: list of `CocoDataset`. What the run was trained on.
        val: `CocoDataset` or `None`.
        command: str. The command line of the run, for the card.

    Returns:
        Path of the npz file.
    """
    card = {
        **weights.read_card(out / "best.npz"),
        "data": [describe_data(dataset) for dataset in datasets],
        "validation": describe_data(val) if val else None,
        "command": command,
    }
    path = weights.FOLDER / f"{name}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (out / "best.npz").read_bytes())
    write_atomically(path.with_suffix(".json"), json.dumps(card, indent=2) + "\n")
    write_model_card(path.with_suffix(".md"), name, card)
    return path


def release_onnx(path, dataset, tried=20):
    """Write the light engine's file beside released weights, where the packages for it are installed.

    A photo in which the network finds something is needed to compare the two.

    Args:
        path: Path of the npz.
        dataset: `CocoDataset`. Where photos are taken from.
        tried: int. Photos with instances to try. Defaults to 20.

    Returns:
        Path of the onnx file, or a str that says why there is none.
    """
    from pipeline.exporting.export import export_with_card

    network, card = weights.load_network(path)
    out = path.with_suffix(".onnx")
    out.unlink(missing_ok=True)  # one of an earlier sitting has other weights
    if network.config.preset != "lite":
        return f"the light engine runs lite models, not {network.config.preset}"
    photos = [image_id for image_id in dataset.image_ids if dataset.has_instances(image_id)][:tried]
    photo = next((photo for photo in map(dataset.load_image, photos) if _finds_something(network, photo)), None)
    if photo is None:
        return f"the model finds nothing in the first {len(photos)} photos of {dataset.folder} to compare by"
    try:
        export_with_card(network, card, "onnx", out, photo)
    except (ValueError, OSError) as error:
        out.unlink(missing_ok=True)  # what was written but does not agree must not be offered
        return str(error)
    return out


def _finds_something(network, photo):
    canvas, _ = network.letterbox(photo, network.config.image_size)
    return len(network.detect(canvas[None], LEAST_CONFIDENCE, 1)["scores"]) > 0
