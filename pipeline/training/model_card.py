"""The card of a trained model: what it finds, what it learned from, how well, and what is left to a person to say."""

import dataclasses
import json
from pathlib import Path

from mrcnn.atomic import write_atomically
from pipeline.training.config import TrainConfig


def describe_data(dataset):
    """A data set in figures, as a dict that goes into the model's JSON card."""
    positive = sum(dataset.has_instances(image_id) for image_id in dataset.image_ids)
    return {
        "folder": Path(dataset.folder).resolve().name,  # where it lies is nobody's business
        "photos": len(dataset),
        "photos_without_instances": len(dataset) - positive,
        "instances": dataset.count_instances(),
    }


def write_model_card(path, name, card):
    """Write `NAME.md` from the JSON card.

    Args:
        path: path of the file to write.
        name: str. The model's name.
        card: dict with `config`, `training`, `step`, `metrics` (empty without validation), `data`, `validation` (a
            dict or `None`) and `command`.
    """
    text = CARD.format(
        name=name,
        classes=", ".join(card["config"]["class_names"]),
        preset=card["config"]["preset"],
        size=card["config"]["image_size"],
        data="\n".join(_data_row("training", data) for data in card["data"]),
        validation=_data_row("validation", card["validation"]) if card["validation"] else "",
        step=card["step"],
        steps=card["training"]["steps"],
        batch_size=card["training"]["batch_size"],
        init=card["training"]["init"],
        settings=_settings(card["training"]),
        command=card["command"],
        figures=_figures(card["metrics"]) + _sizes(card.get("sizes")),
    )
    write_atomically(path, text)


CARD = """# {name}

**What.** Mask R-CNN, preset `{preset}`, for: {classes}. Photos are read at {size} px.

## Data

| | folder | photos | of these without instances | instances |
|---|---|---|---|---|
{data}
{validation}

## Training

Weights of step {step} of {steps}, {batch_size} photos a step, from `{init}`. {settings}

```sh
{command}
```

## Figures

{figures}

## Licence and limits: to be filled in

- Rights in the photos and masks above, and who has cleared them: TODO
- Licence of these weights: TODO
- What the model is for, and where it fails: TODO
"""


def _data_row(use, data):
    instances = ", ".join(f"{count} {name}" for name, count in data["instances"].items())
    return f"| {use} | `{data['folder']}` | {data['photos']} | {data['photos_without_instances']} | {instances} |"


def _settings(training):
    """What differs from the standard recipe."""
    standard = json.loads(json.dumps(dataclasses.asdict(TrainConfig())))  # tuples as lists, as in the card
    groups = {group: training.get(group, {}) for group in ("network", "sampling")}
    training = {key: value for key, value in training.items() if key not in groups}
    training |= {f"{group}.{key}": value for group, of in groups.items() for key, value in of.items()}
    told = ("preset", "image_size", "init", "steps", "batch_size")
    changed = [f"`{key}={value}`" for key, value in training.items() if key not in told and value != standard.get(key)]
    return f"Changed settings: {', '.join(changed) or 'none'}; the others are in `pipeline/training/config.py`."


def _figure(value):
    return f"{value:.3f}" if value >= 0 else "-"


def _sizes(sizes):
    """What other input sizes gave, where they were tried."""
    if not sizes:
        return ""
    kind = "mask" if all("mask_AP" in of for of in sizes.values()) else "box"
    rows = [f"| {size} | {_figure(of[f'{kind}_AP'])} | {of['ms_per_picture']:.0f} |" for size, of in sizes.items()]
    return "\n".join(["", f"| input, pixels | {kind} AP | ms a photo, where it was measured |", "|---|---|---|", *rows])


def _figures(metrics):
    if not metrics:
        return "Not measured: the run had no validation data."
    names = list(metrics["mask"])
    lines = [
        f"On the {metrics['pictures']} validation photos, by the COCO protocol; - where there is nothing to measure. "
        "The same photos chose this step among others, which flatters it a little.",
        "",
        f"| | {' | '.join(names)} |",
        "|---" * (len(names) + 1) + "|",
    ]
    for kind in ("mask", "box", "boundary"):
        lines.append(f"| {kind} | {' | '.join(_figure(metrics[kind][name]) for name in names)} |")
    return "\n".join(lines)
