"""An h5 file of matterport's Mask_RCNN as a model of this project, under a name that everything here finds."""

import re

import numpy as np


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
