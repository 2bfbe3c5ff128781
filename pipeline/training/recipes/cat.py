"""The first run of the shipped cat model; `pipeline/training/recipes/cat_refine.py` goes on from it.

    python -m pipeline train --config cat --data DATA/train --data DATA/extra --val DATA/val --out runs/cat

4,100 steps of 4 photos: some 30 minutes at the 10 photos a second that two idle cores of a recent server CPU do. It
reached a mask AP of 0.484 and an AP50 of 0.760 on its 436 validation photos, then with masks that ended at their boxes
and without the dice loss.
"""

from pipeline.training.config import TrainConfig

CONFIG = TrainConfig()
