"""The speed of a model: whole calls, stages, start and memory, beside the peers, in one run."""

import functools
import json
import sys
from pathlib import Path

from pipeline.benchmarking import peers
from pipeline.benchmarking.measuring import interleave, large_convolution, machine, spread
from pipeline.benchmarking.photos import SIZE, photos
from pipeline.benchmarking.processes import cold_starts, server_memory
from pipeline.benchmarking.stages import Stages, multiply_adds
from pipeline.benchmarking.targets import BATCH, INT8, LIGHT, targets


def benchmark(name_or_path, repeats, with_peers, folder):
    """Time everything.

    Args:
        name_or_path: str. Weights of our model.
        repeats: int. Timed calls of each candidate.
        with_peers: bool. Whether to time the peers as well.
        folder: path of a folder for photos and exported files.

    Returns:
        dict, ready for JSON: `milliseconds` with median, 10th and 90th percentile of each candidate and stage,
        `network_multiply_adds`, `network_floor_ms`, `results_holding_the_cat` (share, 0 to 1), `missing_peers`,
        `cold_start_seconds`, `server_memory_gb` (`None` where not measured), `targets` (see
        `pipeline.benchmarking.targets.targets`), and what they depend on.

    Raises:
        ValueError: if the model is not of the preset lite.
        OSError: if the command line or the server fails.
    """
    from mrcnn import MaskRCNN, weights

    network, _ = weights.load_network(name_or_path)
    if network.config.preset != "lite":
        raise ValueError(f"the benchmark measures models of the preset lite, not of {network.config.preset}")
    subjects = photos(repeats + 1, folder)  # a round uses one and the one before it
    cold, memory = cold_starts(name_or_path, subjects[0].path, folder), server_memory(name_or_path, subjects)
    model, stages = MaskRCNN(network), Stages(network)
    canvases = {photo: canvas_of(photo, network) for photo in subjects}
    height, width = canvases[subjects[0]].shape[1:3]
    convolve, convolution_size = large_convolution()
    candidates = {
        "segment": lambda photo: model.segment(photo.image),
        "network": lambda photo: stages.whole(canvases[photo]),
        "3x3 convolution": lambda photo: convolve(),
        f"segment_batch of {BATCH}": functools.partial(_segmented_batch, model, subjects),
    }
    for name, calibration in ((LIGHT, None), (INT8, [photo.image for photo in subjects])):
        if exported := exported_model(network, folder / f"{name}.onnx", calibration):
            candidates[name] = functools.partial(_segmented, exported)
            batch = name.replace("segment", f"segment_batch of {BATCH}")
            candidates[batch] = functools.partial(_segmented_batch, exported, subjects)
    others, missing = peers.available_peers(folder) if with_peers else ({}, {})
    try:
        seconds, holding = interleave(candidates, stages, others, subjects)
    finally:
        for peer in others.values():
            peer.close()
    times = {name: spread(values) for name, values in seconds.items()}
    size = multiply_adds(network, height, width)
    rate = convolution_size / (times["3x3 convolution"]["median"] / 1000)
    report = {
        "machine": machine(),
        "photo": f"{SIZE[1]} x {SIZE[0]}",
        "network_input": f"{width} x {height}",
        "repeats": repeats,
        "milliseconds": times,
        "results_holding_the_cat": holding,
        "network_multiply_adds": size,
        "multiply_adds_per_second": round(rate),
        "network_floor_ms": round(1000 * size / rate, 2),
        "missing_peers": missing,
        "cold_start_seconds": cold,
        "server_memory_gb": memory,
    }
    return {**report, "targets": targets(report)}


def batch_from(photo, subjects):
    """The photo and the ones after it, as arrays."""
    first = subjects.index(photo)
    return [subjects[(first + number) % len(subjects)].image for number in range(BATCH)]


def _segmented(model, photo):
    return model.segment(photo.image)


def _segmented_batch(model, subjects, photo):
    return model.segment_batch(batch_from(photo, subjects))


def exported_model(network, path, calibration=None):
    """The same model run by ONNX Runtime, with `calibration` in 8 bits; `None` where packages are missing."""
    from mrcnn import MaskRCNN, weights
    from pipeline.exporting.export import export

    try:
        export(network, "onnx", path, calibration=calibration)
        Path(f"{path}.json").write_text(json.dumps(weights.card_of(network, weights_sha256=None)))
        return MaskRCNN.from_pretrained(path)
    except ValueError as error:
        print(f"ONNX Runtime is left out: {error}", file=sys.stderr)
        return None


def canvas_of(photo, network):
    """The network's input for a photo."""
    import tensorflow as tf

    canvas, _ = network.letterbox(photo.image, network.config.image_size)
    return tf.constant(canvas[None])
