"""A network as a .keras file."""

import numpy as np

ENDING = ".keras"


def write(path, network, **_):
    """Write the file; all formats' `write` take the settings of `export`, of which this one needs none.

    Args:
        path: Path of the file, ending in `ENDING`.
        network: `mrcnn.network.Network`.
    """
    network.save(path)


def run(path, images, confidence, limit):
    """Run the file, as all formats' `run` do.

    Args:
        path: Path of the file.
        images: uint8 `(1, H, W, 3)`, letterboxed.
        confidence: float. Lowest score.
        limit: int. Most detections.

    Returns:
        dict of numpy arrays, one row a detection: `boxes` float32 `(N, 4)`, `scores` float32 `(N,)`, `class_ids` int32
        `(N,)`, `masks` float32 `(N, S, S)`.
    """
    import keras

    import mrcnn.build  # noqa: F401  (its classes must be registered)

    found = keras.saving.load_model(path).detect(images, confidence, limit)
    return {name: np.asarray(value) for name, value in found.items()}
