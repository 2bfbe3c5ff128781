"""Settings of a training run, one record; the files in `pipeline/training/recipes/` are instances of it.

    python -m pipeline train --set steps=2000 --set sampling.anchors=256 --set 'network.anchor_scales=(2, 4, 8)' ...

Settings of the network and of what a step samples have a prefix, because some of their names occur in both.
"""

import ast
import dataclasses
import importlib
import math
from pathlib import Path

from mrcnn.config import PRESETS, replace

FOLDER = Path(__file__).parent / "recipes"
# Fields of the network's config that are not set by `network.KEY`, and what sets them.
RESERVED = {
    "preset": "use --set preset=...",
    "class_names": "use --class",
    "category_ids": "they are those of the data",
    "image_size": "use --set image_size=...",
    "conventions": "it comes with the preset",
    "backbone": "it comes with the preset",
    "backbone_blocks": "they come with the preset",
}
# What others call it: the name that it has here.
OTHER_NAMES = {"lr": "learning_rate", "batch": "batch_size", "size": "image_size", "imgsz": "image_size"}


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """One training run."""

    # Network
    preset: str = "lite"  # lite, resnet50 or resnet101
    image_size: int = 384  # longer side of a photo at inference, pixels
    init: str = "mobilenet_v2_oidv4"  # name or path of the weights to start from: a backbone or a whole model
    # What of the backbone keeps its weights: "stem", its first layers, as in Faster R-CNN (they see edges, which are
    # the same for all data), "all" or "none".
    frozen: str = "stem"
    # fields of `mrcnn.config.Config` that are not as the preset has them
    network: dict = dataclasses.field(default_factory=dict)
    # fields of `mrcnn.training_losses.Sampling` that are not as it has them
    sampling: dict = dataclasses.field(default_factory=dict)

    # Schedule
    steps: int = 4100  # optimizer updates in all
    batch_size: int = 4  # photos a step, on all devices together
    learning_rate: float = 4e-4  # peak, AdamW
    backbone_lr_factor: float = 0.25  # times the learning rate, for the pretrained backbone
    warmup_steps: int = 300  # linear from 0 to the peak; then half a cosine down to 0
    weight_decay: float = 0.02  # of kernels; biases have none
    clip_norm: float = 5.0  # largest global norm of the gradient
    ema_momentum: float = 0.998  # of the moving average of the weights, which is what is evaluated and shipped

    # Data
    canvas_sizes: tuple[int, ...] = (256, 320, 384)  # side of the square canvas in pixels, one drawn for each batch
    negative_share: float = 0.25  # of the samples are photos without any instance
    # ("kind=dog", 3): photos of whose COCO record this is true come that many times as often as others in their group;
    # 0 leaves them out
    sampling_weights: tuple[tuple[str, int], ...] = ()
    # ("source=kaggle",): the instances of such photos train class and box and not the mask, as if they had no outlines
    box_only: tuple[str, ...] = ()
    paste: float = 0.0  # share of the photos without instances onto which one of another photo is pasted
    scale: tuple[float, float] = (0.6, 1.6)  # longer side of the photo over the side of the canvas
    aspect: float = 0.35  # largest stretch, as the logarithm of the factor on height / width
    flip: float = 0.5  # share of the photos that are mirrored
    colour: float = 0.3  # largest change of brightness, contrast and saturation, as a share
    grey: float = 0.05  # share of the photos that lose their colours
    seed: int = 1  # of the initial weights, the order of the photos, augmentation and sampling

    # Reports
    checkpoint_steps: int = 200  # steps from one checkpoint to the next
    evaluate_steps: int = 900  # steps from one measuring of the validation mask AP to the next
    patience: int = 0  # stop after this many evaluations without a better mask AP; 0 = never


def load_config(name, settings):
    """The config of a name under `pipeline/training/recipes/`, changed by `key=value` strings, and checked.

    Args:
        name: str. Name of the recipe.
        settings: list of str. Keys are fields of `TrainConfig`, `network.KEY` for those of `mrcnn.config.Config` and
            `sampling.KEY` for those of `mrcnn.training_losses.Sampling`. Values are Python literals, text without
            quotes.

    Returns:
        `TrainConfig`.

    Raises:
        ValueError: if there is no such config, a key is unknown, or a value cannot be; with the nearest key.
    """
    names = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
    if name not in names:
        raise ValueError(f"no config {name!r}; there are: {', '.join(names)}")
    config = importlib.import_module(f"pipeline.training.recipes.{name}").CONFIG
    changes = {"": {}, "network": {}, "sampling": {}}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise ValueError(f"--set takes key=value, got {setting!r}")
        group, _, field = key.rpartition(".")
        if key == "epochs":
            raise ValueError("unknown config key 'epochs': use --epochs, or --set steps=...")
        if key in OTHER_NAMES:
            raise ValueError(f"unknown config key {key!r}: it is {OTHER_NAMES[key]!r} here")
        if group not in changes or key in changes:
            raise ValueError(f"unknown config key {key!r}; groups are network.KEY and sampling.KEY")
        changes[group][field] = text
    config = replace(config, **_parsed(config, changes[""], ""))
    check_settings(config)
    for group in ("network", "sampling"):
        if changes[group]:
            values = {**getattr(config, group), **_parsed(_defaults(config, group), changes[group], f"{group}.")}
            config = dataclasses.replace(config, **{group: values})
        if getattr(config, group):
            _check_group(group, replace(_defaults(config, group), **getattr(config, group)))
    return config


