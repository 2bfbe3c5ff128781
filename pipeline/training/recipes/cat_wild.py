"""The fifth stage of the shipped cat model: it learns what is no cat from everyday photos that have boxes and no masks.

    python -m pipeline train --config cat_wild --init runs/cat_final --class cat --data DATA/train --data DATA/extra \
        --data DATA/wild --val DATA/val --out runs/cat_wild

1,600 steps of 4 photos: some 12 minutes at the 9.6 photos a second of two idle cores of a server CPU. Result: 8 of 424
everyday photos without cats flagged instead of 20, mask AP 0.575 on the 436 validation photos (0.580 before).
"""

import dataclasses

from pipeline.training.recipes.cat_polish import CONFIG as POLISH
from pipeline.training.recipes.cat_refine import CONFIG as REFINE

CONFIG = dataclasses.replace(
    POLISH,
    image_size=416,
    steps=1600,
    learning_rate=2e-4,
    sampling_weights=(*REFINE.sampling_weights, ("source=coco_wild", 2)),
    # Masks made by a machine teach what a cat is and where, not where it ends.
    box_only=("source=kaggle",),
    evaluate_steps=800,
    seed=7,
)
