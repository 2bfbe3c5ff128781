"""The page's words that depend on what its model finds."""


def thing(names):
    """What a model finds, in one word: the name of its only class, or `"object"`.

    Args:
        names: list or tuple of str. The names of its classes.
    """
    return names[0] if len(names) == 1 else "object"


def title(names):
    """The page's title for a model of these classes."""
    return f"Every {thing(names)}, cut out"


def introduction(names):
    """The title and what the page does, as Markdown."""
    return f"# {title(names)}\nMask R-CNN finds each {thing(names)} in your photo and draws its exact shape."
