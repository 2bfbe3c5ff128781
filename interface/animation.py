"""Before and after as a moving picture: a line sweeps over the photo and leaves the result behind."""

import io

import numpy as np
from PIL import Image

LONGEST_SIDE = 640  # pixels; what messengers show, and a few hundred kilobytes
STEPS = 16  # frames of one sweep
SWEEP, BEFORE, AFTER = 45, 900, 1500  # milliseconds of a frame while the line moves, and while it stands at either end
LINE = 3  # pixels
FORMATS = ("webp", "gif")


def before_after(photo, result, kind):
    """An endless animation from a photo to its result and back.

    Args:
        photo: uint8 `(H, W, 3)`.
        result: uint8 `(H, W, 3)`, or `(H, W, 4)`, whose clear parts become white.
        kind: `"webp"` or `"gif"`, which knows only 256 colours.

    Returns:
        bytes of the file.
    """
    pair = [_sized(image) for image in (photo, result)]
    width = pair[0].width
    if kind == "gif":
        both = Image.new("RGB", (width, 2 * pair[0].height))
        for number, image in enumerate(pair):
            both.paste(image, (0, number * image.height))
        # One palette for all frames, and dots that stay where they are: only the line moves.
        palette = both.quantize(255)
        colours = (palette.getpalette() or [])[: 3 * 255]
        white = 255
        before, after = (np.asarray(image.quantize(palette=palette)) for image in pair)
    else:
        colours, white = [], (255, 255, 255)
        before, after = map(np.asarray, pair)
    edges = [round(width * step / STEPS) for step in range(STEPS + 1)]
    edges += edges[-2:0:-1]
    frames = []
    for edge in edges:
        frame = before.copy()
        frame[:, :edge] = after[:, :edge]
        if 0 < edge < width:
            frame[:, max(0, edge - LINE) : edge] = white
        frame = Image.fromarray(frame, "P" if kind == "gif" else None)
        if kind == "gif":
            frame.putpalette([*colours, *[0] * (3 * 255 - len(colours)), 255, 255, 255])
        frames.append(frame)
    durations = [{0: BEFORE, width: AFTER}.get(edge, SWEEP) for edge in edges]
    stored = io.BytesIO()
    options = {"quality": 80, "method": 2} if kind == "webp" else {"optimize": False, "disposal": 1}
    frames[0].save(stored, kind.upper(), save_all=True, append_images=frames[1:], duration=durations, loop=0, **options)
    return stored.getvalue()


def _sized(image):
    image = Image.fromarray(image)
    if image.mode == "RGBA":
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image).convert("RGB")
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    return image
