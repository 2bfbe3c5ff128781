"""Settings of a training run, one flat record; the files in `pipeline/training/recipes/` are instances of it.

python -m pipeline train --config cat --set steps=2000 --set learning_rate=1e-4 ...
"""

import ast
import dataclasses
import importlib
import math
from pathlib import Path

from mrcnn.config import PRESETS, replace

FOLDER = Path(__file__).parent / "recipes"


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """One training run."""

    # Network
    preset: str = "lite"
    image_size: int = 384  # longer side of a photo at inference, pixels
    init: str = "mobilenet_v2_oidv4"  # name or path of the weights to start from: a backbone or a whole model
    # What of the backbone keeps its weights: "stem", its first layers, as in Faster R-CNN (they see edges, which are
    # the same for all data), "all" or "none".
    frozen: str = "stem"

    # Schedule
    steps: int = 4100
    batch_size: int = 4
    learning_rate: float = 4e-4  # peak, AdamW
    backbone_lr_factor: float = 0.25  # times the learning rate, for the pretrained backbone
    warmup_steps: int = 300  # linear from 0 to the peak; then half a cosine down to 0
    weight_decay: float = 0.02
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
    aspect: float = 0.35  # log of height / width
    flip: float = 0.5
    colour: float = 0.3
    grey: float = 0.05
    seed: int = 1

    # Reports
    checkpoint_steps: int = 200
    evaluate_steps: int = 900  # validation mask AP
    patience: int = 0  # stop after this many evaluations without a better mask AP; 0 = never


def load_config(name, settings):
    """The config of a name under `pipeline/training/recipes/`, changed by `key=value` strings.

    Raises:
        ValueError: if there is no such config, a key is unknown, or a value cannot be read; with the nearest key.
    """
    names = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
    if name not in names:
        raise ValueError(f"no config {name!r}; there are: {', '.join(names)}")
    config = importlib.import_module(f"pipeline.training.recipes.{name}").CONFIG
    changes = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise ValueError(f"--set takes key=value, got {setting!r}")
        replace(config, **{key: None})  # refuses an unknown key
        changes[key] = _parse(key, text, getattr(config, key))
    return replace(config, **changes)


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
