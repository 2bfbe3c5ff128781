"""Correct how sure a model is of what it finds, from photos that it was not trained on.

    python -m pipeline calibrate runs/cat/best --data DATA/val --data DATA/everyday --out runs/cat_calibrated.npz

A score should be the share of detections like it that are right. A constant on the background's logit is fitted to
that, every photo counting the same: give it photos of the kinds that the model will see, many of them without any
object. The order of the detections stays, so AP hardly changes; how many false alarms are shown at confidence 0.5, and
how many objects are missed, does. `evaluate` says how many of each.
"""

import sys

from pipeline.commands import npz_path


def add_arguments(parser):
    parser.add_argument("weights", metavar="WEIGHTS", help="name under weights/ or path of an .npz")
    parser.add_argument(
        "--data",
        required=True,
        action="append",
        metavar="DATA",
        help="folder of photos with its COCO JSON beside it; may be given several times",
    )
    parser.add_argument(
        "--out", required=True, type=npz_path, metavar="FILE.npz", help="where the corrected weights go"
    )


def main(arguments):
    from mrcnn import MaskRCNN, weights
    from pipeline.data.dataset import CocoDataset
    from pipeline.evaluation.calibration import background_shift, shift_background
    from pipeline.evaluation.coco_eval import detect_all, read_truth
    from pipeline.evaluation.matching import match_photos

    network, card = weights.load_network(arguments.weights)
    model, photos = MaskRCNN(network), []
    for folder in arguments.data:
        dataset = CocoDataset(folder, classes=model.class_names)
        photos += match_photos(read_truth(dataset), detect_all(model, dataset)[0]).values()
    shift = background_shift(photos)
    shift_background(network, shift)
    # Its figures were those of the weights before.
    kept = {name: value for name, value in card.items() if name in ("training", "step", "averaged")}
    shift = round(shift + card.get("background_shift", 0.0), 3)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    weights.save(network, arguments.out, weights.card_of(network, **kept, background_shift=shift))
    print(f"{arguments.out}: the background's logit is {shift:+.2f} from where training left it", file=sys.stderr)
    return 0
