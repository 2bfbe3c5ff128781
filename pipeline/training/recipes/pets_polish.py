"""The second run of the shipped model of cats and dogs: more photos, whose dogs the first run has labelled.

    python -m tools.teacher_labels --weights runs/pets/last --data DATA/extra --class dog --out DATA/extra_pets.json
    python -m pipeline train --config pets_polish --init runs/pets/last --class cat --class dog \
        --data DATA/train --annotations DATA/train_pets.json --data DATA/extra --annotations DATA/extra_pets.json \
        --data DATA/wild --annotations DATA/wild.json \
        --val DATA/val --val-annotations DATA/val_pets.json --out runs/pets_polish
    python -m pipeline average runs/pets/last runs/pets_polish/last --size 416 --out runs/pets_average.npz

1,500 steps of 4 photos: 11 minutes at 9 photos a second. The average ships: mask AP 0.571 for cats, 0.749 for dogs.
"""

import dataclasses

from pipeline.training.recipes.pets import CONFIG as PETS

CONFIG = dataclasses.replace(
    PETS,
    steps=1500,
    learning_rate=2e-4,
    # Masks made by a machine teach what an animal is and where, not where it ends.
    box_only=("source=kaggle", "source=kaggledog"),
    evaluate_steps=1500,
    seed=11,
)
