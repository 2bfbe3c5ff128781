"""The facade: nice images in, nice results out. The app, the command line, evaluation and tests all use it."""

import numpy as np

from mrcnn import weights
from mrcnn.images import read_image

LARGEST_BATCH = 8
LARGEST_FROZEN = 20_000_000  # weights of a network that are compiled into its graph
LARGEST_BATCH_PIXELS = LARGEST_BATCH * 384 * 384  # large inputs fill all cores one by one, and much memory together


class MaskRCNN:
    """Instance segmentation of photos.

        model = MaskRCNN.from_pretrained("cat")
        found = model.segment("photo.jpg", confidence=0.5)
        found.masks, found.boxes, found.scores, found.class_names

    Args:
        network: `mrcnn.network.Network`. Its weights must not change any more: those of a small network are copied into
            a frozen graph.
        card: dict or `None`. What is known of the weights, see `mrcnn.weights`.
        compiled: bool. Whether to make a graph of the network. That takes seconds, and each image is several times
            faster from then on; for a few images, `False` is sooner done. Defaults to `True`.
    """

    def __init__(self, network, card=None, compiled=True):
        self.config = network.config
        self.class_names = tuple(network.config.class_names)
        self.card = card or {}
        self._conventions = network.conventions
        self._network = network
        self._detect = _with_arrays(_compile(network) if compiled else network.detect)

    @classmethod
    def from_pretrained(cls, name_or_path="cat", compiled=True):
        """Load a model by its name under `weights/` or by the path of its npz file, or of an exported onnx file.

        Args:
            name_or_path: str or path.
            compiled: bool. See the class; an onnx file is compiled as it is.

        Raises:
            ValueError: if there is no such model, or its file is damaged or of another network.
        """
        path = weights.locate(name_or_path, weights.RUNNABLE)
        if path.suffix == ".onnx":
            from mrcnn.engines.onnx import OnnxNetwork

            network = OnnxNetwork(path)
            return cls(network, network.card, compiled=False)
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
        from mrcnn.matterport import loader as matterport

        return cls(*matterport.load_network(path, class_names, **settings))

    def detect(self, image, confidence=0.05, limit=None, size=None):
        """The network's word on one image: boxes, scores and small soft masks, to which thresholds apply later.

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

    def segment(self, image, confidence=None, limit=None, size=None):
        """Find the objects in an image and their masks.

        Arguments and errors are those of `detect`, but for the confidence: it defaults to what the model's config says,
        0.5 for the lite models and 0.7 for matterport's.

        Returns:
            `mrcnn.Instances`, masks at the image's own size, scores descending; of length 0 if nothing is found.
        """
        return self.segment_batch([image], confidence, limit, size)[0]

    def segment_batch(self, images, confidence=None, limit=None, size=None):
        """`segment` for several images at once; those of like shape share a run of the network.

        Returns:
            list of `mrcnn.Instances`, in the order of `images`.
        """
        confidence = self.config.confidence if confidence is None else confidence
        found = self._detect_all(images, confidence, limit, size)
        return [detections.instances(confidence) for detections in found]

    def inspect(self, image, confidence=None, limit=None, size=None):
        """`detect`, together with what every stage of the network thought on the way.

        Arguments are those of `segment`.

        Returns:
            `mrcnn.inspection.Inspection`.

        Raises:
            ValueError: as `detect`, or if the model was exported: its file has no stages any more.
        """
        from mrcnn import inspection
        from mrcnn.network import Network

        if not isinstance(self._network, Network):
            raise ValueError("An exported model cannot be looked into, only one that is kept as npz.")
        confidence = self.config.confidence if confidence is None else confidence
        limit, size = self._check(confidence, limit, size)
        image = read_image(image)
        canvas, window = self._conventions.letterbox(image, size, self.config)
        found, kept = inspection.inspect(self._network, canvas, window, confidence, limit)
        return inspection.Inspection(**kept, detections=self._detections(found, slice(None), window, image.shape[:2]))

    def _check(self, confidence, limit, size):
        """Limit and size, with the config's where there is none."""
        size = self.config.image_size if size is None else size
        limit = self.config.shown_limit if limit is None else limit
        if not 0.0 <= confidence <= 1.0:
            raise ValueError(f"confidence is {confidence}, expected a number from 0 to 1")
        if not 1 <= limit <= 1000:
            raise ValueError(f"limit is {limit}, expected a number of detections from 1 to 1000")
        if not 32 <= size <= 2048:
            raise ValueError(f"size is {size}, expected a length from 32 to 2048 pixels")
        if size % self._conventions.size_multiple:
            raise ValueError(f"size is {size}, expected a multiple of {self._conventions.size_multiple} pixels")
        return limit, size

    def _detect_all(self, images, confidence, limit, size):
        limit, size = self._check(confidence, limit, size)
        groups = {}
        image_sizes = []
        for index, image in enumerate(images):
            image = read_image(image)
            image_sizes.append(image.shape[:2])
            canvas, window = self._conventions.letterbox(image, size, self.config)
            groups.setdefault(canvas.shape, []).append((index, canvas, window))
        results = [None] * len(image_sizes)
        for (height, width, _), group in groups.items():
            count = min(LARGEST_BATCH, max(1, LARGEST_BATCH_PIXELS // (height * width)))
            for start in range(0, len(group), count):
                part = group[start : start + count]
                canvases, windows = (np.stack(values) for values in list(zip(*part, strict=True))[1:])
                found = self._detect(canvases, confidence, limit, windows)
                for row, (index, _, window) in enumerate(part):
                    mine = found["image_index"] == row
                    results[index] = self._detections(found, mine, window, image_sizes[index])
        return results

    def _detections(self, found, mine, window, image_size):
        from mrcnn.results.detections import Detections

        boxes = self._conventions.to_image(found["boxes"][mine], window, image_size)
        kept = self._conventions.visible(boxes)
        return Detections(
            boxes=boxes[kept],
            scores=found["scores"][mine][kept],
            class_ids=found["class_ids"][mine][kept],
            soft_masks=found["masks"][mine][kept].astype(self._conventions.soft_mask_type),
            image_size=tuple(image_size),
            class_names=self.class_names,
            mask_margin=self.config.mask_margin,
            mask_fading=self._conventions.mask_fading,
        )


def frozen(function, *signature):
    """A function of tensors as one graph with its weights as constants.

    What comes back takes and gives flat sequences of tensors, whatever lists and dicts the function knows; a dict comes
    in the order of its sorted keys.
    """
    return _freeze(_trace(function, *signature))


def _trace(function, *signature):
    import tensorflow as tf

    # autograph: nothing in the graphs branches on a tensor, and tracing is faster without
    return tf.function(function, input_signature=signature, autograph=False).get_concrete_function()


def _freeze(traced):
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    return convert_variables_to_constants_v2(traced)


def _compile(network):
    """`network.detect` as one graph.

    In a small network the weights become constants. They let TensorFlow fold and fuse (bias and ReLU into their
    convolution, weights laid out for oneDNN once instead of at every call), which is several times faster where layers
    are thin. A ResNet is not faster for it, and constants are kept several times over: preparing a ResNet-50 took 2 GB
    instead of 0.2 GB, and minutes instead of seconds.

    One dynamic signature serves all image shapes and batch sizes without tracing again.
    """
    import tensorflow as tf

    signature = (
        tf.TensorSpec((None, None, None, 3), tf.uint8),
        tf.TensorSpec((), tf.float32),
        tf.TensorSpec((), tf.int32),
        tf.TensorSpec((None, 4), tf.float32),
    )
    traced = _trace(network.detect, *signature)
    if network.count_params() > LARGEST_FROZEN:
        return traced
    names, run = sorted(traced.structured_outputs), _freeze(traced)
    return lambda *arguments: dict(zip(names, run(*arguments), strict=True))  # frozen, it knows no names any more


def _with_arrays(detect):
    """`detect` of tensors as a function of arrays and numbers that gives arrays."""
    import tensorflow as tf

    def run(images, confidence, limit, windows):
        confidence, windows = tf.constant(confidence, tf.float32), tf.constant(windows, tf.float32)
        found = detect(tf.constant(images), confidence, tf.constant(limit, tf.int32), windows)
        return {name: np.asarray(values) for name, values in found.items()}

    return run
