"""The h5 files of matterport's Mask_RCNN (https://github.com/matterport/Mask_RCNN), read as Keras 2 wrote them.

A file has a group for each layer, those of the region proposal network in one more group `rpn_model`, and in each, some
folders down, datasets such as `kernel:0`. Training also wrote whole models, with all this in a group `model_weights`.
The folders between vary with the version of Keras; the name of the layer and the last word do not.

Nothing is loaded in part: every tensor must be there in the shape that the others imply, and none may be left over.
Batch norms are multiplied into the convolutions before them, as everywhere in
this project (see `mrcnn/mobilenet_v2.py`).
"""

from contextlib import contextmanager
from pathlib import Path

import numpy as np

from mrcnn.config import replace
from mrcnn.matterport.layout import BATCH_NORM, check
from mrcnn.matterport.network import MatterportNetwork
from mrcnn.matterport.resnet import STAGE_WIDTHS

BATCH_NORM_EPSILON = 1e-3  # Keras's default, which the original uses

# Layers whose shape depends on the classes: training with new classes begins with fresh ones.
CLASS_LAYERS = ("mrcnn_class_logits", "mrcnn_bbox_fc", "mrcnn_mask")

# Groups that hold no weights: anchors are computed from the settings.
IGNORED_GROUPS = ("anchors", "optimizer_weights")

# Settings of the original, in lower case, and what they are called in `mrcnn.config.Config`.
SETTINGS = {
    "image_min_dim": "image_min_size",
    "image_max_dim": "image_size",
    "mean_pixel": "pixel_mean",
    "pre_nms_limit": "pre_nms_top_n",
    "post_nms_rois_inference": "post_nms_top_n",
    "rpn_nms_threshold": "proposal_nms_iou",
    "bbox_std_dev": "box_variance",
    "detection_min_confidence": "confidence",
    "detection_nms_threshold": "detection_nms_iou",
    "detection_max_instances": "shown_limit",
}

# Fields of the config that the file decides.
FROM_FILE = (
    "preset", "class_names", "backbone", "backbone_blocks", "pyramid_channels", "separable",
    "fine_channels", "proposal_level", "proposal_channels", "proposal_separable", "box_pool_size", "box_units",
    "mask_channels",
)  # fmt: skip


def load_network(path, class_names=None, new_classes=False, **settings):
    """The network that an h5 file describes, with its weights, and a card.

    Args:
        path: path of the h5 file.
        class_names: list of str, the background not among them. Defaults to COCO's if there are 80, else to
            `"class 1"` and so on.
        new_classes: bool. Whether `class_names` are other classes than the file's, yet to be learnt: the last layers
            are then initialised at random, and there may be any number of names. Defaults to `False`.
        **settings: fields of `mrcnn.config.Config`, or keys of `SETTINGS`.

    Returns:
        `mrcnn.matterport.network.MatterportNetwork`, and a dict as `mrcnn.weights.card_of` gives it.

    Raises:
        ValueError: if there is no such file, it is damaged, a setting is unknown, or the number of names is wrong.
        mrcnn.matterport.layout.LayoutError: a ValueError with the list of what is missing, unexpected or misshapen.
    """
    import keras

    from mrcnn import weights

    path = Path(path)
    with opened(path) as tensors:
        config, cell_anchors = check(path.name, {name: tensor.shape for name, tensor in tensors.items()})
        if class_names is not None and len(class_names) != len(config.class_names) and not new_classes:
            raise ValueError(
                f"{path.name} has {len(config.class_names)} classes, but {len(class_names)} class names were given"
            )
        config = replace(config, class_names=tuple(class_names or config.class_names), **_translated(settings))
        if len(config.anchor_scales) * len(config.anchor_ratios) != cell_anchors:
            raise ValueError(
                f"{path.name} has {cell_anchors} anchors in a cell, but anchor_scales and anchor_ratios make "
                f"{len(config.anchor_scales) * len(config.anchor_ratios)}"
            )
        # Random numbers that are overwritten at once would cost as much time as the loading, and memory.
        with keras.utils.custom_object_scope({} if new_classes else {"glorot_uniform": keras.initializers.Zeros}):
            network = MatterportNetwork(config)
        fill(network, tensors, skipped=CLASS_LAYERS if new_classes else ())
    return network, weights.card_of(network, origin=f"{path.name}, in the format of matterport's Mask_RCNN")


def recognises(path):
    """Whether a file is meant to be one of matterport's, complete or not: it has one of the layers of its heads.

    Raises:
        ValueError: if it is an HDF5 file, but a truncated or damaged one, of which nobody can tell.
    """
    import h5py

    path = Path(path)
    if not path.is_file() or not h5py.is_hdf5(path):
        return False
    with opened(path) as tensors:
        return any(name.startswith("mrcnn_") for name in tensors)


def fine_tuning_network(path, class_names, **settings):
    """The network of an h5 file for training, with fresh last layers unless the classes are the file's.

    A file does not name its classes; one with 80 is taken to have those of COCO.

    Args:
        path: path of the h5 file.
        class_names: tuple of str. The classes to be learnt.
        **settings: see `load_network`.

    Raises:
        ValueError: see `load_network`.
    """
    with opened(Path(path)) as tensors:
        config, _ = check(Path(path).name, {name: tensor.shape for name, tensor in tensors.items()})
    new_classes = tuple(class_names) != config.class_names
    return load_network(path, class_names, new_classes, **settings)[0]


