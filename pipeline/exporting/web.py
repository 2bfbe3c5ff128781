"""A model as a static page that segments photos in the visitor's browser: the sources in `web/`, filled in.

The page is ES modules around ONNX Runtime's WebAssembly build, which comes from its npm package at a pinned version and
is checked by its hash. Everything it needs at run time lies in the folder, so that any static host serves it; no file
has 10 MB, so that a plain git push to a Space takes it.
"""

import base64
import gzip
import hashlib
import html
import io
import json
import shutil
import string
import subprocess
import tarfile
import tempfile
from importlib import metadata
from pathlib import Path

import numpy as np
import platformdirs
from PIL import Image

from mrcnn import images, letterbox
from mrcnn.atomic import write_atomically
from mrcnn.extras import install_command
from mrcnn.results import drawing
from mrcnn.results.detections import Detections
from mrcnn.results.wording import plural
from pipeline.exporting import onnx

ENDING = ""
MARK = "site.json"
INSTALLED = Path(__file__).resolve().parent / "page"
SOURCES = INSTALLED if INSTALLED.is_dir() else Path(__file__).resolve().parents[2] / "web"  # in a checkout
RUNTIME, RUNTIME_VERSION = "onnxruntime-web", "1.30.0"
# As the npm registry states it: SHA-512 of the package's archive.
RUNTIME_SHA512 = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
RUNTIME_PROGRAM = "ort-wasm-simd-threaded.wasm"
RUNTIME_MODULES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs")

LEAST_CONFIDENCE = 0.05  # of what the page keeps of a photo, and its slider can bring up
EXAMPLE = "example.jpg"
LARGEST_ON_WEB = 10_000_000  # bytes a file; a Space takes larger ones only through Git LFS


def write(path, network, *, card, photo, **_):
    """Write the page.

    Args:
        path: path of the new folder.
        network: `mrcnn.network.Network`, preset `"lite"`.
        card: dict. What is known of the weights, see `mrcnn.weights`.
        photo: uint8 `(H, W, 3)` or `None`. What the page opens with, segmented already; `None` is Chelsea the cat.

    Raises:
        ValueError: if a package is missing, or ONNX Runtime's is not what it should be.
        OSError: if it cannot be written, or the package cannot be fetched.
    """
    with tempfile.TemporaryDirectory() as place:
        model = Path(place) / "model.onnx"
        onnx.write(model, network)
        write_site(path, model.read_bytes(), network.config, card, photo)


def write_site(folder, model, config, card, photo=None):
    """The page around a model that is an ONNX file already, `bytes`; see `write`."""
    folder = Path(folder)
    shutil.copytree(SOURCES, folder)
    runtime = folder / "onnxruntime"
    runtime.mkdir()
    _write_runtime(runtime)
    networks = {"model.onnx.gz": model, f"onnxruntime/{RUNTIME_PROGRAM}.gz": (runtime / RUNTIME_PROGRAM).read_bytes()}
    (runtime / RUNTIME_PROGRAM).unlink()
    for name, content in networks.items():
        # Zipped here and unzipped by the page: not every host does it, and visitors would wait for 22 MB, not 11.
        (folder / name).write_bytes(gzip.compress(content, mtime=0))
    credit = _write_example(folder, model, config, photo)
    (folder / "model.json").write_text(json.dumps(card, indent=2) + "\n")
    words = _words(config, card, credit)
    for name in ("index.html", "README.md"):
        _fill_in(
            folder / name, {key: html.escape(text) if name.endswith("html") else text for key, text in words.items()}
        )
    # The version is a hash of all that the page is made of, its own list of facts aside, which comes last.
    facts = _facts(config, words["invitation"])
    digest = hashlib.sha256(json.dumps(facts).encode())
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(file.read_bytes())
    facts["version"] = digest.hexdigest()[:16]
    facts["files"] = {name: (folder / name).stat().st_size for name in networks}
    (folder / "site.json").write_text(json.dumps(facts, indent=2) + "\n")
    kept = ["./", *(_relative(folder, path) for path in folder.rglob("*") if path.is_file())]
    kept = sorted(set(kept) - {*networks, "sw.js", "README.md", "onnxruntime/ThirdPartyNotices.txt"})
    _fill_in(folder / "sw.js", {"version": facts["version"], "files": json.dumps(kept)})
    for file in folder.rglob("*"):
        if file.is_file() and file.stat().st_size >= LARGEST_ON_WEB:
            raise ValueError(f"{_relative(folder, file)} has {file.stat().st_size / 1e6:.1f} MB: too large for a page")


def run(path, images, confidence, limit):
    """Run the model of a page with ONNX Runtime; see `pipeline.exporting.keras_file.run`."""
    return onnx.run(gzip.decompress((Path(path) / "model.onnx.gz").read_bytes()), images, confidence, limit)


