"""The page's switches and sliders as one record: which objects count, and how they are drawn."""

import dataclasses
import re

import numpy as np
from PIL import Image, ImageColor, ImageFilter

from interface.stickers import stickers
from mrcnn.results import drawing

SHOWN = ["masks", "outlines", "boxes", "labels", "scores"]
COLORS_BY = ["instance", "class"]
BACKGROUNDS = ["original", "grey", "blurred", "colour", "transparent", "white rim"]
CUT_OUT = ("transparent", "white rim")  # backgrounds that are none
SEMANTIC_STYLES = ["solid", "overlay"]
BACKGROUND_COLOUR = "#f6f4ef"
IN_COLOUR = "Colour on grey"
# Looks that one click puts on: which of `SHOWN` are drawn, the opacity in percent, and the background.
LOOKS = {
    "Masks": (SHOWN, 50, "original"),
    "Outlines": (["outlines"], 50, "original"),
    "Cut-out": ([], 50, "transparent"),
    "Sticker": ([], 50, "white rim"),
    "Blurred": ([], 50, "blurred"),
    IN_COLOUR: ([], 50, "grey"),
}
MOST_WORDS = 6  # objects; labels of more than these would cover the picture, so they are numbers alone
UNDRAWN = (1, 0, 2)  # neither in the palette, nor between one of its colours and black or white


@dataclasses.dataclass(frozen=True)
class Settings:
    """Which objects of a result count, and how they are drawn.

    Args:
        confidence: float in `[0, 1]`. Objects of a lower score are left out. Defaults to 0.5.
        mask_threshold: float in `[0, 1)`. Pixels above it belong to an object. Defaults to 0.5.
        opacity: float in `[0, 1]`. Of the masks and of the semantic map over the photo. Defaults to 0.5.
        shown: which of `SHOWN` are drawn. Defaults to all.
        color_by: one of `COLORS_BY`. Defaults to `"instance"`.
        background: one of `BACKGROUNDS`. Defaults to `"original"`.
        semantic_style: one of `SEMANTIC_STYLES`. Defaults to `"solid"`.
        classes: tuple of str. Objects of other classes are left out. Defaults to none, which means all.
        background_colour: str. Of the background `"colour"`, see `rgb`. Defaults to off-white.
    """

    confidence: float = 0.5
    mask_threshold: float = 0.5
    opacity: float = 0.5
    shown: tuple = tuple(SHOWN)
    color_by: str = "instance"
    background: str = "original"
    semantic_style: str = "solid"
    classes: tuple = ()
    background_colour: str = BACKGROUND_COLOUR

    @classmethod
    def from_widgets(
        cls,
        confidence,
        opacity,
        shown,
        mask_threshold,
        color_by,
        background,
        background_colour,
        semantic_style,
        classes=(),
    ):
        """Settings from what the widgets send; their sliders count in percent, which has no decimal mark.

        Raises:
            ValueError: if they are not what a widget sends; one sentence that may be shown.
        """
        numbers = confidence, opacity, mask_threshold
        texts = color_by, background, background_colour, semantic_style, *_texts(shown), *_texts(classes)
        if not all(type(number) in (int, float) and 0 <= number <= 100 for number in numbers) or not all(
            isinstance(text, str) for text in texts
        ):
            raise ValueError("The page's controls hold values that they do not offer.")
        return cls(
            confidence=confidence / 100,
            mask_threshold=mask_threshold / 100,
            opacity=opacity / 100,
            shown=tuple(shown),
            color_by=color_by,
            background=background,
            semantic_style=semantic_style,
            classes=tuple(classes or ()),
            background_colour=background_colour,
        )

    def chosen(self, detections):
        """The `Detections` of the chosen classes, whatever their score."""
        if not self.classes:
            return detections
        kept = np.isin(np.array(detections.class_names)[detections.class_ids - 1], self.classes)
        return detections[kept]

    def instances(self, detections):
        """The `Instances` that count: of the chosen classes and of enough confidence."""
        return self.chosen(detections).instances(self.confidence, self.mask_threshold)

    def draw_instances(self, image, found):
        """The instance image: uint8 `(H, W, 3)`, or `(H, W, 4)` where the background is cut away."""
        shown = {part: part in self.shown for part in SHOWN}
        style = {"opacity": self.opacity, "color_by": self.color_by}
        if shown["labels"] and len(found) > MOST_WORDS:
            shown["scores"] = style["names"] = False
        ground = replace_background(image, found, self.background, self.background_colour)
        drawn = drawing.draw_instances(ground, found, **shown, **style)
        if self.background not in CUT_OUT:
            return drawn
        cut_out = stickers if self.background == "white rim" else drawing.cut_out
        cut = cut_out(drawn, found, soft=not (shown["masks"] or shown["outlines"]))  # what is drawn there is no fur
        # Boxes and labels reach beyond the objects. On a ground of a colour that nothing is drawn in they are what
        # differs from it.
        sketch = np.full_like(image, UNDRAWN)
        sketch = drawing.draw_instances(sketch, found, **{**shown, "masks": False, "outlines": False}, **style)
        written = (sketch != UNDRAWN).any(axis=2)
        cut[written, :3], cut[written, 3] = sketch[written], 255
        return cut

    def draw_semantic_map(self, image, semantic_map, class_names):
        """The semantic image: uint8 `(H, W, 3)`. Its legend stands beside it."""
        photo = image if self.semantic_style == "overlay" else None
        return drawing.draw_semantic_map(semantic_map, class_names, photo, self.opacity, legend=False)

    @property
    def look(self):
        """The name of the look that these settings are, or `None`."""
        style = set(self.shown), round(100 * self.opacity), self.background
        return next((name for name, (shown, *rest) in LOOKS.items() if (set(shown), *rest) == style), None)


def _texts(values):
    return values if isinstance(values, list | tuple) else () if values is None else (values, None)


def replace_background(image, found, background, colour=BACKGROUND_COLOUR):
    """The photo with all that is no object greyed, blurred or painted over.

    Args:
        image: uint8 array `(H, W, 3)`.
        found: `mrcnn.Instances` of that image.
        background: one of `BACKGROUNDS`.
        colour: str. What to paint with for the background `"colour"`, see `rgb`.

    Returns:
        uint8 array `(H, W, 3)`.

    Raises:
        ValueError: if there is no such background or colour.
    """
    if background == "original" or background in CUT_OUT:
        return image
    if background == "grey":
        ground = np.repeat(np.array(Image.fromarray(image).convert("L"))[..., None], 3, axis=2)
    elif background == "blurred":
        radius = max(image.shape[:2]) / 60
        ground = np.array(Image.fromarray(image).filter(ImageFilter.BoxBlur(radius)))
    elif background == "colour":
        ground = np.full_like(image, rgb(colour))
    else:
        raise ValueError(f'There is no background "{background}", only: {", ".join(BACKGROUNDS)}.')
    for window in found.windows:
        place = window.slices
        np.copyto(ground[place], image[place], where=window.mask[..., None])
    return ground


def rgb(colour):
    """Red, green and blue from 0 to 255 of a colour as CSS and Gradio's picker write it.

    Args:
        colour: str. As `"#f6f4ef"`, `"ivory"` or `"rgba(246.2, 244, 239, 1)"`, whose transparency does not count.

    Raises:
        ValueError: if it is no colour.
    """
    numbers = re.fullmatch(r"rgba?\(([\d.]+), *([\d.]+), *([\d.]+)(?:, *[\d.]+)?\)", colour)
    if numbers:
        return tuple(min(255, round(float(number))) for number in numbers.groups())
    return ImageColor.getrgb(colour)[:3]