def _defaults(config, group):
    """The record that `network` or `sampling` changes."""
    if group == "network":
        return PRESETS[config.preset]
    from mrcnn.training_losses import Sampling

    return Sampling()


def _parsed(record, texts, prefix):
    """Values of the types of a record's fields, from their texts."""
    values = {}
    for key, text in texts.items():
        if prefix == "network." and key in RESERVED:
            raise ValueError(f"{prefix}{key} cannot be set: {RESERVED[key]}")
        try:
            replace(record, **{key: None})
        except ValueError as error:  # an unknown key
            sentence = str(error).replace(repr(key), repr(prefix + key), 1)
            raise ValueError(sentence.replace("did you mean '", f"did you mean '{prefix}")) from None
        values[key] = _parse(prefix + key, text, getattr(record, key))
    return values


def _parse(key, text, current):
    """A value of the type of `current` from the text after `=`."""
    if isinstance(current, str):
        return text
    try:
        value = ast.literal_eval(text)
        if isinstance(current, tuple):
            return tuple(value)
        if isinstance(current, float):
            return float(value)
        if type(value) is type(current):
            return value
    except (ValueError, SyntaxError, TypeError):
        pass
    raise ValueError(f"{key} takes a value like {current!r}, got {text!r}")


def check_settings(config):
    """Refuse values that would fail in the middle of a run only, or with words that no one understands.

    Raises:
        ValueError: naming the first setting that cannot be, and what it may be.
    """

    def refuse(keys, accepts, expected):
        for key in keys:
            value = getattr(config, key)
            if not accepts(value):
                raise ValueError(f"{key} is {value!r}, expected {expected}")

    positive = ("steps", "batch_size", "checkpoint_steps", "evaluate_steps", "learning_rate", "clip_norm")
    not_negative = ("warmup_steps", "patience", "weight_decay", "backbone_lr_factor", "aspect", "colour", "seed")
    shares = ("ema_momentum", "negative_share", "paste", "flip", "grey")
    refuse(["preset"], PRESETS.__contains__, f"one of {', '.join(PRESETS)}")
    refuse(positive, lambda value: 0 < value < math.inf, "more than 0")
    refuse(not_negative, lambda value: 0 <= value < math.inf, "0 or more")
    refuse(shares, lambda value: 0 <= value <= 1, "0 to 1")
    refuse(["image_size"], lambda side: 32 <= side <= 2048, "32 to 2048")
    refuse(["canvas_sizes"], lambda sides: sides and all(map(_is_side, sides)), "multiples of 32, such as (256, 320)")
    refuse(["scale"], _is_range, "two numbers, such as (0.8, 1.25)")
    refuse(["box_only"], lambda conditions: all(map(_is_condition, conditions)), "conditions such as ('source=web',)")
    refuse(["sampling_weights"], lambda pairs: all(map(_is_sampling_weight, pairs)), "pairs such as ('kind=dog', 3)")


def _check_group(group, record):
    """Refuse numbers of the network's config or of the sampling that cannot be."""
    for field in dataclasses.fields(record):
        name, default, value = field.name, field.default, getattr(record, field.name)
        if isinstance(default, bool | str) or (group == "network" and name in RESERVED):
            continue
        if isinstance(default, tuple):
            any_length = name in ("anchor_scales", "anchor_ratios")
            valid = value and (any_length or len(value) == len(default)) and all(map(_is_positive, value))
            expected = "numbers above 0" if any_length else f"{len(default)} numbers above 0"
        elif name.endswith("iou") or name == "confidence":
            valid, expected = 0 < value < 1, "more than 0 and less than 1"
        elif name == "proposal_level":
            valid, expected = 2 <= value <= 5, "2 to 5"
        elif default == 0 or name in ("fine_channels", "mask_margin"):
            valid, expected = 0 <= value < math.inf, "0 or more"
        else:
            valid, expected = _is_positive(value), "more than 0"
        if not valid:
            raise ValueError(f"{group}.{name} is {value!r}, expected {expected}")
    if group == "sampling" and record.negative_iou > record.positive_iou:
        raise ValueError(f"sampling.negative_iou is {record.negative_iou}, expected at most {record.positive_iou}")


def _is_positive(value):
    return isinstance(value, int | float) and 0 < value < math.inf


def _is_side(value):
    return isinstance(value, int) and value > 0 and value % 32 == 0


def _is_range(value):
    return len(value) == 2 and all(isinstance(end, int | float) for end in value) and 0 < value[0] <= value[1]


def _is_condition(value):
    return isinstance(value, str) and "=" in value


def _is_sampling_weight(value):
    match value:
        case (str(), int(times)):
            return times >= 0
    return False
