"""All that a resumed run needs, in one file."""

import zipfile

import numpy as np

from mrcnn.atomic import atomic_file


class Checkpointer:
    """Saves and restores a run: weights, their average, the optimizers, the step and what the evaluations have found.

    Args:
        path: Path of the npz file.
    """

    def __init__(self, path):
        self.path = path

    def check(self, resume):
        """Refuse to begin a run where one is, and to resume one that is not there.

        Raises:
            ValueError: as said.
        """
        if self.path.exists() and not resume:
            raise ValueError(f"{self.path.parent} already holds a run: give --resume to go on, or another --out")
        if resume and not self.path.exists():
            raise ValueError(f"nothing to resume: {self.path} does not exist; start without --resume")

    def save(self, trainer, evaluator):
        """Write the file, in one piece or not at all."""
        arrays = {name: np.asarray(variable) for name, variable in trainer.state().items()}
        progress = np.array([trainer.step, evaluator.best, evaluator.evaluations_without_improvement], np.float64)
        with atomic_file(self.path) as file:
            np.savez(file, progress=progress, **arrays)

    def restore(self, trainer, evaluator):
        """Read what `save` wrote.

        Raises:
            ValueError: if the file is damaged or belongs to another network.
        """
        if not zipfile.is_zipfile(self.path):
            raise ValueError(f"{self.path} is damaged: start anew in another --out")
        with np.load(self.path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        step, evaluator.best, evaluations = arrays.pop("progress").tolist()
        trainer.step, evaluator.evaluations_without_improvement = int(step), int(evaluations)
        state = trainer.state()
        if {name: v.shape for name, v in state.items()} != {name: array.shape for name, array in arrays.items()}:
            raise ValueError(f"{self.path} is the checkpoint of another network")
        for name, variable in state.items():
            variable.assign(arrays[name])
