"""How to get the packages that a part of this project needs beyond its base."""

from pathlib import Path


def install_command(extra):
    """The command that installs an extra of `pyproject.toml`: of the checkout that this runs from, or of the package.

    Args:
        extra: str. As `"export"`; several with commas between them.

    Returns:
        str.
    """
    root = Path(__file__).parents[1]
    name = root if (root / "pyproject.toml").is_file() else "mrcnn-demo"
    return f'pip install "{name}[{extra}]"'
