"""Images of a result: instances over the photo, the semantic map, cut-outs.

Everything is numpy on uint8. A colour is blended through a table of 256 entries a channel, so no float copy
of the photo is ever made, and only the pixels inside an object's window are touched. Colours depend on the
row's number (or the class id) alone: the same cat has the same colour in the image, the table and every
download.
"""

import functools

import numpy as np
from PIL import Image, ImageDraw

from mrcnn.results.instances import MaskWindow
from mrcnn.results.lettering import font_for
from mrcnn.results.matting import soft_edges
from mrcnn.results.wording import percent

# Okabe and Ito's colours (2008), made for all common kinds of colour blindness, in an order that puts the
# ones that stand out from fur and furniture first; then Paul Tol's "muted" and "light" schemes (2021) for
# larger groups.
PALETTE = np.array(
    [
        (86, 180, 233),  # sky blue
        (230, 159, 0),  # orange
        (204, 121, 167),  # reddish purple
        (240, 228, 66),  # yellow
        (0, 158, 115),  # bluish green
        (213, 94, 0),  # vermilion
        (0, 114, 178),  # blue
        (238, 221, 136),  # sand
        (136, 34, 85),  # wine
        (68, 187, 153),  # mint
        (51, 34, 136),  # indigo
        (255, 170, 187),  # pink
        (153, 153, 51),  # olive
        (153, 221, 255),  # pale cyan
        (170, 68, 153),  # purple
        (187, 204, 51),  # pear
    ],
    np.uint8,
)
# The semantic map begins elsewhere in the palette, so that a class does not look like an instance.
FIRST_CLASS_COLOUR = 5
BACKGROUND_COLOUR = (38, 42, 51)
BAND = 64  # rows that are coloured at a time: lookups in all of a huge photo at once take hundreds of megabytes


def instance_colour(row):
    """`(red, green, blue)` of an instance's row, 0-based; the palette repeats after its 16 colours."""
    return tuple(PALETTE[row % len(PALETTE)].tolist())


def class_colour(class_id):
    """`(red, green, blue)` of a class id; 0 is the background."""
    if class_id == 0:
        return BACKGROUND_COLOUR
    return tuple(PALETTE[(class_id - 1 + FIRST_CLASS_COLOUR) % len(PALETTE)].tolist())


def instance_colours(found, color_by="instance", numbers=None):
    """One `(red, green, blue)` a row of `found`.

    Args:
        found: `Instances`.
        color_by: `"instance"` or `"class"`. Defaults to `"instance"`.
        numbers: `N` ints from 0. What each object is called. Defaults to the rows' own numbers.

    Raises:
        ValueError: if `color_by` is neither.
    """
    if color_by == "instance":
        return [instance_colour(int(number)) for number in _numbers(found, numbers)]
    if color_by == "class":
        return [class_colour(int(class_id)) for class_id in found.class_ids]
    raise ValueError(f'Colours go by "instance" or by "class", but "{color_by}" was asked for.')


def _numbers(found, numbers):
    return range(len(found)) if numbers is None else numbers


def draw_instances(
    image,
    found,
    masks=True,
    outlines=True,
    boxes=True,
    labels=True,
    scores=True,
    opacity=0.5,
    color_by="instance",
    numbers=None,
    names=True,
):
    """Draws each object over the photo in its own colour.

    Args:
        image: uint8 array of shape `(H, W, 3)`. It is not changed.
        found: `Instances` of that image.
        masks: bool. Fill the masks. Defaults to True.
        outlines: bool. Trace the masks' edges. Defaults to True.
        boxes: bool. Draw the boxes. Defaults to True.
        labels: bool. Write number and class at each object. Defaults to True.
        scores: bool. Write the score in percent. Defaults to True.
        opacity: float in `[0, 1]`. How much of a mask's colour covers the photo. Defaults to 0.5.
        color_by: `"instance"` or `"class"`. Defaults to `"instance"`.
        numbers: `N` ints from 0. What each object is called and coloured by, so that it keeps its colour from one
            image of a video to the next. Defaults to the rows' own numbers.
        names: bool. Whether a label names the class after the number. Defaults to True.

    Returns:
        uint8 array of shape `(H, W, 3)`.

    Raises:
        ValueError: if image and result differ in size, or `opacity` lies outside of `[0, 1]`.
    """
    _check_same_size(image, found.image_size)
    canvas = image.copy()
    numbers = _numbers(found, numbers)
    colours = instance_colours(found, color_by, numbers)
    thickness = _line_width(found.image_size)
    # From the lowest score up: where masks overlap the surest one lies on top, as in the semantic map.
    for row in reversed(range(len(found))):
        window, colour = found.windows[row], colours[row]
        if masks:
            _blend(canvas[window.slices], window.mask, colour, opacity)
        if outlines:
            canvas[window.slices][_outline(window.mask, thickness)] = colour
    if boxes:
        for row in reversed(range(len(found))):
            _draw_box(canvas, found.boxes[row], colours[row], thickness)
    if labels or scores:
        tags = _tags(found, numbers, labels, names, scores)
        _draw_tags(canvas, found, tags, colours, thickness)
    return canvas


