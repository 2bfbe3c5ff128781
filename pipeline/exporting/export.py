"""Write a model for other engines, and check the file by running it in a new process.

    python -m pipeline export --weights cat --format keras       --out exported/cat.keras
    python -m pipeline export --weights cat --format saved_model --out exported/cat
    python -m pipeline export --weights cat --format tflite      --out exported/cat.tflite
    python -m pipeline export --weights cat --format onnx        --out exported/cat.onnx

Images go in letterboxed (`mrcnn/letterbox.py`), boxes come out in pixels of that canvas.

    keras        class `mrcnn.network.Network`: import it, then keras.saving.load_model(FILE).detect(images, 0.5, 30)
    saved_model  signature serving_default; in: images uint8 (B, H, W, 3) with H and W multiples of 32, confidence
                 float32 (), limit int32 (); out, one row a detection of the batch: image int32 (N,), boxes float32
                 (N, 4) y1 x1 y2 x2, scores float32 (N,), class_ids int32 (N,), masks float32 (N, S, S)
    onnx         the same inputs and outputs, for one image (B = 1)
    tflite       every shape is fixed: in: images uint8 (1, SIZE, SIZE, 3), the letterboxed image in the top left
                 corner and grey (127) around it, and confidence float32 (); out: boxes (1, LIMIT, 4), scores
                 (1, LIMIT), class_ids (1, LIMIT), masks (1, LIMIT, S, S), zeros after the last detection. Built-in
                 operations only, in float32.

The S x S cells of a mask tile its box enlarged by the config's `mask_margin` at each edge. Beside the file comes
FILE.json: the card of the weights with their config, and how far the results are from the Keras model's.

A lite model as onnx can be used here, too, and is faster: `--out weights/cat.onnx`, then `--weights cat.onnx`, or
choose it on the page. See `mrcnn/engines/onnx.py`.
"""

import concurrent.futures
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

from mrcnn.atomic import write_atomically
from pipeline.resume import full_disk_said

ENDINGS = {"keras": ".keras", "saved_model": "", "tflite": ".tflite", "onnx": ".onnx"}
# Largest accepted differences to the Keras model: pixels of the canvas, score, mask probability. Engines add up the
# same products in another order; measured differences are some hundred times smaller.
TOLERANCES = {"boxes": 0.1, "scores": 0.001, "masks": 0.01}
LEAST_CONFIDENCE = 0.01  # of the check: low, so that there is more to compare than one sure cat
ONNX_OPSET = 18


def add_arguments(parser):
    parser.add_argument("--weights", default="cat", help="name under weights/ or path of an .npz (default: cat)")
    parser.add_argument("--format", required=True, choices=ENDINGS, help="what to write")
    parser.add_argument("--out", required=True, help="file to write, for saved_model a folder")
    parser.add_argument("--photo", help="photo for the check (default: the cat that comes with scikit-image)")
    parser.add_argument("--size", type=int, help="tflite: side of the square input in pixels (default: the model's)")
    parser.add_argument("--limit", type=int, default=10, help="tflite: detections an image (default: %(default)s)")


def export(network, kind, path, size=None, limit=10):
    """Write a network in another engine's format, in one piece or not at all.

    Args:
        network: `mrcnn.network.Network`.
        kind: str. `"keras"`, `"saved_model"`, `"tflite"` or `"onnx"`.
        path: path of the file or, for `"saved_model"`, of the folder.
        size: int or `None`. For `"tflite"`: side of the square input in pixels. Defaults to what the network was
            trained at.
        limit: int. For `"tflite"`: detections an image. Defaults to 10.

    Raises:
        ValueError: if the kind, the path's ending or an argument is not accepted, or a package is missing.
        OSError: if it cannot be written.
    """
    path, size = Path(path), size or network.config.image_size
    if kind not in ENDINGS:
        raise ValueError(f"format is {kind!r}, expected one of {', '.join(ENDINGS)}")
    if path.suffix != ENDINGS[kind] and ENDINGS[kind]:
        raise ValueError(f"{path} must end in {ENDINGS[kind]} for the format {kind}")
    if path.is_dir() and not (path / "saved_model.pb").exists():
        raise ValueError(f"{path} is a folder that holds something else: give another --out")
    if kind == "tflite" and network.config.preset != "lite":
        raise ValueError(f"tflite is for the preset lite, not for {network.config.preset}; use onnx or saved_model")
    if size % 32 or not 32 <= size <= 2048 or not 1 <= limit <= 100:
        raise ValueError(f"size {size} and limit {limit}: expected a multiple of 32 up to 2048, and 1 to 100")
    path.parent.mkdir(parents=True, exist_ok=True)
    with full_disk_said(path), tempfile.TemporaryDirectory(dir=path.parent) as folder:
        part = Path(folder) / path.name
        if kind == "keras":
            network.save(part)
        elif kind == "saved_model":
            _write_saved_model(part, network, _detect_of(network), _signature(None, None, None))
        elif kind == "tflite":
            _write_tflite(part, network, size, limit)
        else:
            _write_onnx(part, network)
        if path.is_dir():
            shutil.rmtree(path)
        os.replace(part, path)


