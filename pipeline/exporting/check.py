"""An exported file, run in a process of its own and compared with the network that it was made of."""

import concurrent.futures
import multiprocessing

import numpy as np

from pipeline.exporting.export import FORMATS

# Largest accepted differences to the Keras model: pixels of the canvas, score, mask probability. Engines add up the
# same products in another order; measured differences are some hundred times smaller.
TOLERANCES = {"boxes": 0.1, "scores": 0.001, "masks": 0.01}
LEAST_CONFIDENCE = 0.01  # of the check: low, so that there is more to compare than one sure cat


def check(network, kind, path, photo, size=None, limit=10, confidence=LEAST_CONFIDENCE, tolerances=None):
    """Run an exported file in a new process and compare its result with the network's.

    Args:
        network: `mrcnn.network.Network`.
        kind: str. Format of the file.
        path: path of the file.
        photo: uint8 `(H, W, 3)`.
        size: int or `None`. Longer side of the input in pixels; for `"tflite"` the one given to `export`.
        limit: int. Most detections to compare; for `"tflite"` at most the one given to `export`.
        confidence: float. Lowest score of the detections to compare. Defaults to `LEAST_CONFIDENCE`.
        tolerances: dict as `TOLERANCES` or `None`, which means those.

    Returns:
        dict from each name in TOLERANCES to its largest difference, and `detections`, the number compared.

    Raises:
        ValueError: if a difference exceeds its tolerance.
    """
    from mrcnn.letterbox import GREY

    size, tolerances = size or network.config.image_size, tolerances or TOLERANCES
    canvas, _ = network.letterbox(photo, size)
    if kind == "tflite":
        canvas = np.pad(
            canvas, [(0, size - canvas.shape[0]), (0, size - canvas.shape[1]), (0, 0)], constant_values=GREY
        )
    images = canvas[None]
    expected = {n: np.asarray(v) for n, v in network.detect(images, confidence, limit).items()}
    found = in_new_process(FORMATS[kind].run, path, images, confidence, limit)
    differences = compare(expected, found)
    for name, difference in differences.items():
        if not difference <= tolerances[name]:
            raise ValueError(
                f"the {kind} file differs from the Keras model by {difference:g} in its {name}, accepted are "
                f"{tolerances[name]}"
            )
    return {**differences, "detections": len(expected["scores"])}


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
