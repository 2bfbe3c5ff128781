"""Pictures of strangers become pixels, within a budget of time and memory.

Small plain JPEG and PNG files, which is what cameras and programs write, are decoded here and now. Everything else,
where a few bytes may ask for gigabytes or for hours, is decoded by a process of its own that may have so much memory
and so much time and no more. Such processes are forked, within milliseconds, from one that has loaded the decoders and
no network.
"""

import multiprocessing
import multiprocessing.connection
import os
import signal
import struct
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image

from interface.safety import budget
from interface.safety.log import note
from interface.safety.memory import address_space
from mrcnn.images import FORMATS, open_image, read_reduced

PLAIN_BYTES = 16_000_000
PLAIN_PIXELS = 26_000_000
MOST_PARTS = 5000  # segments of a JPEG or chunks of a PNG; Pillow walks through millions of them, slowly

PART = 1 << 24  # bytes of pixels that are sent at a time: neither side holds a picture twice

# How a process ends that gives no answer, beside crashes: by its limits; by the system's need of memory, or with the
# process that forks them.
LATE, NO_MEMORY, LOST = "late", 77, 255  # the last is what multiprocessing says when it does not know
TOO_MUCH = (LATE, NO_MEMORY, -getattr(signal, "SIGXCPU", 24))
ENDED_FROM_OUTSIDE = (-getattr(signal, "SIGKILL", 9), LOST)
ATTEMPTS = 3  # of a process that was ended from outside, all within the same seconds

_places = threading.BoundedSemaphore(budget.AT_ONCE)
# Starting a process, multiprocessing also asks how all others ended. Of two threads that ask about the same one at the
# same moment, one learns nothing.
_bookkeeping = threading.Lock()


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


def _read(path, longer_side):
    if not Path(path).exists():
        raise ValueError("The photo is no longer kept here: please choose it again.")
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
            answer, ending = _ask_process(path, longer_side, deadline)
            if ending not in ENDED_FROM_OUTSIDE:  # which is no fault of the picture's
                break
            note(decoder_lost=ending)
    if answer is None:
        note(decoder_exit=ending)
        if ending in TOO_MUCH or ending in ENDED_FROM_OUTSIDE:
            raise ValueError(f"{name} takes too long or too much memory to decode; save it as a plain JPEG or PNG.")
        raise ValueError(f"{name} cannot be read, it seems to be damaged.")
    if isinstance(answer, str):
        raise ValueError(answer)
    return answer


def _ask_process(path, longer_side, deadline):
    """Lets a process decode a picture.

    Returns:
        Its answer: the image and the photo's size, or a sentence, or `None`. And how the process ended if it gave none:
        its exit code, that of a signal below zero, or one of `TOO_MUCH` and `ENDED_FROM_OUTSIDE`; else `None`.
    """
    receiver, sender = _context().Pipe(duplex=False)
    process = _context().Process(target=_decode, args=(os.fspath(path), longer_side, sender, budget.MEMORY))
    process.daemon = True
    try:
        with _bookkeeping:
            process.start()
    except (EOFError, OSError):  # the process that forks them is gone; the next start brings another
        receiver.close()
        sender.close()
        return None, LOST
    sender.close()
    try:
        return _receive(receiver, deadline), None
    except TimeoutError:
        return None, LATE
    except (EOFError, OSError):
        multiprocessing.connection.wait([process.sentinel], timeout=1)  # how it ended is known in a moment
        with _bookkeeping:
            return None, process.exitcode
    finally:
        receiver.close()
        with _bookkeeping:
            if process.is_alive():
                process.kill()
            process.join()


def _receive(receiver, deadline):
    """What a process sends: a sentence, or the shape of an image, its pixels in parts, and the photo's size."""

    def wait():
        if not receiver.poll(max(0.0, deadline - time.monotonic())):
            raise TimeoutError

    wait()
    answer = receiver.recv()
    if isinstance(answer, str):
        return answer
    shape, size = answer
    image = np.empty(shape, np.uint8)
    rest = memoryview(image).cast("B")
    while rest:
        wait()
        rest = rest[receiver.recv_bytes_into(rest) :]
    return image, size


_method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def _context():
    context = multiprocessing.get_context(_method)
    if _method == "forkserver":
        # All that a forked process would import anew: what it does, and what the page's own start imports.
        context.set_forkserver_preload(["mrcnn.images", __name__, "interface.server"])
    return context


def _decode(path, longer_side, sender, memory):
    """What the process does: sends the picture, or a sentence."""
    _limit_this_process(memory)
    try:
        image, size = read_reduced(path, longer_side)
    except ValueError as error:
        return sender.send(str(error))
    except MemoryError:
        sys.exit(NO_MEMORY)
    sender.send((image.shape, size))
    pixels = memoryview(image).cast("B")
    for start in range(0, len(pixels), PART):
        sender.send_bytes(pixels[start : start + PART])


def _limit_this_process(memory):
    try:
        import resource
    except ImportError:  # Windows: the clock alone limits it
        return
    # Beyond what it was born with: on many cores the numeric libraries alone reserve gigabytes of addresses.
    memory += address_space()
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    # With both at the same second it would be ended by the signal that says nothing of why.
    resource.setrlimit(resource.RLIMIT_CPU, (budget.PROCESSOR_SECONDS, budget.PROCESSOR_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
