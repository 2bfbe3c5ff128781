"""Results in words."""

from collections import Counter

import inflection


def counted(found):
    """What was found, in words: `"2 cats"`, `"1 dog and 3 cats"`, or `"nothing"`.

    Args:
        found: `mrcnn.Instances`.
    """
    return counted_names(found.class_names)


def counted_names(names):
    """As `counted`, of the class of each object.

    Args:
        names: list of str.
    """
    parts = [f"{number} {name if number == 1 else plural(name)}" for name, number in Counter(names).items()]
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
    """The plural of a class name: `"sheep"`, `"knives"`; what is no word, such as `"class 1"`, stays as it is."""
    return inflection.pluralize(name) if name[-1:].isalpha() else name
