"""What a run is: settings, classes and data, kept as `config.json` in its folder."""

import dataclasses
import json
import sys

from mrcnn.atomic import write_atomically


def describe(config, datasets, val):
    """What a run is, as a dict: the settings of `config`, `class_names`, and the folders `data` and `val`."""
    return {
        **dataclasses.asdict(config),
        "class_names": datasets[0].class_names,
        "data": [str(dataset.folder) for dataset in datasets],
        "val": str(val.folder) if val else None,
    }


def write(out, facts):
    """Write `config.json` into the folder `out`, which is made if it is missing."""
    out.mkdir(parents=True, exist_ok=True)
    write_atomically(out / "config.json", json.dumps(facts, indent=2) + "\n")


def compare_with_start(out, facts):
    """Say what a resumed run has changed, in `facts` from `describe`.

    Raises:
        ValueError: if its classes are others.
    """
    path = out / "config.json"
    before = json.loads(path.read_text()) if path.exists() else {}
    now = json.loads(json.dumps(facts))  # tuples as lists
    if before.get("class_names", now["class_names"]) != now["class_names"]:
        raise ValueError(
            f"{out} is a run for {', '.join(before['class_names'])}, not for {', '.join(now['class_names'])}: "
            "give the same --class, or another --out"
        )
    changes = [f"{key} from {before[key]} to {now[key]}" for key in now if before.get(key, now[key]) != now[key]]
    if changes:
        print(f"not as the run began: {', '.join(changes)}", file=sys.stderr)
