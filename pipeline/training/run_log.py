"""What a training run writes down: losses and validation figures, as CSV and for TensorBoard."""

import csv

from mrcnn.atomic import write_atomically
from pipeline.resume import full_disk_said


class Log:
    """Losses and figures as CSV and for TensorBoard.

    Rows of a step that a resumed run will repeat are cut off first, and what a full disk left of a row.

    Args:
        out: path of the run's folder.
        step: int. The step that the run starts from.
    """

    def __init__(self, out, step):
        import tensorflow as tf

        self._steps, self._evaluations = out / "log.csv", out / "evaluations.csv"
        for path in (self._steps, self._evaluations):
            _cut_after(path, step)
        self._board = out / "tensorboard"
        self._writer = tf.summary.create_file_writer(str(self._board))
        self._times = []  # of each step of this sitting: seconds, and how many of them it waited for data

    def step(self, step, losses, rate, seconds, waited):
        """One training step: its losses, and how long it took and waited for data, in seconds."""
        self._times.append((seconds, waited))
        row = {"step": step, **losses, "learning_rate": rate, "seconds": seconds, "data_wait": waited / seconds}
        self._append(self._steps, row)
        if step % 10 == 0:
            self._summaries("train", step, row)

    def evaluation(self, step, report):
        """One evaluation: the figures of `pipeline.evaluation.coco_eval.evaluate`."""
        row = {"step": step}
        for kind in ("mask", "box"):
            row.update({f"{kind}_{name}": value for name, value in report[kind].items()})
        row["false_alarms"] = report["false_alarms"]
        self._append(self._evaluations, row)
        self._summaries("val", step, row)

    def speed(self, batch_size):
        """The speed of the steps of this sitting, in words; the first one compiles and is left out."""
        return speed(self._times[1:], batch_size)

    def close(self):
        with full_disk_said(self._board):
            self._writer.close()

    def _append(self, path, row):
        new = not path.exists()
        with full_disk_said(path), open(path, "a", newline="") as file:
            writer = csv.DictWriter(file, row)
            if new:
                writer.writeheader()
            writer.writerow({k: round(v, 6) if isinstance(v, float) else v for k, v in row.items()})

    def _summaries(self, group, step, row):
        import tensorflow as tf

        with full_disk_said(self._board), self._writer.as_default(step=step):
            for name, value in row.items():
                if name != "step":
                    tf.summary.scalar(f"{group}/{name}", value)


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


def _cut_after(path, step):
    """Drop the rows of a CSV whose first column is above `step`, and an unfinished line."""
    if not path.exists():
        return
    header, *rows = path.read_text().splitlines(keepends=True) or [""]
    if not header.endswith("\n"):
        path.unlink()
        return
    kept = [row for row in rows if row.endswith("\n") and int(row.split(",")[0]) <= step]
    write_atomically(path, "".join([header, *kept]))
