"""A network as an ONNX file: lite ones built from ONNX's own operators, others converted from TensorFlow."""

import numpy as np

from mrcnn.extras import install_command
from pipeline.exporting.saved_model import detect_of, signature

ENDING = ".onnx"


def write(path, network, calibration=None, **_):
    """Write the file; see `pipeline.exporting.keras_file.write`. It takes images of any size.

    A lite model's file takes any number of images, the classic presets' one at a time.

    Args:
        path, network: as there.
        calibration: list of uint8 `(H, W, 3)` or `None`. Photos for a file in 8 bits, see
            `pipeline.exporting.int8`. Defaults to `None`, float32.

    Raises:
        ValueError: if a package is missing, or ONNX lacks an operation that the network uses.
    """
    try:
        import onnx
    except ImportError:
        raise ValueError(f"ONNX needs more packages: {install_command('export')}") from None
    if calibration is not None:
        from pipeline.exporting.int8 import quantized

        model = quantized(network, calibration)
    elif network.config.preset == "lite":
        from pipeline.exporting.onnx_graph import onnx_model

        model = onnx_model(network)
        onnx.checker.check_model(model)
    else:
        model = _converted(network)
    path.write_bytes(model.SerializeToString(deterministic=True))


def _converted(network):
    """The TensorFlow graph of a network, operation by operation."""
    import onnx
    import tensorflow as tf

    try:
        import tf2onnx
    except ImportError:
        raise ValueError(f"ONNX needs more packages: {install_command('export')}") from None
    inputs = signature(1, None, None)
    detect = tf.function(detect_of(network), input_signature=inputs, autograph=False)
    model, _ = tf2onnx.convert.from_function(detect, inputs, opset=18)
    known = {schema.name for schema in onnx.defs.get_all_schemas()}
    unknown = {node.op_type for node in model.graph.node} - known
    if unknown:  # tf2onnx copies what it does not know, and only running the file would tell
        raise ValueError(f"ONNX has no {', '.join(sorted(unknown))}, which the preset {network.config.preset} uses")
    return model


def run(path, images, confidence, limit):
    """Run the file, or its content as `bytes`, with ONNX Runtime; see `pipeline.exporting.keras_file.run`."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # its warnings are about shapes that are meant to be empty
    model = path if isinstance(path, bytes) else str(path)
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    inputs = {"images": images, "confidence": np.array(confidence, np.float32), "limit": np.array(limit, np.int32)}
    if any(given.name == "windows" for given in session.get_inputs()):  # of the preset lite
        inputs["windows"] = np.tile(np.array([[0, 0, *images.shape[1:3]]], np.float32), (len(images), 1))
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))
