"""Scenes with several cats, put together from one cat that may be shown.

Chelsea the cat (scikit-image, CC0) is cut out by the model itself, and set at several sizes, mirrored and in another
fur, behind a wall of one of scikit-image's textures. What the page shows of these scenes is found by the model, as in
any photo; only their cats were placed.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from skimage import data

SIZE = 1200, 560  # of a scene, width and height
PARAPET = 0.64  # where the wall before the cats begins, as a share of the height
# Red, green and blue are multiplied by these, so that one cat comes in several furs; `None` is grey.
GINGER, GREY, SAND = (1.0, 1.0, 1.0), None, (1.15, 1.16, 1.2)
# Name -> texture behind and its colour, and each cat from back to front: the place of its left and upper edge and its
# width, as shares of the scene's own, whether it is mirrored, and its fur. Chelsea's photo ends at her ears, her chin
# and her cheek; these ends lie at the scene's edges, behind the wall, or behind another cat.
SCENES = {
    "three cats that touch": (
        ("grass", (150, 170, 140)),
        [(0.27, 0.0, 0.45, True, GREY), (-0.07, -0.03, 0.41, False, GINGER), (0.66, -0.03, 0.41, True, SAND)],
    ),
    "two cats": (
        ("gravel", (170, 180, 190)),
        [(-0.02, -0.03, 0.43, False, GREY), (0.42, -0.14, 0.6, True, GINGER)],
    ),
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
    for title, (ground, cats) in SCENES.items():
        path = Path(folder) / f"{title.replace(' ', '-')}.jpg"
        scene(cut, ground, cats).save(path, quality=93, subsampling=0)
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


def scene(cut, ground, cats, size=SIZE):
    """Cats that look over a wall.

    Args:
        cut: what `cat_cutout` gave.
        ground, cats: see `SCENES`.
        size: width and height in pixels.

    Returns:
        `PIL.Image.Image` of mode RGB.
    """
    width, height = size
    canvas = _textured(*ground, size)
    for left, top, share, mirrored, fur in cats:
        scale = share * width / cut.width
        cat = dyed(cut, fur).resize((round(cut.width * scale), round(cut.height * scale)), Image.Resampling.LANCZOS)
        if mirrored:
            cat = cat.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        _set_in(canvas, cat, (round(left * width), round(top * height)))
    wall = _textured("brick", (176, 120, 98), (width, height - round(PARAPET * height))).convert("RGBA")
    _set_in(canvas, wall, (0, height - wall.height))
    return canvas


def _set_in(canvas, part, place):
    """Pastes a part with a soft shadow around it, in place."""
    shadow = Image.new("L", canvas.size)
    shadow.paste(part.getchannel("A"), place)
    shadow = shadow.filter(ImageFilter.GaussianBlur(12)).point(lambda value: value // 2)
    canvas.paste((20, 16, 12), mask=shadow)
    canvas.paste(part, place, part)


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


def _textured(name, paint, size):
    grain = Image.fromarray(getattr(data, name)()).resize((size[0], size[0])).crop((0, 0, *size))
    grain = np.asarray(grain.filter(ImageFilter.GaussianBlur(1)), np.float32)[..., None]
    light = 1 + 0.5 * (grain - grain.mean()) / 128
    return Image.fromarray(np.clip(np.array(paint) * light, 0, 255).astype(np.uint8))
