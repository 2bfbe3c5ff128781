"""Scores that mean what they say: of the detections with a score of 0.8, four in five are right.

About what it has not seen a network is too sure, and photos of its training data are not what visitors bring. One
number corrects most of that: a constant on the logit of the background, which makes the scores of all classes lower or
higher and leaves their order.

Papers: Platt, "Probabilistic outputs for support vector machines", 1999; Guo et al., "On Calibration of Modern Neural
Networks", 2017 (https://arxiv.org/abs/1706.04599). Of Platt's two numbers this is the second: the first, a temperature,
came out within a tenth of 1 for the shipped model.
"""

import numpy as np

LIMIT = 1e-6  # scores are kept this far from 0 and 1


def background_shift(photos):
    """What to add to the background's logit: the maximum likelihood estimate, where every photo counts the same.

    Of detections it would be the crowded photos that decide, whose many objects are the ones that a model knows best.
    For a single class the estimate is exact; for several it takes all other classes for background.

    Args:
        photos: list of `pipeline.evaluation.matching.PhotoMatch`, also of photos without any instance.

    Returns:
        float. Above 0 if scores are too high.

    Raises:
        ValueError: if the detections are all right or all wrong, or there are none.
    """
    from scipy.optimize import minimize_scalar

    seen = [photo for photo in photos if len(photo.scores)]
    scores = np.clip(np.concatenate([photo.scores for photo in seen] or [[]]), LIMIT, 1 - LIMIT)
    right = np.concatenate([photo.ious for photo in seen] or [[]]) > 0
    shares = np.concatenate([np.full(len(photo.scores), 1 / len(photo.scores)) for photo in seen] or [[]])
    if not 0 < right.sum() < len(right):
        raise ValueError(
            f"of {len(right)} detections {right.sum()} are right: calibration needs right ones and wrong ones"
        )
    logits = np.log(scores / (1 - scores))

    def loss(shift):
        shifted = logits - shift
        return float(np.average(np.logaddexp(0, np.where(right, -shifted, shifted)), weights=shares))

    return float(minimize_scalar(loss, bounds=(-10, 10), method="bounded").x)


def shift_background(network, shift):
    """Adds to the logit of the background in place; `network` is a `mrcnn.network.Network`."""
    bias = network.box_head.logits.bias
    bias.assign(np.asarray(bias) + np.array([shift] + [0.0] * (bias.shape[0] - 1), np.float32))
