"""Pictures of strangers become pixels, within a budget of time and memory.

Small plain JPEG and PNG files, which is what cameras and programs write, are decoded here and now. Everything else,
where a few bytes may ask for gigabytes or for hours, is decoded by a process of its own that may have so much memory
and so much time and no more. Such processes are forked, within milliseconds, from one that has loaded the decoders and
no network.
"""

import multiprocessing
import os
import struct
import tempfile
import threading
from pathlib import Path

from PIL import Image

from interface.safety import budget
from interface.safety.log import note
from mrcnn.images import FORMATS, open_image, read_image

PLAIN_BYTES = 16_000_000
PLAIN_PIXELS = 26_000_000
MOST_PARTS = 5000  # segments of a JPEG or chunks of a PNG; Pillow walks through millions of them, slowly

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
    if not Path(path).exists():
        raise ValueError("The photo is no longer kept here: please choose it again.")
    return read_image(path) if _is_plain(path) else _read_apart(path)


def prepare_decoding():
    """Starts what is needed to decode doubtful pictures, so that the first of them does not wait for it."""
    with tempfile.NamedTemporaryFile(suffix=".bmp") as file:
        Image.new("RGB", (32, 32)).save(file, "BMP")
        file.flush()
        _read_apart(file.name)


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


def _read_apart(path):
    path = str(path)  # Gradio's own kind of str would have the process import Gradio before it decodes anything
    name = os.path.basename(path)
    with _places:
        receiver, sender = _context().Pipe(duplex=False)
        process = _context().Process(target=_decode, args=(path, sender, budget.MEMORY), daemon=True)
        process.start()
        sender.close()
        try:
            answer = receiver.recv() if receiver.poll(budget.SECONDS) else None
        except EOFError:  # it was ended, for what it asked for
            answer = None
        finally:
            receiver.close()
            process.kill()
            process.join()
    if answer is None:
        note(decoder_exit=process.exitcode)
        raise ValueError(f"{name} takes too long or too much memory to decode; save it as a plain JPEG or PNG.")
    if isinstance(answer, str):
        raise ValueError(answer)
    return answer


_method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def _context():
    context = multiprocessing.get_context(_method)
    if _method == "forkserver":
        # All that a forked process would import anew: what it does, and what the page's own start imports.
        context.set_forkserver_preload(["mrcnn.images", __name__, "interface.server"])
    return context


def _decode(path, sender, memory):
    """What the process does: sends the picture, or a sentence."""
    _limit_this_process(memory)
    try:
        answer = read_image(path)
    except ValueError as error:
        answer = str(error)
    sender.send(answer)


def _limit_this_process(memory):
    try:
        import resource
    except ImportError:  # Windows: the clock alone limits it
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (budget.PROCESSOR_SECONDS, budget.PROCESSOR_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
