"""What runs a trained network: TensorFlow, or ONNX Runtime, which starts at once and needs a tenth of the space.

`int8` is ONNX Runtime with convolutions in 8 bits: two thirds of the time, masks a little less exact.

Which one is said by the argument `engine`, else by the environment variable `MRCNN_ENGINE`. If neither says it, it is
TensorFlow where that is installed.
"""

import importlib.util
import os

# Each engine, and the ending of the files that it runs.
ENGINES = {"tensorflow": ".npz", "onnx": ".onnx", "int8": ".int8.onnx"}


def has_tensorflow():
    """Whether TensorFlow and Keras are installed; finding out does not import them."""
    return all(importlib.util.find_spec(package) for package in ("tensorflow", "keras"))


def require_tensorflow(what):
    """Refuse what only TensorFlow can do, where it is missing.

    Args:
        what: str. The subject of the sentence.

    Raises:
        ValueError: as said.
    """
    if not has_tensorflow():
        raise ValueError(
            f"{what} needs TensorFlow and Keras, which are not installed: pip install keras tensorflow-cpu"
        )


def asked_for(engine=None):
    """The engine that an argument or the environment asks for: one of `ENGINES`, or `None` if neither does.

    Raises:
        ValueError: if there is no such engine.
    """
    place = "engine" if engine else "MRCNN_ENGINE"
    engine = engine or os.environ.get("MRCNN_ENGINE") or None
    if engine is not None and engine not in ENGINES:
        raise ValueError(f"{place} is {engine!r}, expected one of {', '.join(ENGINES)}")
    return engine


def endings(engine=None):
    """Endings of the files that will do, the preferred one first; see `asked_for`."""
    engine = asked_for(engine)
    if engine:
        return (ENGINES[engine],)
    return tuple(ending for name, ending in ENGINES.items() if name != "tensorflow" or has_tensorflow())
