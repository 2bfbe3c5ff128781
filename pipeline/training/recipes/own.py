"""The recipe for data of one's own, and what `train` uses unless told otherwise.

    python -m pipeline train --config own --data DATA-train --val DATA-val --out runs/NAME

Input size, canvases, steps, warm-up and evaluations follow from the data, see `pipeline/training/plan.py`; what `--set`
gives stays as it is.
"""

from pipeline.training.config import TrainConfig

CONFIG = TrainConfig(
    init="objects",  # for most classes the best of those that ship, see `weights/objects.md`
    learning_rate=8e-4,
    # Photos of one's own are few and much alike; stronger jitter than this costs more time than they teach.
    scale=(0.7, 1.5),
    aspect=0.2,
    patience=5,
)
