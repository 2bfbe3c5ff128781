"""A lite model's ONNX graph with its convolutions in 8 bits: two thirds of the size and of the time.

Static quantization as in Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-
only inference" (2018), by ONNX Runtime's own tool: weights are stored as int8 with a scale for each output channel,
features as uint8 with a scale for each tensor, which comes from what photos of the training data bring forth.
"""

import logging
import random
import tempfile
from pathlib import Path

import numpy as np

from mrcnn import letterbox
from mrcnn.extras import install_command
from mrcnn.images import ENDINGS, read_image
from pipeline.data.dataset import CocoDataset
from pipeline.data.formats import default_annotations

PHOTOS = 64  # whose features are looked at for the scales
# How far the check lets a sure detection move; whether it is as right as before, only `evaluate` can tell.
CONFIDENCE = 0.5
TOLERANCES = {"boxes": 16, "scores": 0.1, "masks": 0.6}
# Layers by the beginnings of their names. What stays in float32 is little work and much of the loss: the first block,
# whose few channels differ most, the last layer of the backbone, and what gives scores, boxes and masks.
QUANTIZED = "backbone/", "pyramid/", "proposal_head/shared", "box_head/hidden", "mask_head/coarse", "detail/"
IN_FLOAT = "backbone/Conv1", "backbone/expanded_conv", "backbone/block_16_project"
OPERATORS = "Conv", "Gemm", "Clip", "Relu", "Add", "MaxPool", "Resize"


def calibration_photos(folder):
    """`PHOTOS` photos of a folder, or all if it has fewer; the same ones each time.

    They are those of the COCO JSON beside the folder, or else all in it and below it.

    Returns:
        list of uint8 `(H, W, 3)`.

    Raises:
        ValueError: if there is none, or one cannot be read.
    """
    if default_annotations(folder).is_file():  # masks may lie in the folder as well
        dataset = CocoDataset(folder)
        paths = [dataset.path(image_id) for image_id in dataset.image_ids]
    else:
        paths = [path for path in Path(folder).rglob("*") if path.suffix.lower() in ENDINGS]
    if not paths:
        raise ValueError(f"{folder} holds no photos, of which 8 bits need some {PHOTOS} to find their scales with")
    return [read_image(path) for path in random.Random(0).sample(sorted(paths), min(PHOTOS, len(paths)))]


def quantized(network, images):
    """The ONNX graph of a network with most of its convolutions in 8 bits.

    Args:
        network: `mrcnn.network.Network`, preset `"lite"`.
        images: list of uint8 `(H, W, 3)`. Photos as the network was trained on; some 64 are enough.

    Returns:
        `onnx.ModelProto` with the inputs and outputs of `pipeline.exporting.onnx_graph.onnx_model`.

    Raises:
        ValueError: if a package is missing, or the preset is another one.
    """
    try:
        import onnx
        from onnxruntime import quantization
    except ImportError:
        raise ValueError(f"8 bits need more packages: {install_command('export')}") from None
    from pipeline.exporting.onnx_graph import onnx_model

    if network.config.preset != "lite":
        raise ValueError(f"8 bits are for the preset lite, not for {network.config.preset}")
    canvases = [letterbox.letterbox(image, network.config.image_size)[0] for image in images]
    model = onnx_model(network, halves=False)
    log = logging.getLogger()
    level = log.level
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        log.setLevel(logging.ERROR)  # it would warn that layers without bias have none
        try:
            quantization.quantize_static(
                model,
                path,
                _Photos(canvases),
                quant_format=quantization.QuantFormat.QDQ,
                nodes_to_quantize=[node.name for node in model.graph.node if _is_quantized(node)],
                per_channel=True,
                reduce_range=True,  # 7 bits of weights: sums of 8 overflow on processors without VNNI
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
            )
            return onnx.load(path)
        finally:
            log.setLevel(level)


def _is_quantized(node):
    return node.op_type in OPERATORS and node.name.startswith(QUANTIZED) and not node.name.startswith(IN_FLOAT)


class _Photos:
    """What the tool calls a `CalibrationDataReader`: it gives the inputs of one run after the other, then `None`."""

    def __init__(self, canvases):
        self._canvases = iter(canvases)

    def get_next(self):
        canvas = next(self._canvases, None)
        if canvas is None:
            return None
        confidence, limit = np.array(0.05, np.float32), np.array(30, np.int32)
        window = np.array([[0, 0, *canvas.shape[:2]]], np.float32)  # no convolution sees it
        return {"images": canvas[None], "confidence": confidence, "limit": limit, "windows": window}
