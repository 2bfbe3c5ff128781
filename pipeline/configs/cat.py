"""The shipped cat model.

    python -m pipeline train --config cat --data DATA/train --data DATA/extra --val DATA/val --out runs/cat

About 60 minutes on two idle CPU cores (3,950 photos, 4,100 steps of 4); the shipped run reached a mask AP of 0.484 and
an AP50 of 0.760 on its 436 validation photos, see weights/cat.md.
"""

from pipeline.config import TrainConfig

CONFIG = TrainConfig()