def _write_runtime(folder):
    """ONNX Runtime's files and its licence, from the archive of its npm package."""
    archive = _runtime_archive()
    with tarfile.open(archive) as package:
        for name in (*RUNTIME_MODULES, RUNTIME_PROGRAM):
            (folder / name).write_bytes(package.extractfile(f"package/dist/{name}").read())
    # The npm package names its licence and holds no copy; the Python package, of the same source, does.
    installed = metadata.files("onnxruntime") or ()
    for name in ("LICENSE", "ThirdPartyNotices.txt"):
        found = [file for file in installed if file.as_posix() == f"onnxruntime/{name}"]
        if not found:
            raise ValueError(f"the package onnxruntime has no {name}: {install_command('export')}")
        shutil.copyfile(found[0].locate(), folder / name)


def _runtime_archive():
    """Path of the checked archive, fetched by npm where it has not been before."""
    cache = platformdirs.user_cache_path("mrcnn-demo")
    archive = cache / f"{RUNTIME}-{RUNTIME_VERSION}.tgz"
    if not archive.exists():
        if not (npm := shutil.which("npm")):
            raise ValueError(f"npm is missing: install Node.js, or put {archive.name} from its registry into {cache}")
        with tempfile.TemporaryDirectory() as place:
            command = [npm, "pack", f"{RUNTIME}@{RUNTIME_VERSION}", "--silent", "--pack-destination", place]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                reason = (done.stderr.strip() or "it gave no reason").splitlines()[-1]
                raise OSError(f"npm could not fetch {RUNTIME} {RUNTIME_VERSION}: {reason}")
            write_atomically(archive, (Path(place) / archive.name).read_bytes())
    if base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != RUNTIME_SHA512:
        raise ValueError(f"{archive} is not {RUNTIME} {RUNTIME_VERSION}: its hash is another one; delete it, try again")
    return archive


def _write_example(folder, model, config, photo):
    """The photo that the page opens with and what the model finds in it; returns whose photo it is."""
    import skimage.data

    chelsea = skimage.data.chelsea()
    photo = chelsea if photo is None else photo
    credit = "The example photo was chosen by who published this page."
    if np.array_equal(photo, chelsea):
        credit = "The photo is Chelsea, by Stéfan van der Walt (CC0), from scikit-image."
    encoded = io.BytesIO()
    Image.fromarray(photo).save(encoded, "JPEG", quality=92, optimize=True)
    (folder / EXAMPLE).write_bytes(encoded.getvalue())
    photo = np.asarray(Image.open(encoded))
    canvas, window = letterbox.letterbox(photo, config.image_size)
    found = onnx.run(model, canvas[None], LEAST_CONFIDENCE, config.shown_limit)
    boxes = letterbox.to_image(found["boxes"], window, photo.shape[:2])
    kept = Detections.from_network(found, boxes, photo.shape[:2], config, np.dtype("<f4"))
    result = {
        "boxes": kept.boxes.tolist(),
        "regions": kept.regions.tolist(),
        "scores": kept.scores.tolist(),
        "class_ids": kept.class_ids.tolist(),
        "masks": base64.b64encode(kept.soft_masks.tobytes()).decode(),
        "cells": kept.soft_masks.shape[1],
        "image_size": kept.image_size,
    }
    (folder / "example.json").write_text(json.dumps({"name": EXAMPLE, "found": result}))
    return credit


def _facts(config, invitation):
    """What the page's modules must know of the model and of the drawings."""
    colours = [drawing.class_colour(class_id) for class_id in range(len(config.class_names) + 1)]
    return {
        "classes": [
            {"id": category_id, "name": name, "plural": plural(name), "colour": colour}
            for category_id, name, colour in zip(config.coco_category_ids, config.class_names, colours[1:], strict=True)
        ],
        "kind": _kind(config),
        "invitation": invitation,
        "input": {
            "size": config.image_size,
            "stride": letterbox.STRIDE,
            "grey": letterbox.GREY,
            "smallest_side": images.SMALLEST_SIDE,
            "largest_area": images.LARGEST_AREA,
        },
        "mask_margin": config.mask_margin,
        "confidence": config.confidence,
        "least_confidence": LEAST_CONFIDENCE,
        "limit": config.shown_limit,
        "instance_colours": drawing.PALETTE.tolist(),
        "background_colour": colours[0],
    }


def _kind(config):
    return config.class_names[0] if len(config.class_names) == 1 else "object"


def _words(config, card, credit):
    """What the page says of the model, in English."""
    kind, names = _kind(config), config.class_names
    listed = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    precision = card.get("metrics", {}).get("mask", {}).get("AP")
    measured = "" if precision is None else f", mask AP {precision:.3f} on its validation photos"
    return {
        "title": f"Every {kind}, cut out",
        "description": f"Finds every {kind} in a photo, in your browser. Nothing is uploaded.",
        "invitation": "This is an example. Choose a photo of your own, drop or paste one.",
        "kind": kind,
        "about": f"A Mask R-CNN of {config.image_size} pixels ({listed}){measured}.",
        "runtime": RUNTIME_VERSION,
        "example": credit,
        "licence": str(card.get("licence", "not stated")).rstrip("."),
    }


def _fill_in(path, words):
    path.write_text(string.Template(path.read_text()).substitute(words))


def _relative(folder, path):
    return path.relative_to(folder).as_posix()