def draw_semantic_map(semantic_map, class_names, image=None, opacity=1.0, legend=True):
    """Draws the class of each pixel in one colour a class.

    Args:
        semantic_map: uint8 or uint16 array of shape `(H, W)` of class ids, 0 is the background.
        class_names: dict from class id to name, for the legend.
        image: uint8 array of shape `(H, W, 3)` to lay the map over. Defaults to None, a map on a dark ground.
        opacity: float in `[0, 1]`. How much of the colours covers `image`. Defaults to 1.
        legend: bool. Name the colours in the lower left corner. Defaults to True.

    Returns:
        uint8 array of shape `(H, W, 3)`.

    Raises:
        ValueError: if image and map differ in size, or `opacity` lies outside of `[0, 1]`.
    """
    # Sorting millions of pixels to find one or two classes would take longer than all the drawing.
    present = np.flatnonzero(np.bincount(semantic_map.ravel(), minlength=1))
    if image is None:
        colours = np.array([class_colour(class_id) for class_id in range(max(present, default=0) + 1)], np.uint8)
        canvas = np.take(colours, semantic_map, axis=0, mode="clip")
    else:
        _check_same_size(image, semantic_map.shape)
        canvas = image.copy()
        for class_id in present[present > 0]:
            _blend(canvas, semantic_map == class_id, class_colour(int(class_id)), opacity)
    if legend:
        names = {0: "background", **class_names}
        _draw_legend(canvas, [(names.get(int(index), f"class {index}"), class_colour(int(index))) for index in present])
    return canvas


def semantic_image(semantic_map):
    """The semantic map as an image file keeps it: an image whose pixel values are the class ids.

    Args:
        semantic_map: uint8 or uint16 array of shape `(H, W)`.

    Returns:
        `PIL.Image.Image` of mode `"P"`, or `"I;16"` for uint16: palettes end at 256 colours.
    """
    if semantic_map.dtype == np.uint16:
        return Image.fromarray(semantic_map)
    image = Image.fromarray(semantic_map).convert("L")
    image.putpalette(np.array([class_colour(class_id) for class_id in range(256)], np.uint8).tobytes())
    return image


def cut_out(image, found, crop=False, soft=True):
    """The objects alone, on a transparent ground.

    Args:
        image: uint8 array of shape `(H, W, 3)`.
        found: `Instances` of that image; `found[0]` for the first object alone.
        crop: bool. Cut off what is empty around the objects. Defaults to False.
        soft: bool. Edges as soft as in the photo, without the old ground's colours, see `mrcnn.results.matting`; else
            the masks as they are, alpha 0 or 255. Defaults to True.

    Returns:
        uint8 array of shape `(H, W, 4)` or, if cropped, smaller: red, green, blue, alpha. Nothing found gives a
        wholly transparent image of the photo's size.

    Raises:
        ValueError: if image and result differ in size.
    """
    _check_same_size(image, found.image_size)
    cut = np.zeros((*found.image_size, 4), np.uint8)
    for window in found.windows:
        # Colours outside of the objects are dropped as well: who shares a cut-out shares nothing else.
        if soft and window.mask.any():
            part, place = soft_edges(image, window)
            _add(cut[place], part)
        else:
            for channel, source in enumerate((*np.moveaxis(image[window.slices], 2, 0), np.uint8(255))):
                np.copyto(cut[window.slices][..., channel], source, where=window.mask)
    if crop and cut[..., 3].any():
        cut = cut[MaskWindow.around(cut[..., 3] > 0).slices]
    return np.ascontiguousarray(cut)


def _add(cut, part):
    """Adds an object to a cut-out, in place, both `(h, w, 4)`: where two meet, they share a pixel by their alpha."""
    for row, other in zip(cut, part, strict=True):  # by rows: floats of a huge photo at once are gigabytes
        before, added = row[:, 3:].astype(np.float32), other[:, 3:].astype(np.float32)
        together = before + added
        row[:, :3] = np.rint((row[:, :3] * before + other[:, :3] * added) / np.maximum(together, 1))
        row[:, 3:] = np.minimum(together, 255)


def _check_same_size(image, size):
    if tuple(image.shape[:2]) != tuple(size):
        raise ValueError(
            f"The image has {image.shape[1]} x {image.shape[0]} pixels, but the result belongs to one of "
            f"{size[1]} x {size[0]}."
        )


def _line_width(image_size):
    """Line width in pixels, in proportion to the photo: 2 at 640 x 480."""
    return max(1, round((image_size[0] * image_size[1]) ** 0.5 / 280))


