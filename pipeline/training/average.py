"""Average the weights of runs that began from the same model: often better than each of them, and no slower.

    python -m pipeline average runs/seed1/last runs/seed2/last --val DATA/val --out runs/average.npz

Runs with other seeds or settings can be averaged as long as they went on from the same weights and not too far; others
lie too far apart, and their average finds nothing. So look at its figures, which `--val` measures and keeps in the card
beside the weights, before using it.

Paper: Wortsman et al., "Model soups", 2022 (https://arxiv.org/abs/2203.05482).
"""

import sys
from pathlib import Path


def add_arguments(parser):
    parser.add_argument("weights", nargs="+", metavar="WEIGHTS", help="names under weights/ or paths of .npz files")
    parser.add_argument("--out", required=True, metavar="FILE.npz", help="where the average goes")
    parser.add_argument("--val", metavar="DATA", help="folder of photos with its COCO JSON beside it, to measure it")
    parser.add_argument(
        "--size",
        type=int,
        help="longer side of the network's input in pixels, from now on; somewhat more than it was trained with often "
        "finds more (default: as it is)",
    )


def average(paths, size=None):
    """The mean of the weights of several models.

    Args:
        paths: list of str. Two or more names under `weights/` or paths of npz files, of the same config.
        size: int or `None`. Longer side of the network's input at inference, in pixels, a multiple of 32. Defaults to
            what it was.

    Returns:
        `mrcnn.network.Network`, and its card.

    Raises:
        ValueError: if there are fewer than two, one is missing, their configs differ, or the size cannot be.
    """
    import numpy as np

    from mrcnn import weights
    from mrcnn.config import replace

    if len(paths) < 2:
        raise ValueError("give two or more weights to average")
    if size is not None and not (32 <= size <= 2048 and size % 32 == 0):
        raise ValueError(f"--size is {size}, expected a multiple of 32 up to 2048")
    (network, card), *others = (weights.load_network(path) for path in paths)
    for path, (other, _) in zip(paths[1:], others, strict=True):
        if other.config != network.config:
            raise ValueError(f"{path} is of another config than {paths[0]}")
    for variables in zip(network.weights, *(other.weights for other, _ in others), strict=True):
        variables[0].assign(np.mean([np.asarray(variable) for variable in variables], axis=0))
    if size:
        network.config = replace(network.config, image_size=size)
    kept = {name: card[name] for name in ("training", "step") if name in card}
    return network, weights.card_of(network, averaged=[str(path) for path in paths], **kept)


def main(arguments):
    from mrcnn import MaskRCNN, weights
    from pipeline.data.dataset import CocoDataset
    from pipeline.evaluation.coco_eval import evaluate, table

    out = Path(arguments.out).with_suffix(".npz")
    val = CocoDataset(arguments.val) if arguments.val else None
    network, card = average(arguments.weights, arguments.size)
    if val:
        report = evaluate(MaskRCNN(network), val)
        print(table(report))
        card["metrics"] = report
    out.parent.mkdir(parents=True, exist_ok=True)
    weights.save(network, out, card)
    print(f"{out}: the average of {len(arguments.weights)}", file=sys.stderr)
    return 0
