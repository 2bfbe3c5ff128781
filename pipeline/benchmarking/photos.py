"""Photos for the benchmark: one cat, 640 x 480 pixels, never the same twice, and what must be found in each."""

import dataclasses

import numpy as np
from PIL import Image

SIZE = 480, 640
SCALE = 1.2  # of the 300 x 451 photo of Chelsea on the canvas
GROUND = (112, 100, 92)
# Rows and columns of her forehead, the bridge of her nose and her cheek in the original photo.
FACE = np.array([(60, 200), (185, 235), (210, 110)])


@dataclasses.dataclass(frozen=True, eq=False)
class Photo:
    """An image, its file, and where the cat is.

    Attributes:
        image: uint8 `(480, 640, 3)`.
        path: path of the same image as JPEG.
        face: int `(3, 2)`. Rows and columns of points of the cat.
    """

    image: np.ndarray
    path: object
    face: np.ndarray

    def is_held_by(self, found):
        """Whether one mask of `found` covers the cat's face and leaves at least two corners of the photo out."""
        rows, columns = self.face.T
        corners = found.masks[:, [0, 0, -1, -1], [0, -1, 0, -1]]
        return bool((found.masks[:, rows, columns].all(axis=1) & (corners.sum(axis=1) <= 2)).any())


def photos(count, folder):
    """`count` variations of scikit-image's cat: shifted, flipped, darker and brighter; written to `folder`.

    Returns:
        list of `Photo`.
    """
    import skimage.data

    height, width = SIZE
    cat = Image.fromarray(skimage.data.chelsea())
    cat = cat.resize((round(cat.width * SCALE), round(cat.height * SCALE)), Image.Resampling.BICUBIC)
    random = np.random.default_rng(0)
    made = []
    for number in range(count):
        pixels = np.asarray(cat) * random.uniform(0.8, 1.2)
        face = np.rint(FACE * SCALE).astype(int)
        if number % 2:
            pixels = pixels[:, ::-1]
            face[:, 1] = cat.width - 1 - face[:, 1]
        top, left = random.integers(0, height - cat.height + 1), random.integers(0, width - cat.width + 1)
        image = np.full((height, width, 3), GROUND, np.uint8)
        image[top : top + cat.height, left : left + cat.width] = np.clip(pixels, 0, 255)
        path = folder / f"cat{number}.jpg"
        Image.fromarray(image).save(path, quality=92)
        made.append(Photo(image, path, face + np.array([top, left])))
    return made
