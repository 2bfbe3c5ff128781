"""Stickers: objects alone, with soft edges and a white rim around them."""

import html

import numpy as np
from PIL import Image, ImageFilter

from interface.encoding import data_uri, png
from mrcnn.results import drawing
from mrcnn.results.wording import percent

RIM = 0.015  # how wide the rim is, as a share of the longer side of the picture that the sticker was cut from
# How much of the rim's width is blurred over counts as rim: at a straight edge, what lies closer than one sigma.
EDGE, SOFTNESS = 40, 4  # of 255


def add_rim(cut, width):
    """Puts a white rim behind what is cut out.

    Args:
        cut: uint8 `(H, W, 4)`: red, green, blue, alpha.
        width: int. Of the rim in pixels, at a straight edge; what is pointed gets less, so that it stays smooth.

    Returns:
        uint8 `(H, W, 4)`.
    """
    alpha = Image.fromarray(np.ascontiguousarray(cut[..., 3]))
    ramp = [int(np.clip(255 * (value - EDGE + SOFTNESS) / (2 * SOFTNESS), 0, 255)) for value in range(256)]
    rim = np.asarray(alpha.filter(ImageFilter.GaussianBlur(width)).point(ramp))
    rimmed = np.empty_like(cut)
    for start in range(0, len(cut), drawing.BAND):  # wide integers of all of a huge photo are a gigabyte
        rows = slice(start, start + drawing.BAND)
        share = cut[rows, :, 3:].astype(np.uint16)
        rimmed[rows, :, :3] = (cut[rows, :, :3] * share + 255 * (255 - share) + 127) // 255
        rimmed[rows, :, 3] = np.maximum(rim[rows], cut[rows, :, 3])
    return rimmed


def rim_width(image_size):
    """How wide the rim of a sticker from a picture of this `(height, width)` is, in pixels."""
    return max(3, round(RIM * max(image_size)))


def sticker(image, found, soft=True):
    """One object as a sticker.

    Args:
        image: uint8 `(H, W, 3)`.
        found: `mrcnn.Instances` of that image with one object.
        soft: bool. See `mrcnn.results.drawing.cut_out`. Defaults to True.

    Returns:
        uint8 `(h, w, 4)`, and its left and upper edge in the image in pixels, which may lie beyond the image's own: the
        rim goes around what the photo cut off too. `None` if the object has no pixel.
    """
    cut = drawing.cut_out(image, found, soft=soft)
    rows, columns = (np.flatnonzero((cut[..., 3] > 0).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    width = rim_width(found.image_size)
    margin = 2 * width + 1
    part = cut[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    padded = np.pad(part, ((margin, margin), (margin, margin), (0, 0)))
    del cut, part  # of a huge photo, each is hundreds of megabytes
    return add_rim(padded, width), (int(columns[0]) - margin, int(rows[0]) - margin)


def stickers(image, found, soft=True):
    """All objects as stickers, each with a rim of its own; the surest lies on top.

    Args:
        image, soft: see `sticker`.
        found: `mrcnn.Instances` of that image.

    Returns:
        uint8 `(H, W, 4)`.
    """
    sheet = Image.new("RGBA", image.shape[1::-1])
    for row in reversed(range(len(found))):
        made = sticker(image, found[row : row + 1], soft)
        if made is None:
            continue
        pixels, place = made
        beyond = tuple(max(0, -start) for start in place)  # of the image's left and upper edge
        sheet.alpha_composite(Image.fromarray(pixels), tuple(max(0, start) for start in place), beyond)
    return np.array(sheet)


def sticker_html(analysis, settings, row):
    """A sticker that lies over its object in the picture, with what can be done with it.

    Args:
        analysis: `interface.session.Analysis`.
        settings: `interface.settings.Settings`.
        row: int. The object's row in the table, from 0.

    Returns:
        str of HTML, empty if there is no such object. Its place is given in percent of the picture.
    """
    seen = settings.instances(analysis.view_detections())
    if type(row) is not int or not 0 <= row < len(seen):
        return ""
    made = sticker(analysis.view, seen[row : row + 1])
    if made is None:
        return ""
    pixels, (left, top) = made
    height, width = analysis.view.shape[:2]
    place = f"--left: {100 * left / width:.3f}; --top: {100 * top / height:.3f}; "
    place += f"--width: {100 * pixels.shape[1] / width:.3f}"
    title = html.escape(f"{seen.class_names[row]} {row + 1}", quote=True)
    address = data_uri(png(pixels))
    says = html.escape(f"{percent(seen.scores[row])} sure")
    return f"""
<figure class="sticker" data-lifted="{row}" style="{place}" role="group" aria-label="Sticker of {title}">
  <img src="{address}" alt="{title} cut out, {says}" title="Drag it out of the page" draggable="true">
  <figcaption>
    <button type="button" data-do="copy">Copy</button>
    <a href="{address}" download="{title.replace(" ", "-")}-sticker.png">Save</a>
    <button type="button" data-do="close" aria-label="Put the sticker back">&times;</button>
  </figcaption>
</figure>"""
