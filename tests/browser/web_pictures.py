"""Pictures of every kind for the browser edition's comparison with Python: shapes, formats, turns, transparency."""

import numpy as np
from PIL import Image, ImageOps
from skimage import data

from tests.drawn import draw

GROUNDS = ("astronaut", "camera", "coffee", "coins", "moon", "page", "brick", "grass", "hubble_deep_field")
ORIENTATION = 0x0112  # the EXIF tag


def write_pictures(folder):
    """Write them; returns their paths in order."""
    chelsea = Image.fromarray(data.chelsea())
    saved = []

    def save(image, name, **options):
        path = folder / f"{len(saved):02d}-{name}"
        image.save(path, **options)
        saved.append(path)

    save(chelsea, "chelsea.png")
    save(chelsea, "chelsea.jpg", quality=90)
    save(chelsea, "chelsea.webp", lossless=True)
    for width, height in ((32, 32), (33, 257), (1000, 40), (640, 480), (416, 416), (417, 833), (1999, 1201)):
        save(chelsea.resize((width, height), Image.BICUBIC), f"chelsea-{width}x{height}.png")
    save(chelsea.resize((4000, 3000), Image.BICUBIC), "chelsea-4000x3000.jpg", quality=85)
    for orientation in range(2, 9):
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        save(chelsea.resize((300, 200)), f"exif-{orientation}.jpg", quality=95, exif=exif)
    save(chelsea.convert("L"), "grey.png")
    save(chelsea.convert("L"), "grey.jpg", quality=95)
    save(chelsea.quantize(64), "palette.png")
    save(chelsea.convert("1"), "black-and-white.png")
    alpha = Image.linear_gradient("L").resize(chelsea.size)
    save(Image.merge("RGBA", (*chelsea.split(), alpha)), "alpha.png")
    save(Image.merge("LA", (chelsea.convert("L"), alpha)), "grey-alpha.png")
    save(four_cats(), "four.png")
    save(chelsea.crop((0, 0, 226, 300)), "left-half.png")
    save(chelsea.crop((100, 60, 400, 260)), "face.png")
    random = np.random.default_rng(5)
    for instances in (1, 2, 4):
        save(Image.fromarray(draw(random, side=256, instances=instances)[0]), f"drawn-{instances}.png")
    for number, name in enumerate(GROUNDS):
        ground = Image.fromarray(getattr(data, name)()).convert("RGB")
        save(ground, f"{name}.png")
        width = 150 + 25 * number
        ground.paste(chelsea.resize((width, width * 2 // 3)), (15 * number, 10 * number))
        save(ground, f"chelsea-in-{name}.png")
    return saved


def four_cats():
    """Chelsea as she is, mirrored, upside down and aslant, in one picture."""
    chelsea = Image.fromarray(data.chelsea())
    four = Image.new("RGB", (902, 600), "white")
    for corner, turned in enumerate((chelsea, ImageOps.mirror(chelsea), ImageOps.flip(chelsea), chelsea.rotate(20))):
        four.paste(turned, (451 * (corner % 2), 300 * (corner // 2)))
    return four
