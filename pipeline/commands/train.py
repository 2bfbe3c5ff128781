"""Train a model.

    python -m pipeline train --data DATA/train --val DATA/val --out runs/cat
    python -m pipeline train --data DATA/train --val DATA/val --out runs/cat --resume
    python -m pipeline train --data DATA/train --val DATA/val --out runs/dog --class Dog --init cat --name dog
    python -m pipeline train --settings
    tensorboard --logdir runs/cat

DATA/train is a folder of photos with COCO instance JSON beside it (DATA/train.json); --data may be given several
times. The run's folder gets:

    checkpoint.npz    weights, their moving average, optimizer, step and best score: all that --resume needs
    best.npz, .json   the averaged weights with the best validation mask AP, as float16, for `--weights runs/cat/best`
    last.npz, .json   those of the last evaluation, which `python -m pipeline average` may want instead
    log.csv           losses, learning rate, seconds a step, share of the time spent waiting for data
    evaluations.csv   validation figures
    config.json       the settings, classes and data of the run

A run that is interrupted and resumed ends with the same weights as one that is not: samples, augmentation and sampling
depend on seed and step alone. All GPUs in sight share the work; for several machines see
`pipeline/training/devices.py`.
"""

import argparse
import shlex
import sys
from pathlib import Path


def add_arguments(parser):
    parser.add_argument("--data", action="append", required=True, help="folder of photos, COCO JSON beside it")
    parser.add_argument("--annotations", action="append", help="COCO JSON, one for each --data, if it is elsewhere")
    parser.add_argument("--val", help="folder of validation photos, COCO JSON beside it; never trained on")
    parser.add_argument("--val-annotations", metavar="FILE", help="COCO JSON of --val, if it is elsewhere")
    parser.add_argument("--out", required=True, help="folder of this run, such as runs/cat")
    parser.add_argument(
        "--class",
        dest="classes",
        action="append",
        metavar="NAME",
        help="train only on this class of the data; repeat the option for several, in this order (default: all)",
    )
    parser.add_argument(
        "--init",
        metavar="WEIGHTS",
        help="what to start from: a name under weights/ or the path of an .npz, be it a whole model (heads are made "
        "anew if the classes differ) or a backbone; imagenet; an .h5 file of keras.applications or of matterport's "
        "Mask_RCNN (default: by --config)",
    )
    parser.add_argument(
        "--name", help="at the end, put the best weights and a model card into weights/ under this name, for the page"
    )
    parser.add_argument("--config", default="cat", help="a recipe of pipeline/training/recipes (default: cat)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting")
    parser.add_argument(
        "--settings", action=_ListSettings, nargs=0, help="list all settings with their defaults and meanings, and exit"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")


class _ListSettings(argparse.Action):
    """Like `--help`, it needs none of the required options; the defaults are those of a `--config` before it."""

    def __call__(self, parser, namespace, values, option_string=None):
        from pipeline.training.settings import list_settings

        print(list_settings(namespace.config))
        parser.exit()


def main(arguments):
    from pipeline.data.dataset import CocoDataset
    from pipeline.training import devices
    from pipeline.training.config import load_config
    from pipeline.training.loop import train
    from pipeline.training.release import check_name, release, release_onnx

    config = load_config(arguments.config, arguments.set + ([f"init={arguments.init}"] if arguments.init else []))
    annotations = arguments.annotations or [None] * len(arguments.data)
    if len(annotations) != len(arguments.data):
        raise ValueError(f"{len(arguments.data)} --data but {len(annotations)} --annotations: give one for each")
    pairs = zip(arguments.data, annotations, strict=True)
    datasets = [CocoDataset(*pair, arguments.classes) for pair in pairs]
    val = arguments.val and CocoDataset(arguments.val, arguments.val_annotations, datasets[0].class_names)
    out = Path(arguments.out)
    if arguments.name:
        check_name(arguments.name, out, arguments.resume)
    if not train(config, datasets, val, out, arguments.resume):
        return 130
    if arguments.name and devices.is_first():
        path = release(out, arguments.name, datasets, val, f"python -m pipeline {shlex.join(sys.argv[1:])}")
        print(f"installed: {path}; fill in what is left open in {path.with_suffix('.md')}")
        exported = release_onnx(path, val or datasets[0])
        print(f"installed: {exported}" if isinstance(exported, Path) else f"no file for the light engine: {exported}")
    return 0