def _blend(region, mask, colour, opacity):
    """Mixes a colour into `region`, in place, where `mask` is True."""
    if not 0 <= opacity <= 1:
        raise ValueError(f"Opacity must lie between 0 and 1, but came as {opacity}.")
    values = np.arange(256)[:, None]
    tables = np.rint(values + (np.array(colour) - values) * opacity).astype(np.uint8)
    for start in range(0, len(mask), BAND):
        rows, where = region[start : start + BAND], mask[start : start + BAND]
        for channel, table in enumerate(tables.T):
            np.copyto(rows[..., channel], table.take(rows[..., channel], mode="clip"), where=where)


def _outline(mask, thickness):
    """The pixels of a mask that lie within `thickness` of its edge along a row or a column."""
    height, width = mask.shape
    padded = np.pad(mask, thickness)
    inner = mask.copy()
    for row, column in ((0, 1), (2, 1), (1, 0), (1, 2)):
        top, left = row * thickness, column * thickness
        inner &= padded[top : top + height, left : left + width]
    return mask & ~inner


def _draw_box(canvas, box, colour, thickness):
    height, width = canvas.shape[:2]
    y1, x1, y2, x2 = np.rint(box).astype(int)
    top, bottom = max(y1, 0), min(y2, height)
    left, right = max(x1, 0), min(x2, width)
    if bottom <= top or right <= left:
        return
    for edge in (
        canvas[top : top + thickness, left:right],
        canvas[max(bottom - thickness, top) : bottom, left:right],
        canvas[top:bottom, left : left + thickness],
        canvas[top:bottom, max(right - thickness, left) : right],
    ):
        edge[:] = colour


def _tags(found, numbers, labels, names, scores):
    """What is written at each object."""
    parts = [
        ([str(number + 1)] if labels else [])
        + ([name] if labels and names else [])
        + ([percent(score)] if scores else [])
        for number, name, score in zip(numbers, found.class_names, found.scores, strict=True)
    ]
    return [" ".join(words) for words in parts]


def _draw_tags(canvas, found, tags, colours, thickness):
    """Writes each row's tag above its box, or inside where there is no room, moved down past other tags."""
    height, width = canvas.shape[:2]
    size = _font_size(found.image_size)
    taken = []
    for row in range(len(found)):
        tag = _tag(tags[row], colours[row], size)[:height, :width]
        tag_height, tag_width = tag.shape[:2]
        y1, x1 = np.rint(found.boxes[row, :2]).astype(int)
        left = int(np.clip(x1, 0, width - tag_width))
        top = y1 - tag_height + thickness if y1 >= tag_height - thickness else y1
        top = int(np.clip(top, 0, height - tag_height))
        while True:
            blocking = [
                other_bottom
                for other_top, other_bottom, other_left, other_right in taken
                if top < other_bottom
                and other_top < top + tag_height
                and left < other_right
                and other_left < left + tag_width
            ]
            if not blocking or max(blocking) + tag_height > height:
                break
            top = max(blocking)
        taken.append((top, top + tag_height, left, left + tag_width))
        canvas[top : top + tag_height, left : left + tag_width] = tag


def _draw_legend(canvas, entries):
    height, width = canvas.shape[:2]
    size = _font_size((height, width))
    bottom = height - size // 2
    for text, colour in reversed(entries):
        tag = _tag(text, colour, size)[:height, :width]
        top, left = bottom - tag.shape[0], min(size // 2, width - tag.shape[1])
        if top < 0:
            break
        # A frame, for the entry may lie on an area of its own colour.
        framed = np.pad(tag[1:-1, 1:-1], ((1, 1), (1, 1), (0, 0)), constant_values=255)
        canvas[top:bottom, left : left + tag.shape[1]] = framed
        bottom = top


def _font_size(image_size):
    """Letter height in pixels, in proportion to the photo: 20 at 640 x 480."""
    return max(9, round((image_size[0] * image_size[1]) ** 0.5 / 28))


@functools.lru_cache(maxsize=512)
def _tag(text, colour, size):
    """Text on a coloured ground as uint8 `(h, w, 3)`, in black or white, whichever reads better."""
    font, text = font_for(text, size)
    padding = max(2, size // 5)
    left, _, right, _ = font.getbbox(text)
    ascent, descent = font.getmetrics()
    # Relative luminance, with 2.2 for sRGB's curve. At 0.18 black and white text stand out equally.
    luminance = np.dot([0.2126, 0.7152, 0.0722], (np.array(colour) / 255) ** 2.2)
    tag = Image.new("RGB", (int(right - left) + 2 * padding, ascent + descent + padding), colour)
    ImageDraw.Draw(tag).text(
        (padding - left, padding // 2), text, fill="black" if luminance > 0.18 else "white", font=font
    )
    image = np.array(tag)
    image.setflags(write=False)
    return image
