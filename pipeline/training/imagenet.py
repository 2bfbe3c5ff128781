"""ImageNet weights of `keras.applications` as the initial backbone of the `lite` preset."""

import sys
from pathlib import Path


def load_imagenet(backbone, source="imagenet"):
    """Fill a folded MobileNetV2 from MobileNetV2 1.0 of `keras.applications`, its batch norms folded in.

    Args:
        backbone: `keras.Model` from `mrcnn.mobilenet_v2.mobilenet_v2`; changed in place.
        source: str. `"imagenet"`, which Keras downloads once and keeps, or the path of such an .h5 file.

    Raises:
        ValueError: if the file holds other weights.
        OSError: if there is no such file, or it cannot be downloaded.
    """
    import keras

    from mrcnn.mobilenet_v2 import fold_batch_norms

    if source != "imagenet":
        fold_batch_norms(_read(source), backbone)
        return
    print("ImageNet weights of MobileNetV2, downloaded if this is the first time", file=sys.stderr)
    try:
        model = keras.applications.MobileNetV2(include_top=False, input_shape=(224, 224, 3))
    except Exception as error:  # Keras raises a plain Exception where it cannot download
        raise OSError(
            f"the ImageNet weights cannot be downloaded: connect to the internet once, or give their file as --init "
            f"FILE.h5 ({error})"
        ) from error
    fold_batch_norms(model, backbone)


def _read(path):
    """The model in a weights file of `keras.applications`, with classifier or without."""
    import keras

    if not Path(path).is_file():
        raise FileNotFoundError(f"{path} does not exist")
    for include_top in (False, True):
        model = keras.applications.MobileNetV2(include_top=include_top, input_shape=(224, 224, 3), weights=None)
        try:
            model.load_weights(path)
            return model
        except (ValueError, KeyError, OSError, AttributeError):
            pass  # not this one
    raise ValueError(f"{path} does not hold weights of MobileNetV2 1.0 from keras.applications")
