"""What a link to the page carries: the model, the confidence and the look, and nothing of a photo."""

import urllib.parse

from interface.session import LOWEST_CONFIDENCE
from interface.settings import LOOKS, Settings

HIGHEST_CONFIDENCE = 99  # percent, where the page's slider ends


def link_state(model_name, settings, first_model):
    """The part of a link behind its question mark, as in `"confidence=35&look=cut-out"`; empty at first.

    Args:
        model_name: str.
        settings: `interface.settings.Settings`.
        first_model: str. The model that a visitor without a link gets.
    """
    state = {}
    if model_name != first_model:
        state["model"] = model_name
    if settings.confidence != Settings.confidence:
        state["confidence"] = round(100 * settings.confidence)
    if settings.look and settings.look != Settings().look:
        state["look"] = slug(settings.look)
    return urllib.parse.urlencode(state)


def read_state(sent, models):
    """What a link asked for, as far as the page offers it.

    Args:
        sent: dict. What stood in the link, by name.
        models: list of str. The models that there are, the default first.

    Returns:
        The model's name, the confidence in percent, and the look's name, each the page's own where the link says
        nothing that there is.
    """
    model, confidence, look = (str(sent.get(name, "")) for name in ("model", "confidence", "look"))
    lowest = round(100 * LOWEST_CONFIDENCE)
    known = confidence.isascii() and confidence.isdigit() and len(confidence) < 4
    known = known and lowest <= int(confidence) <= HIGHEST_CONFIDENCE
    looks = {slug(name): name for name in LOOKS}
    return (
        model if model in models else models[0],
        int(confidence) if known else round(100 * Settings.confidence),
        looks.get(look, Settings().look),
    )


def slug(name):
    """A name as a link and an id carry it: `"Colour on grey"` as `"colour-on-grey"`."""
    return name.lower().replace(" ", "-")
