"""`MaskRCNN`: from an image in any form to `Instances` in its own pixels. Page, command line and evaluation use it."""

import numbers
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mrcnn import engines, weights
from mrcnn.engines.onnx import OnnxEngine
from mrcnn.images import read_image

LARGEST_BATCH = 8
LARGEST_BATCH_PIXELS = LARGEST_BATCH * 384 * 384  # large inputs fill all cores one by one, and much memory together


class MaskRCNN:
    """Instance segmentation of photos.

        model = MaskRCNN.from_pretrained("cat")
        found = model.segment("photo.jpg", confidence=0.5)
        found.masks, found.boxes, found.scores, found.class_names

    Args:
        network: `mrcnn.network.Network`, whose weights must not change any more: those of a small network are copied
            into a frozen graph. Or a `mrcnn.engines.onnx.OnnxEngine`.
        card: dict or `None`. What is known of the weights, see `mrcnn.weights`.
        compiled: bool. Whether to make a graph of the network. That takes seconds, and each image is several times
            faster from then on; for a few images, `False` is sooner done. Defaults to `True`.
    """

    def __init__(self, network, card=None, compiled=True):
        if isinstance(network, OnnxEngine):
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
            ValueError: if ONNX Runtime runs the model: its file holds a graph and no network.
        """
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
    def from_pretrained(cls, name_or_path="cat", compiled=True, engine=None):
        """Load a model by its name under `weights/` or by the path of its npz file, or of an exported onnx file.

        Args:
            name_or_path: str or path.
            compiled: bool. See the class; an onnx file is compiled as it is.
            engine: str or `None`. `"tensorflow"` runs `NAME.npz`, `"onnx"` runs `NAME.onnx` without loading
                TensorFlow. Defaults to what a path's ending says, then to the environment variable `MRCNN_ENGINE`, then
                to TensorFlow where it is installed.

        Raises:
            ValueError: if there is no such model or engine, or its file is damaged or of another network, or a package
                is missing.
        """
        ending = Path(name_or_path).suffix
        if engine is None and ending in weights.RUNNABLE:
            path = weights.locate(name_or_path, (ending,))
        else:
            path = weights.locate(name_or_path, engines.endings(engine))
        if path.suffix == ".onnx":
            engine = OnnxEngine(path)
            return cls(engine, engine.card)
        return cls(*weights.load_network(path), compiled=compiled)

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
        return self._detect_all([image], confidence, limit, size)[0]

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
        confidence = self.config.confidence if confidence is None else confidence
        found = self._detect_all(images, confidence, limit, size)
        return [detections.instances(confidence, overlaps=overlaps) for detections in found]

    def inspect(self, image, confidence=None, limit=None, size=None):
        """`detect`, together with what every stage of the network computed on the way.

        Arguments are those of `segment`.

        Returns:
            `mrcnn.inspection.Inspection`.

        Raises:
            ValueError: as `detect`, or if ONNX Runtime runs the model: its file has no stages.
        """
        network = self.network  # first, because without one nothing below is of use
        from mrcnn import inspection

        confidence = self.config.confidence if confidence is None else confidence
        limit, size = self._check(confidence, limit, size)
        image = read_image(image)
        canvas, window = self._engine.letterbox(image, size)
        found, stages = inspection.inspect(network, canvas, window, confidence, limit)
        return inspection.Inspection(**stages, detections=network.detections(found, window, image.shape[:2]))

    def _check(self, confidence, limit, size):
        """Limit and size, those of the config for `None`. Raises ValueError if one of the three is out of range."""
        size = self.config.image_size if size is None else size
        limit = self.config.shown_limit if limit is None else limit
        if not isinstance(confidence, numbers.Real) or not 0.0 <= confidence <= 1.0:
            raise ValueError(f"confidence is {_short(confidence)}, expected a number from 0 to 1")
        if not isinstance(limit, numbers.Integral) or not 1 <= limit <= 1000:
            raise ValueError(f"limit is {_short(limit)}, expected a number of detections from 1 to 1000")
        if not isinstance(size, numbers.Integral) or not 32 <= size <= 2048:
            raise ValueError(f"size is {_short(size)}, expected a length from 32 to 2048 pixels")
        if size % self._engine.size_multiple:
            raise ValueError(f"size is {size}, expected a multiple of {self._engine.size_multiple} pixels")
        return limit, size

    def _detect_all(self, images, confidence, limit, size):
        limit, size = self._check(confidence, limit, size)
        if isinstance(images, str | bytes) or not isinstance(images, Iterable):
            raise ValueError(f"Images must come in a list, but came as {type(images).__name__}.")
        groups = {}
        image_sizes = []
        for index, image in enumerate(images):
            image = read_image(image)
            image_sizes.append(image.shape[:2])
            canvas, window = self._engine.letterbox(image, size)
            groups.setdefault(canvas.shape, []).append((index, canvas, window))
        results = [None] * len(image_sizes)
        for (height, width, _), group in groups.items():
            count = min(LARGEST_BATCH, max(1, LARGEST_BATCH_PIXELS // (height * width)))
            for start in range(0, len(group), count):
                part = group[start : start + count]
                canvases, windows = (np.stack(values) for values in list(zip(*part, strict=True))[1:])
                found = self._engine.detect(canvases, confidence, limit, windows)
                for row, (index, _, window) in enumerate(part):
                    of_image = found["image_index"] == row
                    rows = {name: values[of_image] for name, values in found.items()}
                    results[index] = self._engine.detections(rows, window, image_sizes[index])
        return results


def _short(value):
    """What came, for a sentence about it."""
    words = " ".join(repr(value).split()) if not isinstance(value, int) or abs(value) < 10**9 else "a huge number"
    return words if len(words) <= 60 else f"{words[:57]}..."
