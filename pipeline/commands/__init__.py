"""One module a command, named like it: its arguments, what it prints, its exit code. The work is done elsewhere.

Its docstring is what `python -m pipeline COMMAND --help` shows. `pipeline/__main__.py` lists them all.
"""

from pathlib import Path


def npz_path(text):
    """The path of a file of weights, of which the ending may be left out."""
    return Path(text if text.endswith(".npz") else f"{text}.npz")
