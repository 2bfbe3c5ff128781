"""Images of a video: smaller and drawn more plainly than a photo, because the next one is coming."""

import numpy as np
from PIL import Image

from interface.encoding import data_uri, jpeg
from interface.settings import replace_background
from interface.words import thing
from mrcnn.results import drawing
from mrcnn.results.wording import counted, plural

LARGEST_SIDE = 640
# What is drawn over which background, see `interface.settings.BACKGROUNDS`, and in which colour. No boxes, which would
# only repeat what the outlines say, and nothing is transparent: neither JPEG nor H.264 knows it.
LOOKS = {
    "masks": (("masks", "outlines", "labels", "scores"), "original", ""),
    "colour": (("labels",), "grey", ""),
    "outlines": (("outlines", "labels"), "original", ""),
    "blurred": ((), "blurred", ""),
    "cut-out": ((), "colour", "#101418"),
}


def look_choices(class_names):
    """The looks as choices of a widget: pairs of words and a key of `LOOKS`.

    Args:
        class_names: list of str. The names of a model's classes.
    """
    words = {
        "masks": "Masks",
        "colour": f"Only {plural(thing(class_names))} in colour",
        "outlines": "Outlines",
        "blurred": "Blur the rest",
        "cut-out": "Cut-out",
    }
    return [(words[look], look) for look in LOOKS]


def sized_for_video(image):
    """The image uint8 `(H, W, 3)`, made smaller if its longer side is above `LARGEST_SIDE`."""
    share = LARGEST_SIDE / max(image.shape[:2])
    if share >= 1:
        return image
    height, width = (max(1, round(side * share)) for side in image.shape[:2])
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BOX))


def draw_both(image, found, class_names, numbers, look="masks", semantic=True):
    """Instance image and semantic map of one image of a video.

    Args:
        image: uint8 `(H, W, 3)`.
        found: `mrcnn.Instances` of it.
        class_names: names of the classes 1, 2, and so on.
        numbers: `N` ints from 0 that stay with each object, see `interface.tracker`.
        look: a key of `LOOKS`, for the instance image. Defaults to `"masks"`.
        semantic: bool. Whether the semantic map is drawn as well. Defaults to `True`.

    Returns:
        List of one or two arrays uint8 `(H, W, 3)`.
    """
    drawn, background, colour = LOOKS[look]
    ground = replace_background(image, found, background, colour)
    images = [
        drawing.draw_instances(
            ground,
            found,
            masks="masks" in drawn,
            outlines="outlines" in drawn,
            boxes="boxes" in drawn,
            labels="labels" in drawn,
            scores="scores" in drawn,
            numbers=numbers,
        )
    ]
    if semantic:
        images.append(drawing.draw_semantic_map(found.semantic_map(), dict(enumerate(class_names, start=1))))
    return images


def frame_html(drawn=(), found=None, semantic=True, number=0, of="The camera's image"):
    """Images of a video side by side as HTML; without any, the places where they will be.

    Args:
        drawn: what `draw_both` gave.
        found: `mrcnn.Instances` in it.
        semantic: bool. Whether there is a place for the semantic map. Defaults to `True`.
        number: int. Stands in the HTML, which so differs from image to image even if nothing moves.
        of: str. What the images show, for those who do not see them.
    """
    captions = ("Instances", "Semantic map")[: 2 if semantic else 1]
    contents = ['<div class="frame blank"></div>'] * len(captions)
    if drawn:
        words = f"{of} with {counted(found)} marked", f"Map of the classes with {counted(found)}"
        contents = [
            f'<img class="video" src="{data_uri(jpeg(image, quality=80))}" alt="{text}"'
            f' width="{image.shape[1]}" height="{image.shape[0]}" decoding="sync">'
            for image, text in zip(drawn, words, strict=False)
        ]
    figures = [
        f"<figure>{content}<figcaption>{caption}</figcaption></figure>"
        for content, caption in zip(contents, captions, strict=True)
    ]
    return f'<div class="result" data-number="{number}"><div class="images">{"".join(figures)}</div></div>'