def fill(network, tensors, skipped=()):
    """Put the tensors of a file into a network, a few megabytes at a time.

    Args:
        network: `mrcnn.matterport.network.MatterportNetwork`; changed in place.
        tensors: dict from names to h5py datasets or arrays, checked by `mrcnn.matterport.layout.check`.
        skipped: tuple of str. Layers of the file that are left out.

    Raises:
        ValueError: if a tensor cannot be read or holds values that are not finite.
    """
    import tensorflow as tf

    for source, layer in layers(network).items():
        if source in skipped:
            continue
        scale, bias = 1.0, _read(tensors, f"{source}/bias")
        norm = batch_norm_of(source)
        if f"{norm}/gamma" in tensors:
            gamma, beta, mean, variance = (_read(tensors, f"{norm}/{name}").astype(np.float64) for name in BATCH_NORM)
            scale = gamma / np.sqrt(variance + BATCH_NORM_EPSILON)
            bias = beta + (bias - mean) * scale
        classes = slice(1, None) if source == "mrcnn_mask" else slice(None)  # the background has no mask here
        layer.bias.assign(bias[classes])
        # The kernels of the box head are convolutions over the whole pooled square in the file: the same numbers, but
        # rows, columns and channels are one axis here. So a slice of the file's kernel is some rows of the layer's.
        shape = tensors[f"{source}/kernel"].shape
        parts = shape[0] if len(shape) == 4 else 1
        rows = layer.kernel.shape[0] // parts
        for part in range(parts):
            values = _read(tensors, f"{source}/kernel", part if parts > 1 else slice(None)) * np.float32(scale)
            values = values[..., classes].reshape(rows, *layer.kernel.shape[1:])
            # In place; `assign` would keep old and new values of the largest kernel, 51 MB, in memory for a while.
            where = tf.range(part * rows, (part + 1) * rows)
            layer.kernel.value.scatter_update(tf.IndexedSlices(values, where))


def _read(tensors, name, part=slice(None)):
    """A tensor or a part of it as float32."""
    try:
        values = np.asarray(tensors[name][part], np.float32)
    except OSError as error:
        raise ValueError(f"{name} cannot be read, the file seems to be damaged ({error})") from None
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds values that are not finite numbers, the file seems to be damaged")
    return values


def layers(network):
    """Where the layers of a file belong: dict from their names to layers of the network."""
    targets = {layer.name: layer for layer in network.backbone.layers if layer.weights}
    for level, lateral, output in zip(STAGE_WIDTHS, network.pyramid.laterals, network.pyramid.outputs, strict=True):
        targets[f"fpn_c{level}p{level}"] = lateral
        targets[f"fpn_p{level}"] = output
    targets["rpn_conv_shared"] = network.proposal_head.shared
    targets["rpn_class_raw"] = network.proposal_head.objectness
    targets["rpn_bbox_pred"] = network.proposal_head.deltas
    for number, layer in enumerate(network.box_head.hidden, start=1):
        targets[f"mrcnn_class_conv{number}"] = layer
    targets["mrcnn_class_logits"] = network.box_head.logits
    targets["mrcnn_bbox_fc"] = network.box_head.deltas
    for number, layer in enumerate(network.mask_head.coarse, start=1):
        targets[f"mrcnn_mask_conv{number}"] = layer
    targets["mrcnn_mask_deconv"] = network.mask_head.double
    targets["mrcnn_mask"] = network.mask_head.logits
    return targets


def batch_norm_of(convolution):
    """The name that the batch norm after a convolution has, or would have."""
    if convolution == "conv1":
        return "bn_conv1"
    if convolution.startswith("res"):
        return "bn" + convolution.removeprefix("res")
    return convolution.replace("_conv", "_bn")


@contextmanager
def opened(path):
    """The tensors of an h5 file, not yet read: a dict from names such as `fpn_p2/kernel` to h5py datasets.

    Raises:
        ValueError: if there is no such file, or it is not a complete, undamaged HDF5 file.
    """
    import h5py

    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ValueError(
            f"{path.name} is not a complete HDF5 file, it seems to be truncated or of another kind ({error})"
        ) from None
    with file:
        try:
            tensors = _datasets(file)
        except Exception as error:  # h5py has another one for each kind of damage
            raise ValueError(f"{path.name} is damaged, its table of contents cannot be read ({error})") from None
        yield tensors


def _datasets(file):
    """All tensors of an open h5 file by their names."""
    import h5py

    root = file["model_weights"] if isinstance(file.get("model_weights"), h5py.Group) else file
    tensors = {}

    def visit(name, item):
        folders = name.split("/")
        if isinstance(item, h5py.Dataset) and folders[0] not in IGNORED_GROUPS:
            short = _tensor_name(folders)
            tensors[name if short in tensors else short] = item  # a second one of a name is left over

    root.visititems(visit)
    return tensors


def _tensor_name(folders):
    """`LAYER/VARIABLE` from the folders of a dataset: `rpn_model/rpn_class_raw/kernel:0` is `rpn_class_raw/kernel`."""
    layer = folders[0]
    if layer == "rpn_model" and len(folders) > 2:
        layer = next((folder for folder in folders[1:-1] if folder.startswith("rpn_")), folders[-2])
    return f"{layer}/{folders[-1].partition(':')[0]}"


def _translated(settings):
    """Settings with the original's names replaced by this project's."""
    for name in settings:
        if name in FROM_FILE:
            raise ValueError(f"{name} cannot be set, the file decides it")
        if SETTINGS.get(name, name) == "image_size" and settings[name] % MatterportNetwork.size_multiple:
            multiple = MatterportNetwork.size_multiple
            raise ValueError(f"{name} is {settings[name]}, expected a multiple of {multiple} pixels")
    return {SETTINGS.get(name, name): value for name, value in settings.items()}
