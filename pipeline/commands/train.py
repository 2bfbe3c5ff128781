"""Train a model.

    python -m pipeline train --data DATA-train --val DATA-val --out runs/cup
    python -m pipeline train --data DATA-train --val DATA-val --out runs/cup --resume
    python -m pipeline train --data DATA --val 0.2 --out runs/cup --name cup
    python -m pipeline train --config cat --data DATA/train --val DATA/val --out runs/cat
    python -m pipeline train --settings
    tensorboard --logdir runs/cat

DATA is a folder of photos with COCO instance JSON beside it (DATA.json), as `python -m pipeline prepare` writes it;
--data may be given several times. Input size, steps and evaluations follow from the data, and at the end larger inputs
are tried; a --config that names a recipe is followed to the letter. The run's folder gets:

    checkpoint.npz    weights, their moving average, optimizer, step and best score: all that --resume needs
    best.npz, .json   the averaged weights with the best validation AP, as float16, for `--weights runs/cat/best`
    last.npz, .json   those of the last evaluation, which `python -m pipeline average` may want instead
    log.csv           losses, learning rate, seconds a step, share of the time spent waiting for data
    evaluations.csv   validation figures
    config.json       the settings, classes and data of the run

A run that is interrupted and resumed ends with the same weights as one that is not: samples, augmentation and sampling
depend on seed and step alone. All GPUs in sight share the work; for several machines see
`pipeline/training/devices.py`.
"""

import argparse
import dataclasses
import re
import shlex
import sys
from pathlib import Path

ALIASES = {"--size": "image_size", "--lr": "learning_rate", "--batch": "batch_size"}


def add_arguments(parser):
    parser.add_argument("--data", action="append", required=True, help="folder of photos, COCO JSON beside it")
    parser.add_argument("--annotations", action="append", help="COCO JSON, one for each --data, if it is elsewhere")
    parser.add_argument(
        "--val",
        metavar="FOLDER",
        help="folder of validation photos, COCO JSON beside it, never trained on; or a share of --data such as 0.2",
    )
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
        help="what to start from: a name under weights/ or the path of an .npz, be it a whole model (classes "
        "that it lacks are made anew) or a backbone; imagenet; an .h5 file of keras.applications or of matterport's "
        "Mask_RCNN (default: by --config)",
    )
    parser.add_argument(
        "--name", help="at the end, put the best weights and a model card into weights/ under this name, for the page"
    )
    parser.add_argument("--epochs", type=int, metavar="N", help="how often each photo is seen (default: by the data)")
    for option, key in ALIASES.items():
        parser.add_argument(option, metavar="VALUE", help=f"short for --set {key}=VALUE")
    parser.add_argument("--config", default="own", help="a recipe of pipeline/training/recipes (default: own)")
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
    from pipeline.training.plan import plan
    from pipeline.training.release import check_name, release, release_onnx

    if arguments.epochs is not None and arguments.epochs < 1:
        raise ValueError(f"--epochs is {arguments.epochs}, expected 1 or more")
    settings = list(arguments.set)
    settings += [f"init={arguments.init}"] if arguments.init else []
    for option, key in ALIASES.items():
        value = getattr(arguments, option.strip("-"))
        settings += [f"{key}={value}"] if value is not None else []
    config = load_config(arguments.config, settings)
    annotations = arguments.annotations or [None] * len(arguments.data)
    if len(annotations) != len(arguments.data):
        raise ValueError(f"{len(arguments.data)} --data but {len(annotations)} --annotations: give one for each")
    pairs = zip(arguments.data, annotations, strict=True)
    datasets = [CocoDataset(*pair, arguments.classes) for pair in pairs]
    datasets, val = divide(datasets, arguments.val, arguments.val_annotations, config.seed)
    planned = arguments.config == "own"
    if planned or arguments.epochs:
        given = {setting.partition("=")[0] for setting in settings}
        if not planned:
            given |= {field.name for field in dataclasses.fields(config)} - {"steps"}
        config, reasons = plan(config, datasets, val, given, arguments.epochs)
        print("\n".join(reasons), file=sys.stderr)
    out = Path(arguments.out)
    if arguments.name:
        check_name(arguments.name, out, arguments.resume)
    if not train(config, datasets, val, out, arguments.resume, choose_size=planned):
        return 130
    if arguments.name and devices.is_first():
        path = release(out, arguments.name, datasets, val, public_command(sys.argv[1:]))
        print(f"installed: {path}; fill in what is left open in {path.with_suffix('.md')}")
        exported = release_onnx(path, val or datasets[0])
        print(f"installed: {exported}" if isinstance(exported, Path) else f"no file for the light engine: {exported}")
    return 0


def public_command(arguments):
    """The command line for a model card; of paths from the root or from above, the last part alone."""
    parts = [re.sub(r"^(--[\w-]+=)?(?:[/~]|\.\.|\w:).*[/\\](?=[^/\\]+[/\\]?$)", r"\1", part) for part in arguments]
    return f"python -m pipeline {shlex.join(parts)}"


def divide(datasets, val, val_annotations, seed):
    """The data sets to train on, and the one to measure on.

    Args:
        datasets: list of `CocoDataset`.
        val: str or None. A folder, or a share of the photos of the only data set.
        val_annotations: str or None. COCO JSON of the folder, if it is not beside it.
        seed: int. Of the division.

    Raises:
        ValueError: if the folder cannot be read, or a photo is for both.
    """
    from pipeline.data.dataset import CocoDataset
    from pipeline.data.likeness import look
    from pipeline.data.split import choose
    from pipeline.training.evaluator import readable_photos

    if val is None:
        return datasets, None
    try:
        share = float(val)
    except ValueError:
        share = None
    if share is not None and not Path(val).is_dir():
        if len(datasets) > 1 or not 0 < share < 1:
            raise ValueError(f"--val is {val}, expected a folder, or a share between 0 and 1 of a single --data")
        (whole,) = datasets
        looks = {image_id: look(image) for image_id, image in readable_photos(whole)}
        image_ids = list(looks)
        chosen = {image_ids[index] for index in choose(list(looks.values()), share, seed)}
        rest = [image_id for image_id in image_ids if image_id not in chosen]
        print(f"{len(rest)} photos for training, {len(chosen)} for validation", file=sys.stderr)
        return [whole.subset(rest)], whole.subset(sorted(chosen))
    val = CocoDataset(val, val_annotations, datasets[0].class_names)
    paths = {dataset.path(image_id).resolve() for dataset in datasets for image_id in dataset.image_ids}
    both = [val.path(image_id) for image_id in val.image_ids if val.path(image_id).resolve() in paths]
    if both:
        raise ValueError(
            f"{len(both)} photos are in --data and in --val, the first is {both[0].name}: the figures would be of what "
            "the model has seen; `prepare --split 0.2` divides them"
        )
    return datasets, val
