"""All settings of a training run as text, taken from the comments and docstrings of the records that hold them."""

import dataclasses
import inspect
import re

from pipeline.training.config import RESERVED, load_config


def list_settings(recipe):
    """Every key that `--set` takes, with its default and its meaning.

    Args:
        recipe: str. The recipe whose values are the defaults.

    Returns:
        str, a line a setting, under headings.

    Raises:
        ValueError: if there is no such recipe.
    """
    from mrcnn.config import PRESETS, Config
    from mrcnn.training_losses import Sampling

    config = load_config(recipe, [])
    network = dataclasses.replace(PRESETS[config.preset], **config.network)
    lines = _lines(config, "", type(config), skipped=("network", "sampling"))
    lines += ["", f"The network, of the preset {config.preset}:", *_lines(network, "network.", Config, RESERVED)]
    lines += ["", "What a step samples:", *_lines(Sampling(**config.sampling), "sampling.", Sampling)]
    return "\n".join(lines)


def _lines(record, prefix, kind, skipped=()):
    meanings = _meanings(kind)
    lines = []
    for field in dataclasses.fields(record):
        if field.name not in skipped:
            setting = f"{prefix}{field.name}={getattr(record, field.name)!s}".replace(" ", "")
            lines.append(f"  {setting:<40} {meanings.get(field.name, '')}".rstrip())
    return lines


def _meanings(kind):
    """What the fields of a dataclass mean: dict from name to str.

    Read are `Attributes:` of its docstring, the comment behind a field and the comment lines above it. A comment after
    an empty line is the heading of a group and belongs to no field.
    """
    meanings = {}
    attributes = (inspect.getdoc(kind) or "").partition("Attributes:\n")[2].partition("\n\n")[0]
    for name, text in re.findall(r"^    (\w+): (.+(?:\n {8}.+)*)", attributes, re.MULTILINE):
        meanings[name] = " ".join(text.split())
    above, heading = [], True
    for line in inspect.getsource(kind).splitlines():
        line = line.strip()
        field = re.match(r"(\w+): .*?= .*?(?:  # (.*))?$", line)
        if line.startswith("#"):
            if not heading:
                above.append(line[1:].strip())
        elif field:
            text = " ".join(filter(None, [*above, field[2]]))
            if text:
                meanings[field[1]] = text
            above, heading = [], False
        else:
            above, heading = [], not line
    return meanings