def _signature(batch, height, width):
    import tensorflow as tf

    return [
        tf.TensorSpec((batch, height, width, 3), tf.uint8, name="images"),
        tf.TensorSpec((), tf.float32, name="confidence"),
        tf.TensorSpec((), tf.int32, name="limit"),
    ]


def _detect_of(network):
    """`network.detect` with exactly the inputs of `_signature`."""

    def detect(images, confidence, limit):
        return network.detect(images, confidence, limit)

    return detect


def _write_saved_model(path, network, function, signature):
    import tensorflow as tf

    # A plain module with the plain variables: keras.export would store each of them twice.
    module = tf.Module()
    module.weights = [variable.value for variable in network.variables]
    module.serve = tf.function(function, input_signature=signature, autograph=False)
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.serve})


def _write_tflite(path, network, size, limit):
    import tensorflow as tf

    def detect(images, confidence):
        return network.detect_padded(images, confidence, limit)

    with tempfile.TemporaryDirectory() as folder:
        _write_saved_model(folder, network, detect, _signature(1, size, size)[:2])
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["serving_default"])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        path.write_bytes(converter.convert())


def _write_onnx(path, network):
    import tensorflow as tf

    try:
        import onnx
        import tf2onnx
    except ImportError:
        raise ValueError('ONNX needs more packages: pip install "mrcnn-demo[export]"') from None
    signature = _signature(1, None, None)
    detect = tf.function(_detect_of(network), input_signature=signature, autograph=False)
    model, _ = tf2onnx.convert.from_function(detect, signature, opset=ONNX_OPSET)
    known = {schema.name for schema in onnx.defs.get_all_schemas()}
    unknown = {node.op_type for node in model.graph.node} - known
    if unknown:  # tf2onnx copies what it does not know, and only running the file would tell
        raise ValueError(f"ONNX has no {', '.join(sorted(unknown))}, which the preset {network.config.preset} uses")
    path.write_bytes(model.SerializeToString())


def run_keras(path, images, confidence, limit):
    """Run a .keras file: dict of numpy arrays, one row a detection. The other `run_` functions do the same."""
    import keras

    import mrcnn.network  # noqa: F401  (its classes must be registered)

    found = keras.saving.load_model(path).detect(images, confidence, limit)
    return {name: np.asarray(value) for name, value in found.items()}


def run_saved_model(path, images, confidence, limit):
    import tensorflow as tf

    serve = tf.saved_model.load(str(path)).signatures["serving_default"]
    found = serve(images=tf.constant(images), confidence=tf.constant(confidence, tf.float32), limit=tf.constant(limit))
    return {name: value.numpy() for name, value in found.items()}


def run_tflite(path, images, confidence, limit):
    import tensorflow as tf

    run = tf.lite.Interpreter(str(path), num_threads=os.cpu_count()).get_signature_runner("serving_default")
    found = run(images=images, confidence=np.float32(confidence))
    real = np.flatnonzero(found["class_ids"][0])[:limit]
    return {name: value[0][real] for name, value in found.items()}


def run_onnx(path, images, confidence, limit):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    inputs = {"images": images, "confidence": np.array(confidence, np.float32), "limit": np.array(limit, np.int32)}
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


RUNNERS = {"keras": run_keras, "saved_model": run_saved_model, "tflite": run_tflite, "onnx": run_onnx}


