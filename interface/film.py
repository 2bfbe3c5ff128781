"""Pictures of a film: smaller and drawn more plainly than a photo, because the next one is coming."""

import base64
import io

import numpy as np
from PIL import Image

from mrcnn.results import drawing
from mrcnn.results.wording import counted

LARGEST_SIDE = 640


def sized_for_film(picture):
    """The picture uint8 `(H, W, 3)`, made smaller if its longer side is above `LARGEST_SIDE`."""
    share = LARGEST_SIDE / max(picture.shape[:2])
    if share >= 1:
        return picture
    height, width = (max(1, round(side * share)) for side in picture.shape[:2])
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BOX))


def draw_both(picture, found, class_names, numbers):
    """Instance picture and semantic map of one picture of a film.

    Args:
        picture: uint8 `(H, W, 3)`.
        found: `mrcnn.Instances` of it.
        class_names: names of the classes 1, 2, and so on.
        numbers: `N` ints from 0 that stay with each object, see `interface.tracker`.

    Returns:
        Two arrays uint8 `(H, W, 3)`.
    """
    names = dict(enumerate(class_names, start=1))
    instances = drawing.draw_instances(picture, found, boxes=False, numbers=numbers)
    return instances, drawing.draw_semantic_map(found.semantic_map(), names)


def film_html(picture=None, found=None, class_names=(), numbers=None):
    """Both pictures side by side as HTML; without a picture, the places where they will be. Arguments: `draw_both`."""
    if picture is None:
        contents = ['<div class="frame blank"></div>'] * 2
    else:
        height, width = picture.shape[:2]
        words = f"The camera's picture with {counted(found)} marked", f"Map of the classes with {counted(found)}"
        contents = [
            f'<img class="film" src="{_jpeg(drawn)}" width="{width}" height="{height}" alt="{text}" decoding="sync">'
            for drawn, text in zip(draw_both(picture, found, class_names, numbers), words, strict=True)
        ]
    figures = [
        f"<figure>{content}<figcaption>{caption}</figcaption></figure>"
        for content, caption in zip(contents, ("Instances", "Semantic map"), strict=True)
    ]
    return f'<div class="result"><div class="pictures">{"".join(figures)}</div></div>'


def _jpeg(picture):
    stored = io.BytesIO()
    Image.fromarray(picture).save(stored, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(stored.getvalue()).decode()}"
