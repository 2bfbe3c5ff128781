"""What is known of an installed model: classes, accuracy, size and rights, from the files beside its weights."""

import re

from mrcnn import weights

LISTED_CLASSES = 5


def class_names(name):
    """tuple of str. The classes of an installed model, which is not loaded for it."""
    return tuple(weights.read_card(weights.locate(name, weights.RUNNABLE))["config"]["class_names"])


def short_card(name):
    """One line of Markdown: classes, mask AP, size and licence, as far as they are known.

    Args:
        name: str. One of `mrcnn.weights.available`.
    """
    path = weights.locate(name, weights.RUNNABLE)
    card = weights.read_card(path)
    names = class_names(name)
    count = "1 class" if len(names) == 1 else f"{len(names)} classes"
    listed = ", ".join(names[:LISTED_CLASSES]) + (", ..." if len(names) > LISTED_CLASSES else "")
    metrics = card.get("metrics") or {}
    ap = (metrics.get("mask") or {}).get("AP")
    photos = f" on {metrics['pictures']} photos" if metrics.get("pictures") else ""
    facts = [
        f"{count}: {listed}",
        "accuracy not measured" if ap is None or ap < 0 else f"mask AP {ap:.3f}{photos}",
        f"{path.stat().st_size / 1e6:.1f} MB",
        card.get("licence", "licence not stated"),
    ]
    return " · ".join(facts)


def long_card(name):
    """The whole card as Markdown: all classes and the text of `NAME.md`, where there is one."""
    text = weights.beside(weights.locate(name, weights.RUNNABLE), ".md")
    names = class_names(name)
    classes = f"**Classes ({len(names)}):** {', '.join(names)}"
    if not text.exists():
        return classes
    # Its title is one of a page of its own; here it stands below that of the demo.
    return f"{re.sub('^#', '###', text.read_text(), flags=re.MULTILINE)}\n\n{classes}"
