"""What stands between the page and the library: loaded models, and recent results to redraw from.

The network runs once a photo, at the lowest confidence that the slider offers. What it said is kept for a while, so
that every slider and switch only draws again.
"""

import collections
import contextlib
import dataclasses
import os
import secrets
import threading
import time

import numpy as np
from PIL import Image

from interface.safety.decoding import read_photo_reduced
from interface.safety.fair_lock import FairLock
from interface.safety.log import note, stage
from interface.safety.memory import release_memory
from mrcnn import MaskRCNN, engines, weights
from mrcnn.cores import usable_cores
from mrcnn.results.detections import Detections

LOWEST_CONFIDENCE = 0.05
# Photos that are decoded, looked at and drawn at a time: half of the cores' worth, so that whoever moves a slider
# finds the other half free. With one for each core, redraws under load took twice as long. One network runs at a time;
# its lock is fair, so that visitors with a photo get more turns than those with a hundred, a clip or a camera.
MODEL_PLACES = max(1, usable_cores() // 2)
DRAWING_PLACES = 4  # results that are drawn anew at a time
# The page draws on a copy of the photo whose longer side is within these. More pixels than the screen has would
# only take time; on fewer, lines and letters would be blurred. Downloads and the API use the photo's own size.
SMALLEST_VIEW_SIDE, LARGEST_VIEW_SIDE = 800, 1280


@dataclasses.dataclass(frozen=True)
class Analysis:
    """One photo as the network saw it, ready to be drawn again and again.

    Args:
        view: uint8 array `(h, w, 3)`: the photo at the size at which the page draws it.
        detections: `mrcnn.results.detections.Detections` at the photo's own size.
        milliseconds: float. How long the model took, from pixels to detections.
        model_name: str.
        path: str. Of the photo.
    """

    view: np.ndarray
    detections: Detections
    milliseconds: float
    model_name: str
    path: str

    @property
    def bytes(self):
        return self.view.nbytes + self.detections.soft_masks.nbytes

    def view_detections(self):
        """The detections at the size of `view`."""
        return self.detections.resized(self.view.shape[:2])


class Models:
    """Models by name, each loaded once. Only one thread runs a network at a time; TensorFlow uses all cores.

    MRCNN_SERVICE in the environment is the address of a `python -m pipeline serve`, whose model is then the only one.
    It must lie in `weights/` here, too, where its card is read.

    Raises:
        ValueError: if there is no such service, or it runs a model that is not here.
    """

    def __init__(self):
        self._models = {}
        self._lock = FairLock()
        address = os.environ.get("MRCNN_SERVICE")
        self._service = MaskRCNN.from_service(address) if address else None
        if self._service and self._service.card["name"] not in weights.available():
            raise ValueError(
                f'The service runs the model "{self._service.card["name"]}", which is not in weights/ here, only: '
                f"{', '.join(weights.available())}."
            )
        self._answered = 0.0  # when a network last ran, in seconds of `time.monotonic`

    def names(self):
        """Names of the models under `weights/` that can be run here, the default first."""
        return [self._service.card["name"]] if self._service else weights.available(engines.endings())

    def get(self, name):
        """The model of that name, loaded and warmed up.

        Raises:
            ValueError: if there is no such model.
        """
        if not isinstance(name, str):
            raise ValueError(f"A model's name is a text, but came as {type(name).__name__}.")
        if name in self._models:  # without waiting for who runs one
            return self._models[name]
        with self._lock:
            if name not in self._models:
                # Only names: a visitor must not make the server open paths.
                if name not in self.names():
                    known = ", ".join(self.names()) or "none is installed"
                    raise ValueError(f'There is no model "{name[:80]}", only: {known}.')
                try:
                    model = self._service or MaskRCNN.from_pretrained(name)
                except OSError:  # deleted since its name was read
                    raise ValueError(f'The model "{name}" can no longer be read here.') from None
                # Freezing the graph and its first run each take some 200 MB for a moment.
                release_memory()
                # The first run of a graph is several times slower than the others.
                model.detect(np.zeros((288, 384, 3), np.uint8))
                release_memory()
                self._models[name] = model
            return self._models[name]

    def detect(self, name, image, confidence=LOWEST_CONFIDENCE):
        """Runs a network.

        Args:
            name: str. The model's name.
            image: uint8 array `(H, W, 3)`.
            confidence: float in `[0, 1]`. Defaults to the lowest that the page offers.

        Returns:
            `Detections` and the milliseconds that they took.
        """
        model = self.get(name)
        arrived = time.perf_counter()
        with contextlib.nullcontext() if self._service else self._lock:  # a service has a queue of its own
            start = time.perf_counter()
            detections = model.detect(image, confidence=confidence)
            milliseconds = 1000 * (time.perf_counter() - start)
            self._answered = time.monotonic()
        height, width = image.shape[:2]
        note(wait_ms=round(1000 * (start - arrived), 1), network_ms=round(milliseconds, 1))
        note(size=f"{width}x{height}", found=len(detections.scores))
        return detections, milliseconds

    def answers(self):
        """Whether the first model answers: by what it did within the last minute, else by asking it."""
        if time.monotonic() - self._answered > 60:
            self.detect(self.names()[0], np.zeros((64, 64, 3), np.uint8))
        return True

    def inspect(self, name, path, confidence):
        """Reads a photo and runs a network on it step by step.

        Args:
            name: str. The model's name.
            path: path of the photo.
            confidence: float in `[0, 1]`.

        Returns:
            `mrcnn.inspection.Inspection`, and the photo, uint8 `(H, W, 3)`; a huge one is made smaller for both, see
            `look_at`.

        Raises:
            ValueError: if the photo cannot be read, there is no such model, or it is an exported one.
        """
        with stage("decode"):
            image, _ = read_photo_reduced(path, 2 * LARGEST_VIEW_SIDE)
        model = self.get(name)
        with self._lock:
            return model.inspect(image, confidence), image

    def look_at(self, name, path, confidence=LOWEST_CONFIDENCE):
        """Reads a photo and runs a network on it.

        Pixels beyond twice the view's are dropped while the photo is read: neither the network nor the page would show
        them. What is found is of the photo's own size all the same.

        Args:
            name: str. The model's name.
            path: path of the photo.
            confidence: float in `[0, 1]`. Defaults to the lowest that the page offers.

        Returns:
            uint8 array `(h, w, 3)`, the photo or a smaller copy; its `Detections`, at its own size; and the
            milliseconds that they took.

        Raises:
            ValueError: if the photo cannot be read, or there is no such model.
        """
        with stage("decode"):
            image, size = read_photo_reduced(path, 2 * LARGEST_VIEW_SIDE)
        detections, milliseconds = self.detect(name, image, confidence)
        note(size=f"{size[1]}x{size[0]}")
        return image, detections.resized(size), milliseconds

    def analyse(self, name, path):
        """The same, as the page keeps it.

        Raises:
            ValueError: as `look_at`.
        """
        image, detections, milliseconds = self.look_at(name, path)
        return Analysis(sized_for_view(image, detections.image_size), detections, milliseconds, name, str(path))


def sized_for_view(image, size=None):
    """A photo at the size at which the page draws it: its own, unless its longer side is outside of what is shown well.

    Args:
        image: uint8 `(h, w, 3)`. The photo or a smaller copy.
        size: `(height, width)` of the photo itself. Defaults to that of `image`.
    """
    size = size or image.shape[:2]
    longer = max(size)
    target = min(max(longer, SMALLEST_VIEW_SIDE), LARGEST_VIEW_SIDE)
    height, width = (max(1, round(side * target / longer)) for side in size)
    if (height, width) == image.shape[:2]:
        return image
    smoothing = Image.Resampling.BOX if target < longer else Image.Resampling.BICUBIC
    return np.array(Image.fromarray(image).resize((width, height), smoothing))


class AnalysisCache:
    """The most recent analyses of all visitors, bounded in number and in memory; the least used go first.

    Args:
        most_entries: int. Defaults to 64.
        most_bytes: int. Defaults to 256 MB.
    """

    def __init__(self, most_entries=64, most_bytes=256_000_000):
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._entries = collections.OrderedDict()
        self._lock = threading.Lock()

    def __len__(self):
        return len(self._entries)

    @property
    def bytes(self):
        return sum(analysis.bytes for analysis in self._entries.values())

    def put(self, analysis):
        """Keeps an analysis.

        Returns:
            str. A random token that nobody can guess; who has it gets the analysis back.
        """
        token = secrets.token_urlsafe(16)
        with self._lock:
            self._entries[token] = analysis
            while len(self._entries) > 1 and (len(self._entries) > self._most_entries or self.bytes > self._most_bytes):
                self._entries.popitem(last=False)
        return token

    def get(self, token):
        """The analysis of a token, or `None` if it had to go."""
        with self._lock:
            if token in self._entries:
                self._entries.move_to_end(token)
            return self._entries.get(token)

    def drop(self, token):
        """Forgets an analysis before its time, for a visitor who removed the photo or left."""
        with self._lock:
            self._entries.pop(token, None)
