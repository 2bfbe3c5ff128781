"""A dog drawn by code: no package comes with a photo of one that may be shown.

Each part is a shape with a ragged edge, filled with strands of fur, darker towards its edge and with a shadow on what
lies behind it.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from interface.collage import SIZE, textured

HORIZON = 560
COAT, EARS, WHITE = (196, 146, 92), (112, 72, 44), (240, 226, 204)
TONGUE, NOSE, MOUTH = (222, 110, 120), (38, 32, 32), (60, 40, 35)
STRAND = 15  # pixels
SHADOW = 0.45  # how dark it is
AROUND = 60  # pixels around a part that its shadow reaches


def write_dog(folder):
    """Writes the drawing.

    Args:
        folder: path. Where it goes.

    Returns:
        Pair of str: the path of a JPEG, and what one sees.
    """
    path = Path(folder) / "a-drawn-dog.jpg"
    drawn_dog().save(path, quality=93, subsampling=0)
    return str(path), "a drawn dog"


def drawn_dog():
    """A dog that sits on a lawn: `PIL.Image.Image` of mode RGB."""
    image, rng = _lawn(), np.random.default_rng(0)

    def part(draw, colour, soft=5, dark=0.45):
        _add(image, draw, colour, rng, soft, dark)

    part(_ellipse(760, 560, 960, 700), COAT)  # tail
    part(_ellipse(370, 500, 830, 960), COAT)  # body
    part(_ellipse(480, 560, 720, 900), WHITE)  # chest
    for left in (430, 640):
        part(_rounded(left, 640, left + 130, 890, 60), COAT)
        part(_ellipse(left - 10, 820, left + 140, 900), WHITE)
    part(_ellipse(408, 168, 792, 560), COAT, soft=12)  # head
    for side in (-1, 1):
        ear = [(95, 190), (150, 165), (215, 205), (275, 340), (290, 480), (245, 540), (195, 500), (175, 380)]
        part(_polygon([(600 + side * x, y) for x, y in ear]), EARS, soft=14)
    blaze = [(575, 180), (625, 180), (640, 360), (700, 450), (690, 540), (600, 590), (510, 540), (500, 450), (560, 360)]
    part(_polygon(blaze), WHITE, soft=20, dark=0.25)
    part(_ellipse(505, 410, 695, 590), WHITE, dark=0.3)  # muzzle
    part(_rounded(568, 530, 632, 640, 30), TONGUE, soft=2)
    part(_ellipse(545, 405, 655, 485), NOSE, soft=3)
    pencil = ImageDraw.Draw(image)
    pencil.line([(600, 484), (600, 540)], fill=MOUTH, width=6)
    pencil.arc((520, 490, 600, 560), 10, 120, fill=MOUTH, width=6)
    pencil.arc((600, 490, 680, 560), 60, 170, fill=MOUTH, width=6)
    pencil.ellipse((570, 415, 610, 432), fill=(120, 115, 118))  # light on the nose
    for x in (505, 695):  # eyes
        for width, height, colour in ((30, 28, (50, 30, 20)), (26, 24, (92, 54, 26)), (17, 18, (18, 12, 10))):
            pencil.ellipse((x - width, 338 - height, x + width, 338 + height), fill=colour)
        pencil.ellipse((x - 10, 322, x + 4, 336), fill=(250, 250, 250))
    return image.filter(ImageFilter.GaussianBlur(0.8))


def _ellipse(*box):
    return lambda draw: draw.ellipse(box, fill=255)


def _rounded(left, top, right, bottom, radius):
    return lambda draw: draw.rounded_rectangle((left, top, right, bottom), radius, fill=255)


def _polygon(points):
    return lambda draw: draw.polygon(points, fill=255)


def _lawn():
    width, height = SIZE
    down = np.linspace(0, 1, height)[:, None, None]
    sky = (1 - down) * np.array((150, 190, 225)) + down * np.array((225, 235, 240))
    image = Image.fromarray(np.broadcast_to(sky, (height, width, 3)).astype(np.uint8))
    image.paste(textured("grass", (110, 150, 72), (width, height - HORIZON)), (0, HORIZON))
    return image


def _add(image, draw, colour, rng, soft, dark):
    """Draws a part in place: `soft` is how round its corners become, `dark` how much darker its edge is."""
    shape = Image.new("L", image.size)
    draw(ImageDraw.Draw(shape))
    left, top, right, bottom = shape.getbbox() or (0, 0, *image.size)
    place = left - AROUND, top - AROUND, right + AROUND, bottom + AROUND
    shape = shape.crop(place)
    blurred = np.asarray(shape.filter(ImageFilter.GaussianBlur(soft)), np.float32)
    ragged = 127 + 4 * (blurred - 127 + min(22, 110 / soft) * _noise(shape.size, rng, ImageFilter.GaussianBlur(2)))
    inside = np.asarray(shape.filter(ImageFilter.GaussianBlur(45)), np.float32) / 255
    strands = np.cumsum(_noise(shape.size, rng, ImageFilter.BoxBlur(1)), axis=0)
    strands = np.pad(strands[STRAND:] - strands[:-STRAND], ((STRAND, 0), (0, 0)), mode="edge")
    light = (1 + 0.09 * strands / strands.std()) * (1 - dark + dark * np.minimum(1.25 * inside, 1))
    shadow = shape.filter(ImageFilter.GaussianBlur(18)).point([round(SHADOW * value) for value in range(256)])
    image.paste((30, 20, 10), (place[0], place[1] + 10), shadow)
    fur = Image.fromarray(np.clip(np.array(colour) * light[..., None], 0, 255).astype(np.uint8))
    edge = Image.fromarray(np.clip(ragged, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1))
    image.paste(fur, place[:2], edge)


def _noise(size, rng, blur):
    """Blurred noise of mean 0 and deviation 1: float32 `(H, W)`."""
    noise = Image.fromarray(rng.integers(0, 256, size[::-1], np.uint8)).filter(blur)
    noise = np.asarray(noise, np.float32)
    return (noise - noise.mean()) / noise.std()
