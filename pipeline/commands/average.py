"""Average the weights of runs that began from the same model: often better than each of them, and no slower.

    python -m pipeline average runs/seed1/last runs/seed2/last --val DATA/val --out runs/average.npz
    python -m pipeline average runs/dog/best --size 640 --val DATA/val --out runs/dog_640.npz

Runs with other seeds or settings can be averaged as long as they went on from the same weights and not too far; others
lie too far apart, and their average finds nothing. So look at its figures, which `--val` measures and keeps in the card
beside the weights, before using it.

Paper: Wortsman et al., "Model soups", 2022 (https://arxiv.org/abs/2203.05482).
"""

import sys

from pipeline.commands import npz_path


def add_arguments(parser):
    parser.add_argument("weights", nargs="+", metavar="WEIGHTS", help="names under weights/ or paths of .npz files")
    parser.add_argument("--out", required=True, type=npz_path, metavar="FILE.npz", help="where the average goes")
    parser.add_argument("--val", metavar="DATA", help="folder of photos with its COCO JSON beside it, to measure it")
    parser.add_argument(
        "--size",
        type=int,
        help="longer side of the network's input in pixels, from now on; somewhat more than it was trained with often "
        "finds more (default: as it is)",
    )


def main(arguments):
    from mrcnn import weights
    from pipeline.data.dataset import CocoDataset
    from pipeline.evaluation.coco_eval import table
    from pipeline.training.average import average

    val = CocoDataset(arguments.val) if arguments.val else None
    network, card = average(arguments.weights, arguments.size, val)
    if val:
        print(table(card["metrics"]))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    weights.save(network, arguments.out, card)
    what = f"the average of {len(arguments.weights)}" if arguments.weights[1:] else arguments.weights[0]
    print(f"{arguments.out}: {what}, read at {network.config.image_size} pixels", file=sys.stderr)
    return 0
