"""Validation in the course of a run: the averaged weights are measured, the best and the last of them are kept."""

import dataclasses
import sys
from pathlib import Path

from pipeline.training import devices


class Evaluator:
    """Measures the averaged weights of a trainer.

    Args:
        trainer: `pipeline.training.trainer.Trainer`.
        val: `CocoDataset` with the same classes, or `None` for a run without validation.
        out: Path of the run's folder; `best.npz` and `last.npz` go there.

    Attributes:
        measured: "mask" or "box". What `best` is the AP of: boxes where the data has nothing else.
        best: float. The highest AP so far, 0 to 1; -1 before the first evaluation.
        evaluations_without_improvement: int. Evaluations since then.
    """

    def __init__(self, trainer, val, out):
        self.trainer, self.val, self.out = trainer, val, out
        all_box_only = val and val.count_box_only() == sum(val.count_instances().values())
        self.measured = "box" if all_box_only else "mask"
        self.best = -1.0
        self.evaluations_without_improvement = 0

    def is_due(self):
        """Whether the weights of this step are to be evaluated: every `evaluate_steps` steps, and at the last one."""
        config, step = self.trainer.config, self.trainer.step
        return bool(self.val) and (step == config.steps or step % config.evaluate_steps == 0)

    def gave_up(self):
        """Whether the last `patience` evaluations brought nothing better."""
        return 0 < self.trainer.config.patience <= self.evaluations_without_improvement

    def evaluate(self, log):
        """Measure the weights of this step.

        Every machine calls this at the same step; the first one measures, and all learn how long nothing got better.

        Args:
            log: `pipeline.training.run_log.Log`, or `None` on all machines but the first.
        """
        if log:
            self._measure(log)
        self.evaluations_without_improvement = devices.from_first(
            self.trainer.strategy, self.evaluations_without_improvement
        )

    def _measure(self, log):
        from mrcnn import MaskRCNN
        from pipeline.evaluation.coco_eval import evaluate, table

        report = evaluate(MaskRCNN(self.trainer.averaged), self.val, progress=False)
        log.evaluation(self.trainer.step, report)
        print(f"\nstep {self.trainer.step}\n{table(report)}", file=sys.stderr, flush=True)
        self.evaluations_without_improvement += 1
        self.save_average("last.npz", report)
        if report[self.measured]["AP"] > self.best:
            self.best, self.evaluations_without_improvement = report[self.measured]["AP"], 0
            self.save_average("best.npz", report)

    def save_average(self, name, metrics):
        """Write the averaged weights and their card into the run's folder, as float16.

        Args:
            name: str. Name of the npz file.
            metrics: dict from `pipeline.evaluation.coco_eval.evaluate`, or empty.
        """
        from mrcnn import weights

        averaged, training = self.trainer.averaged, dataclasses.asdict(self.trainer.config)
        if Path(training["init"]).is_absolute():  # where it lies on this machine is nobody's business
            training["init"] = Path(training["init"]).name
        card = weights.card_of(averaged, training=training, step=self.trainer.step)
        weights.save(averaged, self.out / name, {**card, "metrics": metrics})


def readable_validation(val):
    """The validation data without photos that cannot be read, which are named: better now than at the first evaluation.

    Args:
        val: `CocoDataset` or `None`.

    Returns:
        `CocoDataset` or `None`.

    Raises:
        ValueError: if there is nothing to find in it.
    """
    if val is None:
        return None
    val = val.subset([image_id for image_id, _ in readable_photos(val)])
    if not any(map(val.has_instances, val.image_ids)):
        raise ValueError(f"no photo of {val.folder} shows an instance of {', '.join(val.class_names)}, for --val")
    return val


def readable_photos(dataset):
    """The photos that can be read with their annotations; the others are named on stderr.

    Yields:
        int, the id, and uint8 `(H, W, 3)`, the image.
    """
    from tqdm import tqdm

    for image_id in tqdm(dataset.image_ids, "read", unit="photo", leave=False, dynamic_ncols=True):
        try:
            image = dataset.load_image(image_id)
            dataset.windows(image_id)
        except ValueError as error:
            print(f"\nleft out: {error}", file=sys.stderr, flush=True)
        else:
            yield image_id, image
