"""Whether weights still reach the figures of their card.

    make accuracy DATA=data/cat/validation
    python -m tools.accuracy --data DATA/val --annotations DATA/val.json --weights cat

Runs `python -m pipeline evaluate` and compares AP and AR of masks and boxes, the photos with a single instance, and the
false alarms. Exit code 1 if a figure is worse than the card's by more than its last digit, 2 if the card was measured
on other data.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from mrcnn import weights

ROUNDING = 0.0001  # cards hold four digits

# Figures that are compared, by their path in the report, and whether more is better.
FIGURES = {
    **{
        (kind, name): True
        for kind in ("mask", "box", "boundary")
        for name in ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR")
    },
    **{("single", name): True for name in ("AP", "recall", "mean_iou", "mean_boundary_iou")},
    ("false_alarms",): False,
}


def look_up(report, path):
    """The figure at a path of keys, or `None` where the report has none (-1 says: nothing to measure it on)."""
    for key in path:
        report = report.get(key) if isinstance(report, dict) else None
    return None if report is None or report < 0 else report


def compare(card, measured):
    """Print each figure beside the card's.

    Args:
        card: dict. The `metrics` of a card.
        measured: dict. What `python -m pipeline evaluate --json` wrote.

    Returns:
        list of str. The names of those that are worse.
    """
    worse = []
    print(f"{'':16}{'card':>8}{'now':>8}")
    for path, more_is_better in FIGURES.items():
        name, promised, now = " ".join(path), look_up(card, path), look_up(measured, path)
        if promised is None:
            continue
        loss = float("inf") if now is None else (promised - now if more_is_better else now - promised)
        bad = loss > ROUNDING * 1.001  # the sum of two roundings, and what binary fractions add to it
        worse += [name] if bad else []
        print(f"{name:16}{promised:8.4f}{'none' if now is None else f'{now:.4f}':>8}{'  worse' if bad else ''}")
    return worse


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of photos")
    parser.add_argument("--annotations", help="COCO JSON (default: the folder's name with .json)")
    parser.add_argument("--weights", default="cat", help="name or path of weights with figures in their card")
    arguments = parser.parse_args()
    try:
        card = weights.read_card(weights.locate(arguments.weights, weights.RUNNABLE)).get("metrics")
    except ValueError as error:
        parser.error(str(error))
    if not card:
        parser.error(f"the card of {arguments.weights} holds no figures to compare with")
    command = [sys.executable, "-m", "pipeline", "evaluate", "--weights", arguments.weights, "--data", arguments.data]
    command += ["--annotations", arguments.annotations] if arguments.annotations else []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        code = subprocess.run([*command, "--json", path]).returncode
        if code:
            return code
        measured = json.loads(path.read_text())
    if measured["pictures"] != card.get("pictures"):
        print(f"the card was measured on {card.get('pictures')} photos, {arguments.data} has {measured['pictures']}")
        return 2
    worse = compare(card, measured)
    print(f"worse than the card: {', '.join(worse)}" if worse else "accuracy: as the card says, or better")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
