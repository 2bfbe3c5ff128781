"""The network that a training run starts from."""

import sys


def initial_network(config, class_names):
    """A network with initial weights: a backbone, or all of a whole model but what belongs to classes that it lacks.

    Args:
        config: `TrainConfig`. Its `init` is `"imagenet"`, the path of an .h5 file (of keras.applications or of
            matterport's Mask_RCNN, which then decides the preset), or a name or path for `mrcnn.weights.locate`.
        class_names: tuple of str.

    Raises:
        ValueError: if `config.init` cannot be found or does not fit.
        OSError: if it cannot be downloaded.
    """
    import keras

    from mrcnn import weights
    from mrcnn.build import build_network
    from mrcnn.config import PRESETS, replace
    from mrcnn.matterport import loader as matterport
    from pipeline.training.imagenet import load_imagenet

    keras.utils.set_random_seed(config.seed)
    if matterport.recognises(config.init):
        return matterport.fine_tuning_network(config.init, class_names, image_size=config.image_size, **config.network)
    network_config = replace(
        PRESETS[config.preset], class_names=class_names, image_size=config.image_size, **config.network
    )
    network = build_network(network_config)
    if network_config.backbone == "mobilenet_v2" and (config.init == "imagenet" or config.init.endswith(".h5")):
        load_imagenet(network.backbone, config.init)
        return network
    path = weights.locate(config.init)
    card = weights.read_card(path)
    if "config" not in card:
        weights.load_into(network, path, "backbone/")
        return network
    if tuple(card["config"]["class_names"]) == tuple(class_names):
        weights.load_into(network, path)
        return network
    shared = weights.load_all_that_fits(network, path)
    new = [name for name in class_names if name not in shared]
    print(
        f"{path.name}: all of its weights that fit are kept; classes kept: {', '.join(shared) or 'none'}; "
        f"new: {', '.join(new) or 'none'}",
        file=sys.stderr,
    )
    return network
