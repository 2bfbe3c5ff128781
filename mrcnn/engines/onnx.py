"""An exported network in ONNX Runtime, in the place of the Keras one, without TensorFlow.

    python -m pipeline export --weights cat --format onnx --out weights/cat.onnx
    MaskRCNN.from_pretrained("cat", engine="onnx")

It has the same weights; results agree within rounding, which the export checks. A file in 8 bits, for the engine
`"int8"`, takes two thirds of the time and is a little less exact; its card has its own figures.
"""

import concurrent.futures
from pathlib import Path

import numpy as np

from mrcnn import letterbox, weights
from mrcnn.config import config_from_card
from mrcnn.cores import limited_cores, usable_cores
from mrcnn.results.detections import Detections


class OnnxEngine:
    """What `MaskRCNN` needs of an engine, run by ONNX Runtime.

    Args:
        path: path of a file that `python -m pipeline export --format onnx` wrote, its JSON beside it.
        threads: int or `None`. Most threads of a run. Defaults to `None`, all cores.

    Raises:
        ValueError: if the file or its JSON is missing, damaged or of other weights than those beside it, of a preset
            other than `lite`, or the package `onnxruntime` is missing.
    """

    network = None
    size_multiple = 1  # this and the letterbox are those of the preset lite, see `mrcnn.network.Network`
    letterbox = staticmethod(letterbox.letterbox)

    def __init__(self, path, threads=None):
        path = Path(path)
        try:
            import onnxruntime
        except ImportError:
            raise ValueError(f"{path} needs a package: pip install onnxruntime") from None
        try:
            self.card = weights.read_card(path)
            config, made_of = self.card["config"], self.card["weights_sha256"]
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(f"{path}.json does not say what {path} is ({error!r}): export it anew") from None
        self.config = config_from_card(config)
        if self.config.preset != "lite":
            # Files of the other presets take no windows, without which their boxes would reach into the filling.
            raise ValueError(f"{path} is of the preset {self.config.preset}; only lite models run from ONNX files here")
        weights.check_sum(path)
        source = weights.beside(path, ".npz")
        if source.exists() and weights.read_card(source).get("sha256") != made_of:
            raise ValueError(f"{path} was made of other weights than {source.name} beside it: export it anew")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # its warnings are about shapes that are meant to be empty
        options.intra_op_num_threads = threads or limited_cores() or 0
        # A thread that waits for the next small operation by spinning takes a core from whatever else runs: on a busy
        # machine, calls took twice as long with it.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the package has an exception of its own for each kind of damage
            raise ValueError(f"{path} is damaged or no ONNX file: {str(error).splitlines()[0]}") from None
        self._names = [output.name for output in self._session.get_outputs()]
        self._takes_windows = any(given.name == "windows" for given in self._session.get_inputs())
        self._pool = concurrent.futures.ThreadPoolExecutor(threads or usable_cores())

    def detections(self, found, window, image_size):
        """As `mrcnn.network.Network.detections`."""
        boxes = letterbox.to_image(found["boxes"], window, image_size)
        return Detections.from_network(found, boxes, image_size, self.config)

    def detect(self, images, confidence, limit, windows):
        """As `mrcnn.engines.tensorflow.TensorFlowEngine.detect`; files of up to version 0.2 know no windows.

        Images of a batch run beside each other, one on each core: while one is at what only a single core can do, the
        others are not. As one run of the graph they took up to a quarter longer.
        """
        limits = {"confidence": np.array(confidence, np.float32), "limit": np.array(limit, np.int32)}

        def run(number):
            inputs = {"images": np.ascontiguousarray(images[number : number + 1]), **limits}
            if self._takes_windows:
                inputs["windows"] = np.asarray(windows[number : number + 1], np.float32)
            found = self._session.run(None, inputs)
            found = dict(zip(self._names, found, strict=True))
            return {**found, "image_index": found["image_index"] + np.int32(number)}

        parts = list(self._pool.map(run, range(len(images)))) if len(images) > 1 else [run(0)]
        return {name: np.concatenate([part[name] for part in parts]) for name in self._names}
