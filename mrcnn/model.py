"""`MaskRCNN`: from an image in any form to `Instances` in its own pixels. Page, command line and evaluation use it."""

import contextlib
import numbers
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mrcnn import engines, weights
from mrcnn.cores import limited_cores
from mrcnn.engines.onnx import OnnxEngine
from mrcnn.engines.service import ServiceEngine
from mrcnn.images import read_image
from mrcnn.letterbox import Letterboxed

MOST_OBJECTS = 1000  # that may be asked for in one image
LARGEST_BATCH = 8
LARGEST_BATCH_PIXELS = LARGEST_BATCH * 384 * 384  # large inputs fill all cores one by one, and much memory together


class MaskRCNN:
    """Instance segmentation of photos.

        model = MaskRCNN.from_pretrained("cat")
        found = model.segment("photo.jpg", confidence=0.5)
        found.masks, found.boxes, found.scores, found.class_names

    Args:
        network: `mrcnn.network.Network`, whose weights must not change any more: those of a small network are copied
            into a frozen graph. Or a `mrcnn.engines.onnx.OnnxEngine` or `mrcnn.engines.service.ServiceEngine`.
        card: dict or `None`. What is known of the weights, see `mrcnn.weights`.
        compiled: bool. Whether to make a graph of the network. That takes seconds, and each image is several times
            faster from then on; for a few images, `False` is sooner done. Defaults to `True`.
    """

    def __init__(self, network, card=None, compiled=True):
        if isinstance(network, OnnxEngine | ServiceEngine):
            self._engine = network
        else:
            from mrcnn.engines.tensorflow import TensorFlowEngine  # here, so that results do not wait for TensorFlow

            self._engine = TensorFlowEngine(network, compiled)
        self.config = network.config
        self.class_names = tuple(network.config.class_names)
        self.card = card or {}

    @property
    def network(self):
        """The `mrcnn.network.Network` behind the model, as Keras knows it.

        Raises:
            ValueError: if ONNX Runtime runs the model: its file holds a graph and no network; or if a service does.
        """
        if isinstance(self._engine, ServiceEngine):
            raise ValueError("A service runs the model: there is no network here to look into.")
        if self._engine.network is None:
            engines.require_tensorflow("Looking into the network, or saving it,")
            raise ValueError(
                "ONNX Runtime runs a graph and has no network to look into or to save: load the model with the engine "
                "tensorflow (MRCNN_ENGINE=tensorflow), from an npz file."
            )
        return self._engine.network

    def save(self, path):
        """Write the weights as `NAME.npz`, float16, and beside them the card as `NAME.json`.

        `from_pretrained(path)` loads them again.

        Args:
            path: str or path, ending in `.npz`.

        Raises:
            ValueError: if the path ends otherwise, or ONNX Runtime runs the model.
            OSError: if the files cannot be written.
        """
        network = self.network
        if Path(path).suffix != ".npz":
            raise ValueError(f"{path} must end in .npz")
        weights.save(network, path, {**self.card, **weights.card_of(network)})

    @classmethod
    def from_pretrained(cls, name_or_path="cat", compiled=True, engine=None, threads=None):
        """Load a model by its name under `weights/` or by the path of its npz file, or of an exported onnx file.

        Args:
            name_or_path: str or path.
            compiled: bool. See the class; an onnx file is compiled as it is.
            engine: str or `None`. `"tensorflow"` runs `NAME.npz`; `"onnx"` runs `NAME.onnx` and `"int8"`, in 8 bits,
                `NAME.int8.onnx` without loading TensorFlow. Defaults to what a path's ending says, then to the
                environment variable `MRCNN_ENGINE`, then to TensorFlow where it is installed.
            threads: int or `None`. Most threads that a run of the network may take, for processes that share a machine.
                With TensorFlow it holds for the whole process and must be said before TensorFlow first runs. Defaults
                to `None`, all cores that this process may use.

        Raises:
            ValueError: if there is no such model or engine, or its file is damaged or of another network, or a package
                is missing, or TensorFlow has started with other threads.
        """
        path = weights.locate_runnable(name_or_path, engine)
        if path.suffix == ".onnx":
            engine = OnnxEngine(path, threads)
            return cls(engine, engine.card)
        limit = threads or limited_cores()
        if limit:
            engines.require_tensorflow(path.name)
            from mrcnn.engines.tensorflow import limit_threads

            with contextlib.nullcontext() if threads else contextlib.suppress(ValueError):  # TensorFlow has started
                limit_threads(limit)
        return cls(*weights.load_network(path), compiled=compiled)

    @classmethod
    def from_service(cls, url):
        """A model that `python -m pipeline serve` runs elsewhere; photos are prepared and masks pasted here.

        Args:
            url: str. Address of the service, such as `http://127.0.0.1:8000`. The model's `card` has its `name` there.

        Raises:
            ValueError: if it does not answer, or runs a model of another kind than the preset lite.
        """
        engine = ServiceEngine(url)
        return cls(engine, engine.card)

    @classmethod
    def from_matterport(cls, path, class_names=None, **settings):
        """Load an h5 file of matterport's Mask_RCNN, such as the COCO weights of 2017, `mask_rcnn_coco.h5`.

            model = MaskRCNN.from_matterport("mask_rcnn_coco.h5", image_min_dim=512, image_max_dim=512)

        Args:
            path: path of the h5 file: ResNet-50 or -101, any number of classes.
            class_names: list of str, the background not among them. Defaults to COCO's if there are 80, else to
                `"class 1"` and so on.
            **settings: fields of `mrcnn.config.Config`, or the original's settings in lower case; see
                `mrcnn.matterport.loader.SETTINGS`.

        Raises:
            ValueError: if the file cannot be read, with a list of what is missing, unexpected or of another shape, or
                if a setting is unknown.
        """
        engines.require_tensorflow("An h5 file of matterport's")
        from mrcnn.matterport import loader as matterport

        return cls(*matterport.load_network(path, class_names, **settings))

    def detect(self, image, confidence=0.05, limit=None, size=None):
        """Boxes, scores and soft masks of one image, before the thresholds that `Detections.instances` applies.

        Args:
            image: a path, a `PIL.Image` or an array, as `mrcnn.images.read_image` accepts them.
            confidence: float. Lowest score, 0 to 1. Defaults to 0.05.
            limit: int or `None`. Most detections. Defaults to what the model's config says: 30 for the lite models.
            size: int or `None`. Longer side of the network's input in pixels. Defaults to what it was trained at.

        Returns:
            `mrcnn.results.detections.Detections`.

        Raises:
            ValueError: if the image cannot be read or an argument is out of range; one sentence that says why.
        """
        return self.detect_letterboxed([self.letterbox(image, size)], confidence, limit)[0]

    def segment(self, image, confidence=None, limit=None, size=None, overlaps=False):
        """Find the objects in an image and their masks.

        Arguments and errors are those of `detect`, but for the confidence: it defaults to what the model's config says,
        0.5 for the lite models and 0.7 for matterport's. And:

        Args:
            overlaps: bool. Whether a pixel may belong to several objects, as the COCO evaluation expects, and not to
                the surest alone. Defaults to `False`.

        Returns:
            `mrcnn.Instances`, masks at the image's own size, scores descending; of length 0 if nothing is found.
        """
        return self.segment_batch([image], confidence, limit, size, overlaps)[0]

    def segment_batch(self, images, confidence=None, limit=None, size=None, overlaps=False):
        """`segment` for several images at once; those of like shape share a run of the network.

        Returns:
            list of `mrcnn.Instances`, in the order of `images`.
        """
        if isinstance(images, str | bytes) or not isinstance(images, Iterable):
            raise ValueError(f"Images must come in a list, but came as {type(images).__name__}.")
        confidence = self.config.confidence if confidence is None else confidence
        found = self.detect_letterboxed((self.letterbox(image, size) for image in images), confidence, limit)
        return [detections.instances(confidence, overlaps=overlaps) for detections in found]

    def inspect(self, image, confidence=None, limit=None, size=None):
        """`detect`, together with what every stage of the network computed on the way.

        Args:
            image, confidence, limit, size: as for `segment`.

        Returns:
            `mrcnn.inspection.Inspection`.

        Raises:
            ValueError: as `detect`, or if ONNX Runtime runs the model: its file has no stages.
        """
        network = self.network  # first, because without one nothing below is of use
        from mrcnn import inspection

        confidence = self.config.confidence if confidence is None else confidence
        limit = self._check_thresholds(confidence, limit)
        image = read_image(image)
        start = time.perf_counter()
        made = self.letterbox(image, size)
        milliseconds = 1000 * (time.perf_counter() - start)
        found, stages = inspection.inspect(network, made.canvas, made.window, confidence, limit)
        stages["milliseconds"]["letterbox"] = milliseconds
        return inspection.Inspection(**stages, detections=network.detections(found, made.window, made.image_size))

    def letterbox(self, image, size=None):
        """The first half of `detect`: an image as the network reads it.

        It is small and needs no network, so that photos can be read by other threads while the network runs.

        Args:
            image, size: as for `detect`.

        Returns:
            `mrcnn.letterbox.Letterboxed`.

        Raises:
            ValueError: as `detect`.
        """
        size = self.config.image_size if size is None else size
        if not isinstance(size, numbers.Integral) or not 32 <= size <= 2048:
            raise ValueError(f"size is {_short(size)}, expected a length from 32 to 2048 pixels")
        if size % self._engine.size_multiple:
            raise ValueError(f"size is {size}, expected a multiple of {self._engine.size_multiple} pixels")
        image = read_image(image)
        return Letterboxed(*self._engine.letterbox(image, size), image.shape[:2])

    def detect_letterboxed(self, letterboxed, confidence=0.05, limit=None):
        """The second half of `detect`, for several images at once; those of like shape share a run of the network.

        Args:
            letterboxed: iterable of `mrcnn.letterbox.Letterboxed`.
            confidence, limit: as for `detect`.

        Returns:
            list of `mrcnn.results.detections.Detections`, in the same order.

        Raises:
            ValueError: as `detect`.
        """
        letterboxed = list(letterboxed)
        found = self.detect_canvases([(made.canvas, made.window) for made in letterboxed], confidence, limit)
        return [
            self._engine.detections(rows, made.window, made.image_size)
            for rows, made in zip(found, letterboxed, strict=True)
        ]

    def detect_canvases(self, canvases, confidence, limit=None):
        """What the network says of several canvases, in pixels of the canvas: `mrcnn.network.Network.detect` by image.

        Args:
            canvases: list of `(canvas, window)`, see `mrcnn.letterbox.Letterboxed`.
            confidence, limit: as for `detect`.

        Returns:
            list of dicts of arrays, in the same order: `boxes` float32 `(N, 4)`, `scores`, `class_ids` and `masks`.

        Raises:
            ValueError: as `detect`.
        """
        limit = self._check_thresholds(confidence, limit)
        groups = {}
        for index, (canvas, _) in enumerate(canvases):
            groups.setdefault(canvas.shape, []).append(index)
        results = [None] * len(canvases)
        for (height, width, _), group in groups.items():
            count = min(LARGEST_BATCH, max(1, LARGEST_BATCH_PIXELS // (height * width)))
            for start in range(0, len(group), count):
                part = group[start : start + count]
                images, windows = (np.stack(values) for values in zip(*(canvases[i] for i in part), strict=True))
                found = self._engine.detect(images, confidence, limit, windows)
                image_index = found.pop("image_index")
                for row, index in enumerate(part):
                    results[index] = {name: values[image_index == row] for name, values in found.items()}
        return results

    def _check_thresholds(self, confidence, limit):
        """The limit, that of the config for `None`. Raises ValueError if one of the two is out of range."""
        limit = self.config.shown_limit if limit is None else limit
        if not isinstance(confidence, numbers.Real) or not 0.0 <= confidence <= 1.0:
            raise ValueError(f"confidence is {_short(confidence)}, expected a number from 0 to 1")
        if not isinstance(limit, numbers.Integral) or not 1 <= limit <= MOST_OBJECTS:
            raise ValueError(f"limit is {_short(limit)}, expected a number of detections from 1 to {MOST_OBJECTS}")
        return limit


def _short(value):
    """What came, for a sentence about it."""
    words = " ".join(repr(value).split()) if not isinstance(value, int) or abs(value) < 10**9 else "a huge number"
    return words if len(words) <= 60 else f"{words[:57]}..."
