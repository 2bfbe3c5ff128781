"""Work on photos at their own size: small ones here, large ones in processes of their own.

At its own size a photo of 50 megapixels takes 150 MB, and its overlay, masks and cut-outs ten times that. For the page
itself a smaller copy does, see `mrcnn.images.read_reduced`.
"""

import threading
from pathlib import Path

from interface.safety import budget
from interface.safety.apart import EndedEarly, Limits, run_apart
from interface.safety.decoding import check_kept, read_photo
from interface.safety.log import note
from mrcnn.images import read_image

_places = threading.BoundedSemaphore(budget.LARGE_AT_ONCE)


def at_own_size(task, path, image_size, *arguments, image=None):
    """Runs a generator function on a photo.

    Args:
        task: function of a module. It is called with the photo, uint8 `(H, W, 3)`, and the arguments; it may raise
            `ValueError`.
        path: path of the photo.
        image_size: `(height, width)` of the photo in pixels.
        arguments: what can be pickled.
        image: uint8 `(h, w, 3)`. The photo or a smaller copy, if it is here. Defaults to reading it.

    Yields:
        What the task yields.

    Raises:
        ValueError: as the task does, if the photo cannot be read, or if it takes too much; one sentence that may be
            shown.
    """
    height, width = image_size
    if height * width <= budget.LARGE_PIXELS:
        if image is None or image.shape[:2] != (height, width):
            image = read_photo(path)
        yield from task(image, *arguments)
        return
    check_kept(path)
    limits = Limits(budget.LARGE_SECONDS, budget.LARGE_PROCESSOR_SECONDS, budget.LARGE_MEMORY)
    with _places:
        try:
            yield from run_apart(_read_and_run, (str(path), task, arguments), limits)
        except EndedEarly as early:
            note(large_photo_exit=early.ending)
            name = Path(path).name
            raise ValueError(
                f"{name} takes too long or too much memory at {width} x {height} pixels: please make it smaller."
            ) from None


def _read_and_run(path, task, arguments):
    return task(read_image(path), *arguments)
