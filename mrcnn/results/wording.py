"""Results in words."""

from collections import Counter


def counted(found):
    """What was found, in words: `"2 cats"`, `"1 dog and 3 cats"`, or `"nothing"`.

    Args:
        found: `mrcnn.Instances`.
    """
    parts = [f"{number} {name if number == 1 else plural(name)}" for name, number in Counter(found.class_names).items()]
    if not parts:
        return "nothing"
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


def percent(score):
    """A score as a whole number of percent: `"97 %"`; `"100 %"` only for a score of exactly 1.

    Args:
        score: float in `[0, 1]`.
    """
    return f"{100 if score == 1 else min(round(100 * float(score)), 99)} %"


def plural(name):
    """The plural of a class name, for the regular nouns that class names are."""
    if name.endswith(("s", "x", "ch", "sh")):
        return f"{name}es"
    return f"{name}s"
