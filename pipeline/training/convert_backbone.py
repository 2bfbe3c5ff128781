"""The convolutions of an Open Images SSD-MobileNetV2, as the initial weights of the `lite` backbone."""

from pathlib import Path

import numpy as np

# Convolution number 41 and 42 of the graph (counted from 1) are SSD predictors, not part of MobileNetV2.
PREDICTORS = (41, 42)


def read_convolutions(path):
    """Kernels and biases of all convolutions of a float16 .tflite file in graph order.

    Returns:
        list of `(kernel, bias)`, float32, kernels in Keras's order: `(h, w, in, out)`, depthwise `(h, w, channels, 1)`.

    Raises:
        ValueError: if the file is not a TFLite flatbuffer.
    """
    from tensorflow.lite.python import schema_py_generated as schema

    content = Path(path).read_bytes()
    if content[4:8] != b"TFL3":
        raise ValueError(f"{path} is not a .tflite file")
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    kinds = {number: name for name, number in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    dtypes = {schema.TensorType.FLOAT32: np.float32, schema.TensorType.FLOAT16: np.float16}

    def constant(index):
        tensor = graph.tensors[index]
        data = np.asarray(model.buffers[tensor.buffer].data, np.uint8)
        return np.frombuffer(data.tobytes(), dtypes[tensor.type]).reshape(tensor.shape).astype(np.float32)

    values, found = {}, []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        kind = kinds[max(code.builtinCode, code.deprecatedBuiltinCode)]
        if kind == "DEQUANTIZE":
            values[operator.outputs[0]] = constant(operator.inputs[0])
        elif kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            kernel, bias = (values[index] for index in operator.inputs[1:3])
            found.append((kernel.transpose(1, 2, 3, 0), bias))  # (out, h, w, in) or (1, h, w, channels)
    return found


def fill(backbone, found):
    """Put converted convolutions into a folded MobileNetV2, in graph order.

    Raises:
        ValueError: if their number or a shape differs.
    """
    from mrcnn.mobilenet_v2 import convolutions

    layers = convolutions(backbone)
    found = [pair for number, pair in enumerate(found, start=1) if number not in PREDICTORS][: len(layers)]
    if len(found) != len(layers):
        raise ValueError(f"the file has {len(found)} backbone convolutions, expected {len(layers)}")
    for layer, (kernel, bias) in zip(layers, found, strict=True):
        if kernel.shape != tuple(layer.kernel.shape):
            raise ValueError(f"{layer.name} is {kernel.shape} in the file, expected {tuple(layer.kernel.shape)}")
        layer.set_weights([kernel, bias])


def convert(file, out):
    """Write the initial backbone and its card.

    Args:
        file: Path of the detector's .tflite file.
        out: Path of the npz to write.

    Raises:
        ValueError: if the file is not that detector.
    """
    from mrcnn import weights
    from mrcnn.network import Network

    network = Network()
    fill(network.backbone, read_convolutions(file))
    card = {
        "what": "MobileNetV2 1.0 up to block 16, batch norms folded: the initial backbone of the lite preset",
        "origin": "SSD-MobileNetV2 trained on Open Images V4, npm package @mediapipe/objectron 0.4.1675468480",
        "licence": "Apache-2.0",
        "command": f"python -m pipeline convert-backbone {file.name}",
    }
    weights.save(network, out, card, only="backbone/")
