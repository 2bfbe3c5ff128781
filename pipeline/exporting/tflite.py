"""A network of the preset lite as a .tflite file for LiteRT: fixed shapes, built-in operations, float32."""

import tempfile

import numpy as np

from mrcnn.cores import usable_cores
from pipeline.exporting.saved_model import signature, write_functions

ENDING = ".tflite"


def write(path, network, *, size, limit, **_):
    """Write the file; see `pipeline.exporting.keras_file.write`.

    Args:
        path: Path of the file.
        network: `mrcnn.network.Network` of the preset lite.
        size: int. Side of the square input in pixels.
        limit: int. Rows of the output.
    """
    import tensorflow as tf

    def detect(images, confidence):
        return network.detect_padded(images, confidence, limit)

    with tempfile.TemporaryDirectory() as folder:
        write_functions(folder, network, {"serving_default": (detect, signature(1, size, size)[:2])})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["serving_default"])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        path.write_bytes(converter.convert())


def run(path, images, confidence, limit):
    """Run the file; see `pipeline.exporting.keras_file.run`. The rows of padding are left out."""
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(str(path), num_threads=usable_cores())
    found = interpreter.get_signature_runner("serving_default")(images=images, confidence=np.float32(confidence))
    real = np.flatnonzero(found["class_ids"][0])[:limit]
    return {name: value[0][real] for name, value in found.items()}
