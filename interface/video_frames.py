"""Images of a video: smaller and drawn more plainly than a photo, because the next one is coming."""

import numpy as np
from PIL import Image

from interface.encoding import data_uri, jpeg
from mrcnn.results import drawing
from mrcnn.results.wording import counted

LARGEST_SIDE = 640


def sized_for_video(image):
    """The image uint8 `(H, W, 3)`, made smaller if its longer side is above `LARGEST_SIDE`."""
    share = LARGEST_SIDE / max(image.shape[:2])
    if share >= 1:
        return image
    height, width = (max(1, round(side * share)) for side in image.shape[:2])
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BOX))


def draw_both(image, found, class_names, numbers):
    """Instance image and semantic map of one image of a video.

    Args:
        image: uint8 `(H, W, 3)`.
        found: `mrcnn.Instances` of it.
        class_names: names of the classes 1, 2, and so on.
        numbers: `N` ints from 0 that stay with each object, see `interface.tracker`.

    Returns:
        Two arrays uint8 `(H, W, 3)`.
    """
    names = dict(enumerate(class_names, start=1))
    instances = drawing.draw_instances(image, found, boxes=False, numbers=numbers)
    return instances, drawing.draw_semantic_map(found.semantic_map(), names)


def video_html(image=None, found=None, class_names=(), numbers=None):
    """Both images side by side as HTML; without an image, the places where they will be. Arguments: `draw_both`."""
    if image is None:
        contents = ['<div class="frame blank"></div>'] * 2
    else:
        height, width = image.shape[:2]
        words = f"The camera's image with {counted(found)} marked", f"Map of the classes with {counted(found)}"
        contents = [
            f'<img class="video" src="{data_uri(jpeg(drawn, quality=80))}" alt="{text}"'
            f' width="{width}" height="{height}" decoding="sync">'
            for drawn, text in zip(draw_both(image, found, class_names, numbers), words, strict=True)
        ]
    figures = [
        f"<figure>{content}<figcaption>{caption}</figcaption></figure>"
        for content, caption in zip(contents, ("Instances", "Semantic map"), strict=True)
    ]
    return f'<div class="result"><div class="images">{"".join(figures)}</div></div>'
