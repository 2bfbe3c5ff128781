"""Train a model.

    python -m pipeline train --data DATA/train --val DATA/val --out runs/cat
    python -m pipeline train --data DATA/train --val DATA/val --out runs/cat --resume
    python -m pipeline train --data DATA/train --val DATA/val --out runs/dog --class Dog --init cat --name dog
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

import dataclasses
import filecmp
import json
import re
import shlex
import signal
import sys
import time
import zipfile
from pathlib import Path

from mrcnn.atomic import write_atomically
from pipeline.training import devices
from pipeline.training.config import check_settings, load_config
from pipeline.training.imagenet import load_imagenet
from pipeline.training.run_log import Log
from pipeline.training.trainer import Trainer, learning_rate


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
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")


def build_network(config, class_names):
    """A network with initial weights: a backbone, or a whole model whose heads are kept if the classes are the same.

    Args:
        config: `TrainConfig`. Its `init` is `"imagenet"`, the path of an .h5 file (of keras.applications or of
            matterport's Mask_RCNN, which then decides the preset), or a name or path for `mrcnn.weights.locate`.
        class_names: tuple of str.

    Raises:
        ValueError: if `config.init` cannot be found or does not fit.
        OSError: if it cannot be downloaded.
    """
    import keras

    from mrcnn import build, weights
    from mrcnn.config import PRESETS, replace
    from mrcnn.matterport import loader as matterport

    keras.utils.set_random_seed(config.seed)
    if matterport.recognises(config.init):
        return matterport.fine_tuning_network(config.init, class_names, image_size=config.image_size)
    network_config = replace(PRESETS[config.preset], class_names=class_names, image_size=config.image_size)
    network = build.build_network(network_config)
    if network_config.backbone == "mobilenet_v2" and (config.init == "imagenet" or config.init.endswith(".h5")):
        load_imagenet(network.backbone, config.init)
        return network
    path = weights.locate(config.init)
    card = weights.read_card(path)
    if "config" not in card:
        weights.load_into(network, path, "backbone/")
        return network
    parts = [stage.name + "/" for stage in network.layers]
    if tuple(card["config"]["class_names"]) != tuple(class_names):
        parts = [part for part in parts if part not in ("box_head/", "mask_head/")]
    weights.load_into(network, path, tuple(parts))
    return network


def main(arguments):
    from pipeline.data.dataset import CocoDataset

    settings = arguments.set + ([f"init={arguments.init}"] if arguments.init else [])
    config = load_config(arguments.config, settings)
    check_settings(config)
    annotations = arguments.annotations or [None] * len(arguments.data)
    if len(annotations) != len(arguments.data):
        raise ValueError(f"{len(arguments.data)} --data but {len(annotations)} --annotations: give one for each")
    pairs = zip(arguments.data, annotations, strict=True)
    datasets = [CocoDataset(*pair, arguments.classes) for pair in pairs]
    val = arguments.val and CocoDataset(arguments.val, arguments.val_annotations, datasets[0].class_names)
    if arguments.name:
        check_name(arguments.name, Path(arguments.out), arguments.resume)
    return run(config, datasets, val, Path(arguments.out), arguments.resume, arguments.name)


def run(config, datasets, val, out, resume, name=None):
    """Train from the first step, or from the last checkpoint, to the last step.

    Returns:
        int. 0 at the end, 130 if it was interrupted.

    Raises:
        ValueError: if the folder already holds another run, there is nothing to resume, or the data cannot be used.
        OSError: if one of several machines is lost.
    """
    import tensorflow as tf
    from tqdm import tqdm

    from pipeline.data.reader import SampleReader

    checkpoint = out / "checkpoint.npz"
    if checkpoint.exists() and not resume:
        raise ValueError(f"{out} already holds a run: give --resume to go on, or another --out")
    if resume and not checkpoint.exists():
        raise ValueError(f"nothing to resume: {checkpoint} does not exist; start without --resume")
    if val and not any(map(val.has_instances, val.image_ids)):
        raise ValueError(f"no photo of {val.folder} shows an instance of {', '.join(val.class_names)}, for --val")
    strategy = devices.find_strategy()
    worker = devices.worker(strategy)
    reader = SampleReader(datasets, config)
    with strategy.scope():
        network = build_network(config, datasets[0].class_names)
    trainer = Trainer(network, config, strategy)
    facts = describe(config, datasets, val)
    if resume:
        compare_with_start(out, facts)
        if not zipfile.is_zipfile(checkpoint):
            raise ValueError(f"{checkpoint} is damaged: start anew in another --out")
        trainer.restore(checkpoint)
    first = worker[0] == 0  # the machine that evaluates and writes
    if first:
        out.mkdir(parents=True, exist_ok=True)
        write_atomically(out / "config.json", json.dumps(facts, indent=2) + "\n")
    log = Log(out, trainer.step) if first else None
    counts = ", ".join(f"{len(dataset)} photos in {dataset.folder}" for dataset in datasets)
    split = f" on {strategy.num_replicas_in_sync} devices" if strategy.num_replicas_in_sync > 1 else ""
    print(f"{counts}; step {trainer.step} of {config.steps}, {config.batch_size} photos each{split}", file=sys.stderr)

    stop = StopRequest()
    steps = []  # seconds of each step of this sitting, and how many of them it waited for data
    bar = tqdm(total=config.steps, initial=trainer.step, unit="step", dynamic_ncols=True, disable=not first)
    batches = iter(reader.batches(trainer.step, worker))
    try:
        while trainer.step < config.steps and not gave_up(trainer):
            start = time.perf_counter()
            batch = next_batch(batches)
            waited = time.perf_counter() - start
            losses = trainer.train_step(*batch)
            seconds = time.perf_counter() - start
            steps.append((seconds, waited))
            last = trainer.step == config.steps
            evaluates = val and (last or trainer.step % config.evaluate_steps == 0)
            if first:
                log.step(trainer.step, losses, learning_rate(config, trainer.step), seconds, waited)
                if evaluates:
                    evaluate_average(trainer, val, out, log)
            bar.update()
            bar.set_postfix(loss=f"{losses['total']:.3f}", best=f"{trainer.best:.3f}", refresh=False)
            if evaluates:
                trainer.evaluations_without_improvement = devices.from_first(
                    strategy, trainer.evaluations_without_improvement
                )
            stopping = stop.asked
            # After the evaluation: a run that is killed in the middle of one has to do it again.
            if first and (last or evaluates or stopping or trainer.step % config.checkpoint_steps == 0):
                trainer.save(checkpoint)
            if stopping:
                print(f"\nstopped at step {trainer.step}; go on with --resume", file=sys.stderr)
                return 130
    except KeyboardInterrupt:
        print("\nstopped at once; --resume goes on from the last checkpoint", file=sys.stderr)
        return 130
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError) as error:
        if worker[1] == 1:
            raise
        raise OSError(f"a machine was lost at step {trainer.step}; start all of them again with --resume") from error
    finally:
        bar.close()
        if first:
            log.close()
            print(speed(steps[1:], config.batch_size), file=sys.stderr)
    if not first:
        return 0
    if gave_up(trainer):
        print(f"no better mask AP in {trainer.evaluations_without_improvement} evaluations: stopped", file=sys.stderr)
    if not val:
        save_average(trainer, out / "best.npz", {})
    print(f"done: {out / 'best.npz'}, mask AP {trainer.best:.3f}" if val else f"done: {out / 'best.npz'}")
    if name:
        install(out, name, datasets, val)
    return 0


def describe(config, datasets, val):
    """What a run is, as its `config.json` has it."""
    return {
        **dataclasses.asdict(config),
        "class_names": datasets[0].class_names,
        "data": [str(dataset.folder) for dataset in datasets],
        "val": str(val.folder) if val else None,
    }


def compare_with_start(out, facts):
    """Say what a resumed run has changed, in `facts` from `describe`.

    Raises:
        ValueError: if its classes are others.
    """
    path = out / "config.json"
    before = json.loads(path.read_text()) if path.exists() else {}
    now = json.loads(json.dumps(facts))  # tuples as lists
    if before.get("class_names", now["class_names"]) != now["class_names"]:
        raise ValueError(
            f"{out} is a run for {', '.join(before['class_names'])}, not for {', '.join(now['class_names'])}: "
            "give the same --class, or another --out"
        )
    changes = [f"{key} from {before[key]} to {now[key]}" for key in now if before.get(key, now[key]) != now[key]]
    if changes:
        print(f"not as the run began: {', '.join(changes)}", file=sys.stderr)


def next_batch(batches):
    """The next batch of a reader.

    Raises:
        ValueError: if a photo or its annotation cannot be read.
    """
    import tensorflow as tf

    try:
        return next(batches)
    except tf.errors.OpError as error:  # it wraps what the reader raised, with a traceback in its message
        reason = re.search(r"^(?:\w+: )?ValueError: (.+)$", error.message, re.MULTILINE)
        if reason is None:
            raise
        raise ValueError(f"the training data cannot be read: {reason[1]}") from error


def speed(steps, batch_size):
    """In words: photos a second, and the share of the time that the steps waited for data.

    Args:
        steps: list of (seconds, seconds of them spent waiting), without the first, which compiles.
        batch_size: int.
    """
    if not steps:
        return "too few steps to tell the speed"
    seconds, waited = (sum(values) for values in zip(*steps, strict=True))
    rate, share = batch_size * len(steps) / seconds, waited / seconds
    return f"{rate:.1f} photos a second, {share:.1%} of the time waiting for data"


class StopRequest:
    """Ctrl-C, `kill` or a closing terminal: the step under way is finished, so that the checkpoint is of one piece.

    A second one ends the program at once; the checkpoint is then an earlier one.
    """

    def __init__(self):
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number, frame):
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


def gave_up(trainer):
    """Whether the last `patience` evaluations brought nothing better."""
    return 0 < trainer.config.patience <= trainer.evaluations_without_improvement


def evaluate_average(trainer, val, out, log):
    """Measure the averaged weights; keep them as `last.npz`, and as `best.npz` if they are the best so far."""
    from mrcnn import MaskRCNN
    from pipeline.evaluation.coco_eval import evaluate, table

    report = evaluate(MaskRCNN(trainer.averaged), val, progress=False)
    log.evaluation(trainer.step, report)
    print(f"\nstep {trainer.step}\n{table(report)}", file=sys.stderr, flush=True)
    trainer.evaluations_without_improvement += 1
    save_average(trainer, out / "last.npz", report)
    if report["mask"]["AP"] > trainer.best:
        trainer.best, trainer.evaluations_without_improvement = report["mask"]["AP"], 0
        save_average(trainer, out / "best.npz", report)


def save_average(trainer, path, report):
    from mrcnn import weights

    card = weights.card_of(trainer.averaged, training=dataclasses.asdict(trainer.config), step=trainer.step)
    weights.save(trainer.averaged, path, {**card, "metrics": report})


def check_name(name, out, resume):
    """Refuse a name that cannot be one or is taken, unless by an earlier sitting of this run.

    Raises:
        ValueError: as said.
    """
    from mrcnn import weights

    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise ValueError(f"--name is {name!r}, expected letters, digits, - and _")
    path = weights.FOLDER / f"{name}.npz"
    if path.exists() and not (resume and _same_weights(path, out / "best.npz")):
        raise ValueError(f"{weights.FOLDER} already holds {name}: choose another --name")


def _same_weights(path, other):
    return other.exists() and filecmp.cmp(path, other, shallow=False)


def install(out, name, datasets, val):
    """Put the run's best weights under a name into the weights folder, with what they learned from and a card."""
    from mrcnn import weights
    from pipeline.training.model_card import describe_data, write_model_card

    card = {
        **weights.read_card(out / "best.npz"),
        "data": [describe_data(dataset) for dataset in datasets],
        "validation": describe_data(val) if val else None,
        "command": f"python -m pipeline {shlex.join(sys.argv[1:])}",
    }
    path = weights.FOLDER / f"{name}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (out / "best.npz").read_bytes())
    write_atomically(path.with_suffix(".json"), json.dumps(card, indent=2) + "\n")
    write_model_card(path.with_suffix(".md"), name, card)
    print(f"installed: {path}; fill in what is left open in {path.with_suffix('.md')}")
