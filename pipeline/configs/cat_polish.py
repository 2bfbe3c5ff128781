"""The last run of the shipped cat model: the size of the network's input as at inference, and photos hardly scaled.

    python -m pipeline train --config cat_polish --init runs/average --data DATA/train --data DATA/extra \
        --val DATA/val --out runs/cat_polish

RESULT
"""

import dataclasses

from pipeline.configs.cat_refine import CONFIG as REFINE

CONFIG = dataclasses.replace(
    REFINE,
    steps=3000,
    learning_rate=1e-4,
    # Objects then have the sizes that they will have: Touvron et al., "Fixing the train-test resolution discrepancy",
    # 2019 (https://arxiv.org/abs/1906.06423).
    canvas_sizes=(384,),
    scale=(0.8, 1.25),
    negative_share=0.5,
    # Masks made by a machine teach what a cat is, not where it ends.
    repeat=(*REFINE.repeat, ("source=kaggle", 0)),
    evaluate_steps=1000,
    seed=5,
)
