"""Convert an h5 file of matterport's Mask_RCNN, such as the COCO weights of 2017, into a model of this project.

    python -m pipeline download-coco
    python -m pipeline import-matterport data/mask_rcnn_coco.h5 --name coco
    python -m mrcnn street.jpg --weights coco --out results

The model goes to `weights/NAME.npz` with its card `weights/NAME.json`, as float16: half the size of the file, which for
a ResNet-101 are 128 MB. Under that name the command line, the app and the other commands find it.
"""

import re
import sys
from pathlib import Path

import numpy as np


def add_arguments(parser):
    parser.add_argument("file", metavar="FILE.h5", help="weights or a whole model, as Keras 2 wrote them")
    parser.add_argument("--name", required=True, help="what to call the model, such as coco")
    parser.add_argument("--classes", metavar="NAME,NAME,...", help="class names, without the background")
    parser.add_argument("--size", type=int, help="longer side of the network's input in pixels (default: 1024)")


def import_file(file, name, class_names=None, **settings):
    """Write `weights/NAME.npz` and its card.

    Args:
        file: path of the h5 file.
        name: str. Lower-case letters, digits, `-` and `_`.
        class_names: list of str or `None`, see `mrcnn.matterport.loader.load_network`.
        **settings: see `mrcnn.matterport.loader.load_network`.

    Returns:
        Path of the npz.

    Raises:
        ValueError: if the name is not one or belongs to a model that was not imported, or the file does not fit.
    """
    from mrcnn import weights
    from mrcnn.matterport import loader as matterport

    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise ValueError(f"--name is {name!r}, expected lower-case letters, digits, - and _")
    path = weights.FOLDER / f"{name}.npz"
    if path.exists() and "origin" not in weights.read_card(path):
        raise ValueError(f"{path} is there and was not imported: give another --name")
    network, card = matterport.load_network(file, class_names, **settings)
    largest = np.finfo(np.float16).max
    for place, variable in weights.named_variables(network).items():
        if np.abs(np.asarray(variable)).max() > largest:
            raise ValueError(f"{place} holds values above {largest:g}, which float16 cannot say")
    weights.save(network, path, card)
    return path


def main(arguments):
    class_names = arguments.classes.split(",") if arguments.classes else None
    settings = {"image_max_dim": arguments.size} if arguments.size else {}
    path = import_file(Path(arguments.file), arguments.name, class_names, **settings)
    print(f"{path}: {path.stat().st_size / 1e6:.0f} MB", file=sys.stderr)
    return 0