def in_new_process(function, *arguments):
    """The result of a function in a fresh Python, which knows of the model what stands in the file and no more.

    Raises:
        OSError: if that Python dies.
    """
    context = multiprocessing.get_context("spawn")
    try:
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
            return pool.submit(function, *arguments).result()
    except concurrent.futures.BrokenExecutor as error:
        raise OSError("the process that ran the file has died: was the memory enough?") from error


def compare(expected, found):
    """The largest differences between two results of one image.

    Rows are matched by class and box, because engines may order equal scores differently.

    Args:
        expected: dict of `boxes` (N, 4), `scores` (N,), `class_ids` (N,) and `masks` (N, S, S).
        found: dict of the same.

    Returns:
        dict from each name in TOLERANCES to its largest difference, a float.

    Raises:
        ValueError: if there is nothing to compare, or the numbers of detections differ.
    """
    count = len(expected["scores"])
    if count == 0:
        raise ValueError("the model finds nothing in the photo, so there is nothing to compare: give another --photo")
    if len(found["scores"]) != count:
        raise ValueError(f"the file finds {len(found['scores'])} objects, the Keras model {count}")
    distance = np.abs(expected["boxes"][:, None] - found["boxes"]).max(axis=-1)
    distance[expected["class_ids"][:, None] != found["class_ids"]] = np.inf
    match = []
    for row in distance:
        match.append(row.argmin())
        if not np.isfinite(row[match[-1]]):
            raise ValueError("the file finds objects of other classes than the Keras model")
        distance[:, match[-1]] = np.inf
    return {name: float(np.abs(expected[name] - found[name][match]).max()) for name in TOLERANCES}


def check(network, kind, path, photo, size=None, limit=10):
    """Run an exported file in a new process and compare its result with the network's.

    Args:
        network: `mrcnn.network.Network`.
        kind: str. Format of the file.
        path: path of the file.
        photo: uint8 `(H, W, 3)`.
        size: int or `None`. Longer side of the input in pixels; for `"tflite"` the one given to `export`.
        limit: int. Most detections to compare; for `"tflite"` at most the one given to `export`.

    Returns:
        dict from each name in TOLERANCES to its largest difference, and `detections`, the number compared.

    Raises:
        ValueError: if a difference exceeds its tolerance.
    """
    from mrcnn.letterbox import GREY

    size = size or network.config.image_size
    canvas, _ = network.conventions.letterbox(photo, size, network.config)
    if kind == "tflite":
        canvas = np.pad(
            canvas, [(0, size - canvas.shape[0]), (0, size - canvas.shape[1]), (0, 0)], constant_values=GREY
        )
    images = canvas[None]
    expected = {n: np.asarray(v) for n, v in network.detect(images, LEAST_CONFIDENCE, limit).items()}
    found = in_new_process(RUNNERS[kind], path, images, LEAST_CONFIDENCE, limit)
    differences = compare(expected, found)
    for name, difference in differences.items():
        if not difference <= TOLERANCES[name]:
            raise ValueError(
                f"{path} differs from the Keras model by {difference:g} in its {name}, accepted are {TOLERANCES[name]}"
            )
    return {**differences, "detections": len(expected["scores"])}


def file_size(path):
    """Bytes of a file, or of all files under a folder."""
    path = Path(path)
    return sum(file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file())


def main(arguments):
    from mrcnn import weights
    from mrcnn.images import read_image

    if arguments.photo:
        photo = read_image(arguments.photo)
    else:
        import skimage.data

        photo = skimage.data.chelsea()
    network, card = weights.load_network(arguments.weights)
    path, kind = Path(arguments.out), arguments.format
    print(f"writing {path}", file=sys.stderr)
    export(network, kind, path, arguments.size, arguments.limit)
    print("running it in a new process", file=sys.stderr)
    result = check(network, kind, path, photo, arguments.size, arguments.limit)
    facts = {
        **card,
        "format": kind,
        "class_names": network.config.class_names,
        "image_size": arguments.size or network.config.image_size,
        "compared_with_keras": {**result, "tolerances": TOLERANCES},
    }
    write_atomically(f"{path}.json", json.dumps(facts, indent=2) + "\n")
    size, count = file_size(path) / 1e6, result["detections"]
    print(f"{path}: {size:.1f} MB; run in a new process, {count} detections agree with the Keras model's")
    for name, tolerance in TOLERANCES.items():
        print(f"  {name:<7} largest difference {result[name]:.2e}, tolerance {tolerance:g}")
    return 0
