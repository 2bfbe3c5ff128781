"""Drawn photos of a few sizes, some with the real cat, one of another kind of file and one that breaks off."""

import numpy as np
import skimage.data
from PIL import Image

from tests.drawn import draw


def write_photos(folder, count, seed=0):
    """Writes `count` photos that can be read and two that cannot into two folders of `folder`, which is returned."""
    random, cat = np.random.default_rng(seed), Image.fromarray(skimage.data.chelsea())
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        photo = cat.resize((320 + 16 * (number % 3), 240)) if number % 4 == 0 else Image.fromarray(draw(random, 96)[0])
        photo.save(folder / "ab"[number % 2] / f"{number:05d}.jpg", quality=90)
    (folder / "a" / "nonsense.jpg").write_bytes(b"nonsense")
    (folder / "b" / "torn.jpg").write_bytes((folder / "a" / "00000.jpg").read_bytes()[:600])
    (folder / "notes.txt").write_text("no photo\n")
    return folder
