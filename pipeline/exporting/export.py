"""A network in another engine's format: which formats there are, and how a file comes to its place in one piece."""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

from mrcnn.atomic import write_atomically
from pipeline.exporting import keras_file, onnx, saved_model, tflite, web
from pipeline.resume import full_disk_said

# Each has `ENDING`, `write(path, network, ...)`, which takes the settings of `export` that it names, and
# `run(path, images, confidence, limit)`; those that write a folder have `MARK`, a file by which it is known.
FORMATS = {"keras": keras_file, "saved_model": saved_model, "tflite": tflite, "onnx": onnx, "web": web}
FIGURES = "metrics", "everyday"  # of a card: what was measured with the weights that it came with


def export(network, kind, path, size=None, limit=10, card=None, photo=None, calibration=None, verify=None):
    """Write a network in another engine's format, in one piece or not at all.

    Args:
        network: `mrcnn.network.Network`.
        kind: str. `"keras"`, `"saved_model"`, `"tflite"`, `"onnx"` or `"web"`.
        path: path of the file or, for `"saved_model"` and `"web"`, of the folder.
        size: int or `None`. For `"tflite"`: side of the square input in pixels. Defaults to what the network was
            trained at.
        limit: int. For `"tflite"`, and `"saved_model"` with its padded rows: detections an image. Defaults to 10.
        card: dict or `None`. For `"web"`: what is known of the weights, see `mrcnn.weights`. Defaults to `None`.
        photo: uint8 `(H, W, 3)` or `None`. For `"web"`: what the page opens with. Defaults to `None`, Chelsea the cat.
        calibration: list of uint8 `(H, W, 3)` or `None`. For `"onnx"`: photos to find the scales of 8 bits with, see
            `pipeline.exporting.int8`. Defaults to `None`, which keeps float32.
        verify: function or `None`. Called with the Path of what was written, before it takes the place of what was
            there; what it raises leaves that as it was. Defaults to `None`.

    Raises:
        ValueError: if the kind, the path's ending or an argument is not accepted, or a package is missing.
        OSError: if it cannot be written.
    """
    path, size = Path(path), size or network.config.image_size
    if kind not in FORMATS:
        raise ValueError(f"format is {kind!r}, expected one of {', '.join(FORMATS)}")
    ending = FORMATS[kind].ENDING
    if ending and path.suffix != ending:
        raise ValueError(f"{path} must end in {ending} for the format {kind}")
    mark = getattr(FORMATS[kind], "MARK", None)
    if path.is_dir() and not (mark and (path / mark).exists()):
        raise ValueError(f"{path} is a folder that holds something else: give another --out")
    if calibration is not None and kind != "onnx":
        raise ValueError(f"8 bits are for the format onnx, not for {kind}")
    if kind in ("tflite", "web") and network.config.preset != "lite":
        raise ValueError(f"{kind} is for the preset lite, not for {network.config.preset}; use onnx or saved_model")
    if size % 32 or not 32 <= size <= 2048 or not 1 <= limit <= 100:
        raise ValueError(f"size {size} and limit {limit}: expected a multiple of 32 up to 2048, and 1 to 100")
    path.parent.mkdir(parents=True, exist_ok=True)
    with full_disk_said(path), tempfile.TemporaryDirectory(dir=path.parent) as folder:
        part = Path(folder) / path.name
        FORMATS[kind].write(
            part, network, size=size, limit=limit, card=card or {}, photo=photo, calibration=calibration
        )
        if verify:
            verify(part)
        if path.is_dir():
            shutil.rmtree(path)
        os.replace(part, path)


def export_with_card(network, card, kind, path, photo, size=None, limit=10, calibration=None):
    """Write a network in another format, check the file against the network, and write its card, `PATH.json`.

    The card is that of the weights with what the check found, the file's own checksum as `sha256`, and that of the
    weights which it was made of as `weights_sha256`. In 8 bits it leaves out the figures, which are those of others.

    Args:
        card: dict. That of the network's weights.
        photo: uint8 `(H, W, 3)`. For the check; the network must find something in it.
        network, kind, path, size, limit, calibration: see `export`.

    Returns:
        What `pipeline.exporting.check.check` found, and the `tolerances` of it.

    Raises:
        ValueError: as `export`, or if the results differ.
        OSError: if it cannot be written.
    """
    from pipeline.exporting import int8
    from pipeline.exporting.check import LEAST_CONFIDENCE, TOLERANCES, check

    confidence, tolerances = LEAST_CONFIDENCE, TOLERANCES
    if calibration is not None:
        confidence, tolerances = int8.CONFIDENCE, int8.TOLERANCES
        card = {name: value for name, value in card.items() if name not in FIGURES} | {
            "calibrated_on": len(calibration)
        }
    result = {"tolerances": tolerances}

    def verify(part):
        result.update(check(network, kind, part, photo, size, limit, confidence, tolerances))

    export(network, kind, path, size, limit, card, photo, calibration, verify)
    facts = {
        **card,
        "format": kind,
        "class_names": network.config.class_names,
        "image_size": size or network.config.image_size,
        "compared_with_keras": result,
        "weights_sha256": card.get("sha256"),
    }
    facts.pop("sha256", None)
    if Path(path).is_file():
        facts["sha256"] = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    write_atomically(f"{path}.json", json.dumps(facts, indent=2) + "\n")
    return result


def file_size(path):
    """Bytes of a file, or of all files under a folder."""
    path = Path(path)
    return sum(file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file())
