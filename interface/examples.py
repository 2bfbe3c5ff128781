"""Example photos that come with installed packages, so that the repository ships nobody's images."""

from pathlib import Path

import gradio
import skimage

SOURCES = {
    "a cat": (skimage, "data/chelsea.png"),
    "a cheetah": (gradio, "media_assets/images/cheetah1.jpg"),  # a large cat, which is no house cat
    "a lion": (gradio, "media_assets/images/lion.jpg"),
    "a cup of coffee": (skimage, "data/coffee.png"),
    "an astronaut": (skimage, "data/astronaut.png"),
}


def titled_examples():
    """The example photos that are installed, the cat first: pairs of the path and what one sees."""
    paths = [(Path(package.__file__).parent / name, title) for title, (package, name) in SOURCES.items()]
    return [(str(path), title) for path, title in paths if path.exists()]


def example_photos():
    """Paths of the example photos that are installed, the cat first."""
    return [path for path, _ in titled_examples()]
