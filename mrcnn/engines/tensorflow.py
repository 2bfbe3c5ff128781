"""A network as a TensorFlow graph, compiled once for all image shapes and batch sizes."""

import numpy as np
import tensorflow as tf

LARGEST_FROZEN = 20_000_000  # weights of a network that are compiled into its graph


def limit_threads(threads):
    """From now on, TensorFlow takes at most so many threads for an operation, and runs one operation at a time.

    Args:
        threads: int.

    Raises:
        ValueError: if TensorFlow has started with other threads: it cannot change them any more.
    """
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        started = tf.config.threading.get_intra_op_parallelism_threads()
        raise ValueError(
            f"threads is {threads}, but TensorFlow has started with {started or 'all cores'} in this process: say it "
            "before the first model is loaded"
        ) from None


class TensorFlowEngine:
    """What `MaskRCNN` needs of an engine, run by TensorFlow.

    Args:
        network: `mrcnn.network.Network`. Its weights must not change any more: those of a small network are copied into
            a frozen graph.
        compiled: bool. Whether to make a graph of the network, see `mrcnn.MaskRCNN`. Defaults to `True`.
    """

    def __init__(self, network, compiled=True):
        self.network = network
        self.config = network.config
        self.size_multiple = network.size_multiple
        self.letterbox = network.letterbox
        self.detections = network.detections
        self._detect = compile_detect(network) if compiled else network.detect

    def detect(self, images, confidence, limit, windows):
        """`mrcnn.network.Network.detect` of arrays and numbers, with arrays.

        Args:
            images: uint8 `(B, H, W, 3)`. RGB; H and W multiples of 32.
            confidence: float. Lowest score, 0 to 1.
            limit: int. Most detections an image.
            windows: `(B, 4)` numbers. The part of each image that is not filling.

        Returns:
            dict of arrays with one row for each detection of the batch: `image_index`, `boxes`, `scores`, `class_ids`
            and `masks`.
        """
        confidence, windows = tf.constant(confidence, tf.float32), tf.constant(windows, tf.float32)
        found = self._detect(tf.constant(images), confidence, tf.constant(limit, tf.int32), windows)
        return {name: np.asarray(values) for name, values in found.items()}


def frozen(function, *signature):
    """A function of tensors as one graph with its weights as constants.

    What comes back takes and gives flat sequences of tensors, whatever lists and dicts the function knows; a dict comes
    in the order of its sorted keys.
    """
    return _freeze(_trace(function, *signature))


def _trace(function, *signature):
    # autograph: nothing in the graphs branches on a tensor, and tracing is faster without
    return tf.function(function, input_signature=signature, autograph=False).get_concrete_function()


def _freeze(traced):
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    return convert_variables_to_constants_v2(traced)


def compile_detect(network):
    """`network.detect` as one graph.

    In a small network the weights become constants. They let TensorFlow fold and fuse (bias and ReLU into their
    convolution, weights laid out for oneDNN once instead of at every call), which is several times faster where layers
    are thin. A ResNet is not faster for it, and constants are kept several times over: preparing a ResNet-50 took 2 GB
    instead of 0.2 GB, and minutes instead of seconds.

    One dynamic signature serves all image shapes and batch sizes without tracing again.
    """
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
