"""Scenes with several cats, put together from one cat that may be shown.

Chelsea the cat (scikit-image, CC0) is cut out by the model itself, and set at several sizes, mirrored and in other
furs, at the windows of a house of scikit-image's textures. What the page shows of these scenes is found by the model,
as in any photo; only their cats were placed.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter
from skimage import data

SIZE = 1200, 900  # of a scene, width and height: the shape of a pane of the page
FRAME = 0.016  # how wide a window's frame is, as a share of the scene's width
# Red, green and blue are multiplied by these, so that one cat comes in several furs; `None` is grey.
GINGER, GREY, SAND, BROWN = (1.0, 1.0, 1.0), None, (1.15, 1.16, 1.2), (0.82, 0.76, 0.72)
BRICK, STONE = ("brick", (176, 120, 98)), ("gravel", (214, 206, 192))  # a texture and its colour
GARDEN, PATH, DUSK = ("grass", (150, 170, 140)), ("gravel", (170, 180, 190)), ("grass", (120, 130, 150))


class Cat(NamedTuple):
    """A cat at a window.

    Attributes:
        centre: float. Where its middle is, as a share of the window's width.
        size: float. Its height as a share of the window's. Chelsea's photo ends at her ears, her chin and her cheek;
            above 1 these ends lie behind the window's frame or behind another cat.
        mirrored: bool.
        fur: one of the furs above.
    """

    centre: float
    size: float
    mirrored: bool
    fur: tuple | None


class Window(NamedTuple):
    """A window of a house.

    Attributes:
        box: left, top, right and lower edge as shares of the scene's sides.
        ground: texture and colour behind the cats.
        cats: list of `Cat` from back to front.
    """

    box: tuple
    ground: tuple
    cats: list


def _house():
    """Three rows of four windows, a cat at each."""
    furs, grounds = (GINGER, GREY, SAND, BROWN), (GARDEN, PATH, DUSK)
    windows = []
    for row in range(3):
        for column in range(4):
            left, top = 0.04 + 0.24 * column, 0.06 + 0.33 * row
            cat = Cat(0.5, 1.06, bool((row * column + column) % 2), furs[(column + 2 * row) % 4])
            windows.append(Window((left, top, left + 0.2, top + 0.22), grounds[(row + column) % 3], [cat]))
    return windows


SCENES = {
    "six cats, some of which touch": [
        Window(
            (0.04, 0.06, 0.96, 0.52),
            GARDEN,
            [Cat(0.49, 1.06, False, GREY), Cat(0.1, 1.06, False, GINGER), Cat(0.9, 1.06, True, SAND)],
        ),
        Window((0.04, 0.615, 0.6, 0.93), PATH, [Cat(0.24, 1.06, True, SAND), Cat(0.78, 1.06, True, BROWN)]),
        Window((0.7, 0.615, 0.96, 0.93), DUSK, [Cat(0.5, 1.06, False, GREY)]),
    ],
    "two cats that touch": [
        Window((0.05, 0.08, 0.95, 0.88), PATH, [Cat(0.14, 1.05, False, GREY), Cat(0.78, 1.12, True, GINGER)]),
    ],
    "twelve cats at their windows": _house(),
}


def write_scenes(model, folder):
    """Writes the scenes as a model of cats sees their cat; there are none if it does not find her.

    Args:
        model: `mrcnn.MaskRCNN`.
        folder: path. Where they go.

    Returns:
        List of pairs of str: the path of a JPEG, and what one sees.
    """
    cut = cat_cutout(model)
    if cut is None:
        return []
    written = []
    for title, windows in SCENES.items():
        path = Path(folder) / f"{title.replace(',', '').replace(' ', '-')}.jpg"
        scene(cut, windows).save(path, quality=93, subsampling=0)
        written.append((str(path), title))
    return written


def cat_cutout(model):
    """Chelsea with soft edges, cut out by a model.

    Args:
        model: `mrcnn.MaskRCNN`.

    Returns:
        `PIL.Image.Image` of mode RGBA, or `None` if the model finds nothing in her photo.
    """
    photo = data.chelsea()
    found = model.segment(photo, confidence=0.3)
    if not len(found):
        return None
    mask = Image.fromarray(found.masks[0].astype(np.uint8) * 255)
    cut = Image.fromarray(photo)
    cut.putalpha(mask.filter(ImageFilter.GaussianBlur(1.2)))
    return cut.crop(mask.getbbox())


def scene(cut, windows, size=SIZE):
    """Cats that look out of a house.

    Args:
        cut: what `cat_cutout` gave.
        windows: list of `Window`.
        size: width and height in pixels.

    Returns:
        `PIL.Image.Image` of mode RGB.
    """
    canvas, stone = textured(*BRICK, size), textured(*STONE, size)
    thick = round(FRAME * size[0])
    for window in windows:
        left, top, right, bottom = (round(share * side) for share, side in zip(window.box, size * 2, strict=True))
        room = textured(*window.ground, (right - left, bottom - top))
        for cat in window.cats:
            _set_in(room, cut, cat)
        frame = left - thick, top - thick, right + thick, bottom
        sill = left - 2 * thick, bottom, right + 2 * thick, bottom + round(1.6 * thick)
        for part in (frame, sill):
            canvas.paste(stone.crop((0, 0, part[2] - part[0], part[3] - part[1])), part[:2])
        canvas.paste(room, (left, top))
    return canvas


def _set_in(room, cut, cat):
    """Pastes a cat with a soft shadow around it, in place."""
    height = round(cat.size * room.height)
    width = round(height * cut.width / cut.height)
    part = dyed(cut, cat.fur).resize((width, height), Image.Resampling.LANCZOS)
    if cat.mirrored:
        part = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    place = round(cat.centre * room.width - width / 2), (room.height - height) // 2
    shadow = Image.new("L", room.size)
    shadow.paste(part.getchannel("A"), place)
    shadow = shadow.filter(ImageFilter.GaussianBlur(12)).point(lambda value: value // 2)
    room.paste((20, 16, 12), mask=shadow)
    room.paste(part, place, part)


def dyed(cut, fur):
    """The cat in another fur: channel gains, or grey for `None`."""
    rgb, alpha = cut.convert("RGB"), cut.getchannel("A")
    pixels = np.asarray(rgb, np.float32)
    if fur is None:
        pixels = np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2) * (0.92, 0.95, 1.0)
    else:
        pixels = pixels * fur
    other = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    other.putalpha(alpha)
    return other


def textured(name, paint, size):
    """A texture of scikit-image in one colour; what is drawn small shows a part of it.

    Args:
        name: str. Of a grey texture in `skimage.data`.
        paint: red, green and blue.
        size: width and height in pixels.

    Returns:
        `PIL.Image.Image` of mode RGB.
    """
    side = max(size)
    grain = Image.fromarray(getattr(data, name)()).resize((side, side)).crop((0, 0, *size))
    grain = np.asarray(grain.filter(ImageFilter.GaussianBlur(1)), np.float32)[..., None]
    light = 1 + 0.5 * (grain - grain.mean()) / 128
    return Image.fromarray(np.clip(np.array(paint) * light, 0, 255).astype(np.uint8))
