"""The first run of the shipped model of cats and dogs: it goes on from the cat model, whose outputs for cats it keeps.

The cat model was then what `cat_wild` ends with; `cat_sure`, which came later, begins with the cats of this one.

    python -m pipeline train --config pets --init cat --class cat --class dog \
        --data DATA/train --annotations DATA/train_pets.json --data DATA/wild --annotations DATA/wild.json \
        --val DATA/val --val-annotations DATA/val_pets.json --out runs/pets

2,400 steps of 4 photos: some 20 minutes at 8 photos a second. Result: mask AP 0.574 for cats and 0.735 for dogs on the
424 validation photos. The second run is `pipeline/training/recipes/pets_polish.py`.
"""

import dataclasses

from pipeline.training.recipes.cat_wild import CONFIG as WILD

CONFIG = dataclasses.replace(
    WILD,
    steps=2400,
    learning_rate=3e-4,  # the last layers of dogs are new
    sampling_weights=(
        *WILD.sampling_weights,
        ("kind=dog", 2),
    ),  # portraits of dogs, beside twice as many photos of cats
    box_only=(),
    evaluate_steps=1200,
    seed=9,
)
