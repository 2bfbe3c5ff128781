"""Example photos that come with installed packages, so that the repository ships nobody's pictures."""

from pathlib import Path

import gradio
import skimage

SOURCES = [
    (skimage, "data/chelsea.png"),  # a cat
    (gradio, "media_assets/images/cheetah1.jpg"),  # a large cat, which is no house cat
    (gradio, "media_assets/images/lion.jpg"),
    (skimage, "data/coffee.png"),
    (skimage, "data/astronaut.png"),
]


def example_photos():
    """Paths of the example photos that are installed, the cat first."""
    paths = [Path(package.__file__).parent / name for package, name in SOURCES]
    return [str(path) for path in paths if path.exists()]
