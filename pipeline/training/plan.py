"""What follows from the data: input size, canvases, steps, warm-up and evaluations of a run that does not set them."""

import dataclasses
import math

from pipeline.data.sizes import choose_size, object_sizes

# Photos looked at in a run: some 60 times each of 60, 20 times each of 600. Twice the photos need less than twice the
# time, for each is seen less often.
PHOTOS_SEEN = 450  # times the square root of the number of photos with instances
EVALUATIONS = 8
EVALUATION_SHARE = 0.2  # of the time of the training, at most
PHOTO_RATIO = 0.35  # seconds to evaluate a photo over those to train on one
WARM_UP = 20  # a part in so many of the steps


def plan(config, datasets, val, given=(), epochs=None):
    """A config whose open settings follow from the data.

    Args:
        config: `TrainConfig`.
        datasets: list of `CocoDataset`.
        val: `CocoDataset` or None.
        given: iterable of str. Settings that a person has chosen and that stay as they are.
        epochs: int or None. How often each photo is to be seen. Defaults to what suits their number.

    Returns:
        `TrainConfig`, and a list of sentences that say why.
    """
    given, reasons = set(given), []
    changes = {}
    if "image_size" not in given:
        changes["image_size"], reason = choose_size(object_sizes(datasets))
        reasons.append(reason)
    size = changes.get("image_size", config.image_size)
    if "canvas_sizes" not in given:
        changes["canvas_sizes"] = canvases(size)
    photos = sum(dataset.has_instances(image_id) for dataset in datasets for image_id in dataset.image_ids)
    if "steps" not in given:
        total = sum(map(len, datasets))
        seen = epochs * total if epochs else PHOTOS_SEEN * math.sqrt(photos)
        changes["steps"] = max(1, math.ceil(seen / config.batch_size))
        reasons.append(
            f"{changes['steps']} steps of {config.batch_size} photos: each of {total} is seen about "
            f"{changes['steps'] * config.batch_size / total:.0f} times"
        )
    steps = changes.get("steps", config.steps)
    if "warmup_steps" not in given:
        changes["warmup_steps"] = min(config.warmup_steps, steps // WARM_UP)
    if "ema_momentum" not in given:  # an average over the last tenth of the run, but of no more than 500 steps
        changes["ema_momentum"] = min(config.ema_momentum, max(0.0, 1 - 10 / steps))
    if "evaluate_steps" not in given:
        affordable = EVALUATION_SHARE * steps * config.batch_size / (PHOTO_RATIO * max(1, len(val or ())))
        count = max(1, min(EVALUATIONS, int(affordable), steps))
        changes["evaluate_steps"] = math.ceil(steps / count)
    return dataclasses.replace(config, **changes), reasons


def canvases(size):
    """Sides of the training canvases for an input size: that, and some five sixths of it, multiples of 32."""
    return tuple(sorted({max(32, size * 5 // 6 // 32 * 32), math.ceil(size / 32) * 32}))
