"""The best weights of a run, put under a name into the weights folder, with a card for people."""

import filecmp
import json
import re
from pathlib import Path

from mrcnn import weights
from mrcnn.atomic import write_atomically
from pipeline.training.model_card import describe_data, write_model_card


def check_name(name, out, resume):
    """Refuse a name that cannot be one or is taken, unless by an earlier sitting of this run.

    Raises:
        ValueError: as said.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise ValueError(f"--name is {name!r}, expected letters, digits, - and _")
    path = weights.FOLDER / f"{name}.npz"
    if path.exists() and not (resume and _same_weights(path, out / "best.npz")):
        raise ValueError(f"{weights.FOLDER} already holds {name}: choose another --name")


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
    card = weights.read_card(out / "best.npz")
    card["training"]["init"] = Path(card["training"]["init"]).name
    card = {
        **card,
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
