"""Settings of a training run, one flat record; the files in `pipeline/configs/` are instances of it.

python -m pipeline train --config cat --set steps=2000 --set learning_rate=1e-4 ...
"""

import ast
import dataclasses
import importlib
from pathlib import Path

from mrcnn.config import replace

FOLDER = Path(__file__).parent / "configs"


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
    backbone_rate: float = 0.25  # times the learning rate, for the pretrained backbone
    warmup_steps: int = 300  # linear from 0 to the peak; then half a cosine down to 0
    weight_decay: float = 0.02
    clip_norm: float = 5.0  # largest global norm of the gradient
    average: float = 0.998  # momentum of the moving average of the weights, which is what is evaluated and shipped

    # Data
    canvas_sizes: tuple[int, ...] = (256, 320, 384)  # side of the square canvas in pixels, one drawn for each batch
    negative_share: float = 0.25  # of the samples are photos without any instance
    # ("kind=dog", 3): photos of whose COCO record this is true come that many times as often as others in their group;
    # 0 leaves them out
    repeat: tuple[tuple[str, int], ...] = ()
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
    """The config of a name under `pipeline/configs/`, changed by `key=value` strings.

    Raises:
        ValueError: if there is no such config, a key is unknown, or a value cannot be read; with the nearest key.
    """
    names = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
    if name not in names:
        raise ValueError(f"no config {name!r}; there are: {', '.join(names)}")
    config = importlib.import_module(f"pipeline.configs.{name}").CONFIG
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
