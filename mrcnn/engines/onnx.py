"""An exported network in ONNX Runtime, in the place of the Keras one, without TensorFlow.

    python -m pipeline export --weights cat --format onnx --out weights/cat.onnx
    MaskRCNN.from_pretrained("cat.onnx")

It is the same graph with the same weights; results agree within rounding, which the export checks.
"""

import numpy as np

from mrcnn import letterbox, weights
from mrcnn.config import config_from_card
from mrcnn.results.detections import Detections


class OnnxEngine:
    """What `MaskRCNN` needs of an engine, run by ONNX Runtime.

    Args:
        path: path of a file that `python -m pipeline export --format onnx` wrote, its JSON beside it.

    Raises:
        ValueError: if the file or its JSON is missing or damaged, of a preset other than `lite`, or the package
            `onnxruntime` is.
    """

    network = None
    size_multiple = 1  # this and the letterbox are those of the preset lite, see `mrcnn.network.Network`
    letterbox = staticmethod(letterbox.letterbox)

    def __init__(self, path):
        try:
            import onnxruntime
        except ImportError:
            raise ValueError(f"{path} needs a package: pip install onnxruntime") from None
        try:
            self.card = weights.read_card(path)
            config = self.card["config"]
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(f"{path}.json does not say what {path} is ({error!r}): export it anew") from None
        self.config = config_from_card(config)
        if self.config.preset != "lite":
            # The export takes no windows, without which the other presets' boxes would reach into the filling.
            raise ValueError(f"{path} is of the preset {self.config.preset}; only lite models run from ONNX files here")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # its warnings are about shapes that are meant to be empty
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the package has an exception of its own for each kind of damage
            raise ValueError(f"{path} is damaged or no ONNX file: {str(error).splitlines()[0]}") from None
        self._names = [output.name for output in self._session.get_outputs()]

    def detections(self, found, window, image_size):
        """As `mrcnn.network.Network.detections`."""
        boxes = letterbox.to_image(found["boxes"], window, image_size)
        return Detections.from_network(found, boxes, image_size, self.config)

    def detect(self, images, confidence, limit, windows=None):
        """As `mrcnn.engines.tensorflow.TensorFlowEngine.detect`; windows are ignored.

        The file takes one image at a time, so a batch runs one after the other.
        """
        chosen = {"confidence": np.array(confidence, np.float32), "limit": np.array(limit, np.int32)}
        parts = []
        for number, image in enumerate(np.asarray(images)):
            outputs = self._session.run(None, {"images": image[None], **chosen})
            found = dict(zip(self._names, outputs, strict=True))
            parts.append({**found, "image_index": found["image_index"] + np.int32(number)})
        return {name: np.concatenate([part[name] for part in parts]) for name in self._names}
