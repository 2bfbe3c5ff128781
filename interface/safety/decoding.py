"""Pictures of strangers become pixels, within a budget of time and memory.

Small plain JPEG and PNG files, which is what cameras and programs write, are decoded here and now. Everything else,
where a few bytes may ask for gigabytes or for hours, is decoded by a process of its own that may have so much memory
and so much time and no more. Such processes are forked, within milliseconds, from one that has loaded the decoders and
no network.
"""

import os
import struct
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image

from interface.safety import budget
from interface.safety.apart import ENDED_FROM_OUTSIDE, PART, TOO_MUCH, EndedEarly, Limits, run_apart
from interface.safety.log import note
from mrcnn.images import FORMATS, open_image, read_reduced

PLAIN_BYTES = 16_000_000
PLAIN_PIXELS = 26_000_000
MOST_PARTS = 5000  # segments of a JPEG or chunks of a PNG; Pillow walks through millions of them, slowly

ATTEMPTS = 3  # of a process that was ended from outside, all within the same seconds

_places = threading.BoundedSemaphore(budget.AT_ONCE)


def read_photo(path):
    """Reads a visitor's picture as RGB, see `mrcnn.images.read_image`.

    Args:
        path: path of an uploaded file.

    Returns:
        uint8 array of shape `(H, W, 3)`.

    Raises:
        ValueError: if it cannot be read, or not within the budget; one sentence that may be shown.
    """
    return _read(path, None)[0]


def read_photo_reduced(path, longer_side):
    """Reads a visitor's picture no larger than needed, see `mrcnn.images.read_reduced`.

    Args:
        path: path of an uploaded file.
        longer_side: int. Pixels that are needed of the longer side.

    Returns:
        uint8 array of shape `(h, w, 3)`, and the photo's own `(height, width)`.

    Raises:
        ValueError: as `read_photo`.
    """
    return _read(path, longer_side)


def check_kept(path):
    """Checks that a visitor's file is still there.

    Raises:
        ValueError: if it is not, without its path.
    """
    if not Path(path).exists():
        raise ValueError("The photo is no longer kept here: please choose it again.")


def _read(path, longer_side):
    check_kept(path)
    return read_reduced(path, longer_side) if _is_plain(path) else _read_apart(path, longer_side)


def prepare_decoding():
    """Starts what is needed to decode doubtful pictures, so that the first of them does not wait for it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "start.bmp"
        Image.new("RGB", (32, 32)).save(path)
        _read_apart(path)


def _is_plain(path):
    """Whether a file is no picture, or a JPEG or PNG that costs little as far as a look at its parts can tell."""
    try:
        with open(path, "rb") as file:
            start = file.read(16)
        if not any(Image.OPEN[name][1](start) is True for name in FORMATS if name in Image.OPEN):
            return True
        if os.path.getsize(path) > PLAIN_BYTES:
            return False
        with open(path, "rb") as file:
            walk = {b"\xff\xd8": _jpeg_is_short, b"\x89P": _png_is_short}.get(file.read(2))
            if walk is None or not walk(file):
                return False
        with open_image(path) as image:
            return image.width * image.height <= PLAIN_PIXELS and not getattr(image, "is_animated", False)
    except Exception:  # the process that decodes what is doubtful will find the words
        return False


def _jpeg_is_short(file):
    """Whether the pixels of a JPEG begin after few segments, and all at once: many scans are decoded one by one."""
    for _ in range(MOST_PARTS):
        marker = file.read(2)
        if marker == b"\xff\xda":
            return True
        if len(marker) < 2 or marker[0] != 0xFF or marker[1] == 0xC2:  # progressive
            return False
        (length,) = struct.unpack(">H", file.read(2))
        file.seek(length - 2, os.SEEK_CUR)
    return False


def _png_is_short(file):
    """Whether a PNG is made of few chunks."""
    file.seek(8)
    for _ in range(MOST_PARTS):
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return True
        file.seek(struct.unpack(">I", head[:4])[0] + 4, os.SEEK_CUR)
    return False


def _read_apart(path, longer_side=None):
    path = str(path)  # Gradio's own kind of str would have the process import Gradio before it decodes anything
    name = os.path.basename(path)
    with _places:
        deadline = time.monotonic() + budget.SECONDS
        for attempt in range(ATTEMPTS):
            time.sleep(0.1 * attempt)  # whoever was killed may not be gone yet
            limits = Limits(deadline - time.monotonic(), budget.PROCESSOR_SECONDS, budget.MEMORY)
            try:
                return _put_together(run_apart(decode_in_parts, (path, longer_side), limits))
            except EndedEarly as early:
                ending = early.ending
            if ending not in ENDED_FROM_OUTSIDE:  # which is no fault of the picture's
                break
            note(decoder_lost=ending)
    note(decoder_exit=ending)
    if ending in TOO_MUCH or ending in ENDED_FROM_OUTSIDE:
        raise ValueError(f"{name} takes too long or too much memory to decode; save it as a plain JPEG or PNG.")
    raise ValueError(f"{name} cannot be read, it seems to be damaged.")


def decode_in_parts(path, longer_side):
    """`mrcnn.images.read_reduced` for a process of its own: yields the shape and the photo's size, then the pixels."""
    image, size = read_reduced(path, longer_side)
    yield image.shape, size
    pixels = memoryview(image).cast("B")
    for start in range(0, len(pixels), PART):
        yield bytes(pixels[start : start + PART])


def _put_together(parts):
    shape, size = next(parts)
    image = np.empty(shape, np.uint8)
    rest = memoryview(image).cast("B")
    for part in parts:
        rest[: len(part)] = part
        rest = rest[len(part) :]
    return image, size
