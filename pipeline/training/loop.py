"""The training loop, from the first step or the last checkpoint to the last step."""

import sys
import time

from mrcnn.config import replace
from pipeline.data.reader import SampleReader, next_batch
from pipeline.training import devices, run_config
from pipeline.training.checkpoint import Checkpointer
from pipeline.training.evaluator import Evaluator, readable_validation
from pipeline.training.forecast import Forecast
from pipeline.training.initial_network import initial_network
from pipeline.training.run_log import Log
from pipeline.training.size_choice import choose_input_size
from pipeline.training.stop_request import StopRequest
from pipeline.training.trainer import Trainer, learning_rate

CHECKPOINT_SECONDS = 100  # so that a kill costs less than two minutes, however slow the machine is


def train(config, datasets, val, out, resume=False, choose_size=False):
    """Train a network; its weights, figures and logs go to a folder, see `python -m pipeline train --help`.

    Args:
        config: `pipeline.training.config.TrainConfig`.
        datasets: list of `CocoDataset` with the same classes.
        val: `CocoDataset` with those classes, or `None`.
        out: Path of the run's folder.
        resume: bool. Whether to go on from the checkpoint in `out`.
        choose_size: bool. Whether to evaluate other input sizes at the end and keep the best one. Defaults to False.

    Returns:
        bool. True at the end, False if it was interrupted.

    Raises:
        ValueError: if the folder already holds another run, there is nothing to resume, or the data cannot be used.
        FloatingPointError: if the loss or its gradient is not a finite number.
        OSError: if one of several machines is lost, or the disk is full.
    """
    import tensorflow as tf
    from tqdm import tqdm

    checkpointer = Checkpointer(out / "checkpoint.npz")
    checkpointer.check(resume)
    val = readable_validation(val)
    strategy = devices.find_strategy()
    worker = devices.worker(strategy)
    first = worker[0] == 0  # the machine that evaluates and writes
    with strategy.scope():
        network = initial_network(config, datasets[0].class_names)
    if config.image_size % network.size_multiple:
        raise ValueError(
            f"image_size is {config.image_size}, expected a multiple of {network.size_multiple} pixels for this network"
        )
    if datasets[0].category_ids != network.config.coco_category_ids:
        network.config = replace(network.config, category_ids=datasets[0].category_ids)
    reader = SampleReader(datasets, config, network.canvas)
    trainer = Trainer(network, config, strategy)
    evaluator = Evaluator(trainer, val, out)
    facts = run_config.describe(config, datasets, val)
    if resume:
        run_config.compare_with_start(out, facts)
        checkpointer.restore(trainer, evaluator)
    if first:
        run_config.write(out, facts)
    log = Log(out, trainer.step) if first else None
    counts = ", ".join(f"{len(dataset)} photos in {dataset.folder}" for dataset in datasets)
    split = f" on {strategy.num_replicas_in_sync} devices" if strategy.num_replicas_in_sync > 1 else ""
    print(f"{counts}; step {trainer.step} of {config.steps}, {config.batch_size} photos each{split}", file=sys.stderr)
    forecast = Forecast(config, trainer.step, val)

    box_only = sum(dataset.count_box_only() for dataset in datasets)
    if box_only:
        print(f"{box_only} instances have a box and no mask: they train class and box, not masks", file=sys.stderr)

    stop = StopRequest()
    saved_at = time.monotonic()
    bar = tqdm(total=config.steps, initial=trainer.step, unit="step", dynamic_ncols=True, disable=not first)
    batches = iter(reader.batches(trainer.step, worker))
    try:
        while trainer.step < config.steps and not evaluator.gave_up():
            start = time.perf_counter()
            batch = next_batch(batches)
            waited = time.perf_counter() - start
            try:
                losses = trainer.train_step(*batch)
            except FloatingPointError as error:
                photos = ", ".join(reader.photos(trainer.step))
                raise FloatingPointError(f"{error}; the photos of this step: {photos}") from None
            seconds = time.perf_counter() - start
            if first:
                log.step(trainer.step, losses, learning_rate(config, trainer.step), seconds, waited)
            evaluates = evaluator.is_due()
            bar.update()
            if first and forecast.add(seconds):
                bar.write(forecast.sentence(), sys.stderr)
            if evaluates:
                evaluator.evaluate(log)
                bar.unpause()  # the time left is that of steps
            best = {"best": f"{evaluator.best:.3f}"} if evaluator.best >= 0 else {}
            bar.set_postfix(loss=f"{losses['total']:.3f}", **best, refresh=False)
            stopping = stop.asked
            # After the evaluation: a run that is killed in the middle of one has to do it again.
            due = evaluates or trainer.step % config.checkpoint_steps == 0 or trainer.step == config.steps
            if first and (due or stopping or time.monotonic() - saved_at > CHECKPOINT_SECONDS):
                checkpointer.save(trainer, evaluator)
                saved_at = time.monotonic()
            if stopping:
                print(f"\nstopped at step {trainer.step}; go on with --resume", file=sys.stderr)
                return False
    except KeyboardInterrupt:
        print("\nstopped at once; --resume goes on from the last checkpoint", file=sys.stderr)
        return False
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError) as error:
        if worker[1] == 1:
            raise
        raise OSError(f"a machine was lost at step {trainer.step}; start all of them again with --resume") from error
    finally:
        bar.close()
        if first:
            log.close()
            print(log.speed(config.batch_size), file=sys.stderr)
            if reader.unreadable:
                print(
                    f"{len(reader.unreadable)} photos could not be read and were left out, see above", file=sys.stderr
                )
    if first:
        finish(evaluator, choose_size)
    return True


def finish(evaluator, choose_size=False):
    """Say how a run ended; without validation its last averaged weights become `best.npz`."""
    best = evaluator.out / "best.npz"
    if evaluator.gave_up():
        count = evaluator.evaluations_without_improvement
        print(f"no better {evaluator.measured} AP in {count} evaluations: stopped", file=sys.stderr)
    if not evaluator.val:
        evaluator.save_average("best.npz", {})
    kind, chosen = evaluator.measured, None
    if evaluator.val and choose_size:
        chosen = choose_input_size(evaluator.out, evaluator.val, kind)
    if chosen:
        sizes, size = chosen
        of = sizes[str(size)]
        print(
            f"done: {best}, {kind} AP {of[f'{kind}_AP']:.3f} at an input of {size} pixels, "
            f"{of['ms_per_picture']:.0f} ms a photo"
        )
    elif evaluator.val:
        print(f"done: {best}, {kind} AP {evaluator.best:.3f}")
    else:
        print(f"done: {best}")
