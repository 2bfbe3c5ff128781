"""The mean of the weights of several models.

Paper: Wortsman et al., "Model soups", 2022 (https://arxiv.org/abs/2203.05482).
"""


def average(paths, size=None, val=None):
    """The mean of the weights of several models.

    Args:
        paths: list of str. Names under `weights/` or paths of npz files, of the same config but for the size of the
            input: two or more, one with `size`. All but the first may know more classes, which are left out.
        size: int or `None`. Longer side of the network's input at inference, in pixels, a multiple of 32. Defaults to
            that of the first.
        val: `CocoDataset` to measure the result on, or `None`.

    Returns:
        `mrcnn.network.Network`, and its card, with `metrics` if it was measured.

    Raises:
        ValueError: if there are too few, one is missing, their configs differ, or the size cannot be.
    """
    import numpy as np

    from mrcnn import MaskRCNN, weights
    from mrcnn.config import replace
    from pipeline.evaluation.coco_eval import evaluate

    if len(paths) < 2 and size is None:
        raise ValueError("give two or more weights to average, or one and --size")
    if size is not None and not (32 <= size <= 2048 and size % 32 == 0):
        raise ValueError(f"--size is {size}, expected a multiple of 32 up to 2048")
    (network, card), *others = (weights.load_network(path) for path in paths)
    if size is not None and size % network.size_multiple:
        raise ValueError(f"--size is {size}, expected a multiple of {network.size_multiple} for these weights")
    others = [_narrowed(other, path, network, paths[0]) for path, (other, _) in zip(paths[1:], others, strict=True)]
    for variables in zip(network.weights, *(other.weights for other in others), strict=True):
        variables[0].assign(np.mean([np.asarray(variable) for variable in variables], axis=0))
    if size:
        network.config = replace(network.config, image_size=size)
    kept = {name: card[name] for name in ("training", "step") if name in card}
    card = weights.card_of(network, averaged=[str(path) for path in paths], **kept)
    if val:
        card["metrics"] = evaluate(MaskRCNN(network), val)
    return network, card


def _narrowed(other, path, network, first):
    """The other network with the classes of the first one alone."""
    from mrcnn import weights
    from mrcnn.build import build_network
    from mrcnn.config import replace

    config = network.config
    ours = {"class_names": config.class_names, "category_ids": config.category_ids, "image_size": config.image_size}
    if replace(other.config, **ours) != config or not set(config.class_names) <= set(other.config.class_names):
        raise ValueError(f"{path} is of another config than {first}")
    if other.config.class_names == config.class_names:
        return other
    narrowed = build_network(config)
    weights.load_all_that_fits(narrowed, weights.locate(path))
    return narrowed
