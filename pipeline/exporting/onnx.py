"""A network as an ONNX file, for one image at a time."""

import numpy as np

from pipeline.exporting.saved_model import detect_of, signature

ENDING = ".onnx"
OPSET = 18


def write(path, network, **_):
    """Write the file; see `pipeline.exporting.keras_file.write`. It takes one image of any size.

    Raises:
        ValueError: if a package is missing, or ONNX lacks an operation that the network uses.
    """
    import tensorflow as tf

    try:
        import onnx
        import tf2onnx
    except ImportError:
        raise ValueError('ONNX needs more packages: pip install "mrcnn-demo[export]"') from None
    inputs = signature(1, None, None)
    detect = tf.function(detect_of(network), input_signature=inputs, autograph=False)
    model, _ = tf2onnx.convert.from_function(detect, inputs, opset=OPSET)
    known = {schema.name for schema in onnx.defs.get_all_schemas()}
    unknown = {node.op_type for node in model.graph.node} - known
    if unknown:  # tf2onnx copies what it does not know, and only running the file would tell
        raise ValueError(f"ONNX has no {', '.join(sorted(unknown))}, which the preset {network.config.preset} uses")
    path.write_bytes(model.SerializeToString())


def run(path, images, confidence, limit):
    """Run the file, or its content as `bytes`, with ONNX Runtime; see `pipeline.exporting.keras_file.run`."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # its warnings are about shapes that are meant to be empty
    model = path if isinstance(path, bytes) else str(path)
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    inputs = {"images": images, "confidence": np.array(confidence, np.float32), "limit": np.array(limit, np.int32)}
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))
