"""What `own` starts from: everyday photos with boxes of COCO's 80 classes, and cats and dogs with masks.

    python -m tools.join_data --out DATA/objects.json DATA/wild.json DATA/train_pets.json:DATA/train
    python -m pipeline train --config objects --init pets --data DATA/objects --out runs/objects

4,000 steps of 4 photos: some 30 minutes at 9 photos a second. Nothing is chosen: the last weights are taken. As a
detector of its 80 classes it is a poor one, as 833 photos teach few of them; but it has seen 3,400 people and much
around them, and what is trained from it on other classes needs less. What that is worth: `weights/objects.md`.
"""

import dataclasses

from pipeline.training.recipes.cat_refine import CONFIG as REFINE

CONFIG = dataclasses.replace(
    REFINE,
    init="pets",
    image_size=416,
    steps=4000,
    learning_rate=4e-4,
    warmup_steps=200,
    backbone_lr_factor=0.5,  # more is new than from one kind of animal to another
    canvas_sizes=(320, 384, 448),
    scale=(0.7, 1.6),
    negative_share=0.05,
    sampling_weights=(("source=coco_wild", 4),),
    checkpoint_steps=500,
    evaluate_steps=4000,
    seed=11,
)
