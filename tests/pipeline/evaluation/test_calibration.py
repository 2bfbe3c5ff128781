"""Scores that mean what they say."""

import json

import numpy as np
import pytest

from mrcnn import MaskRCNN, weights
from pipeline import __main__ as command
from pipeline.evaluation.calibration import background_shift, shift_background
from pipeline.evaluation.matching import NO_EDGES, PhotoMatch
from tests.drawn import write_dataset


def photo(scores, right):
    ious = np.where(right, 0.8, 0.0)
    return PhotoMatch(int(np.sum(right)), np.array(scores), ious, ious, [NO_EDGES] * len(scores))


def too_sure_photos(random, by, photos=800, detections=5):
    """Photos whose detections are right as often as their logit less `by` says."""
    logits = random.normal(0, 2, (photos, detections))
    right = random.random(logits.shape) < 1 / (1 + np.exp(by - logits))
    return [photo(*of) for of in zip(1 / (1 + np.exp(-logits)), right, strict=True)]


@pytest.mark.parametrize("by", [1.2, -0.7])
def test_the_shift_is_found_again(by):
    assert background_shift(too_sure_photos(np.random.default_rng(0), by)) == pytest.approx(by, abs=0.15)


def test_a_crowded_photo_counts_as_one():
    many = too_sure_photos(np.random.default_rng(1), 1.0)
    crowd = photo(np.full(20_000, 0.9), np.ones(20_000, bool))
    assert background_shift([*many, crowd, photo([], [])]) == pytest.approx(background_shift(many), abs=0.05)


@pytest.mark.parametrize("right", [[True, True], [False], []])
def test_without_right_and_wrong_ones_it_is_refused(right):
    with pytest.raises(ValueError, match=f"of {len(right)} detections {sum(right)} are right"):
        background_shift([photo(np.full(len(right), 0.7), np.array(right, bool))])


@pytest.mark.slow
def test_scores_fall_by_the_shift_and_boxes_stay(chelsea):
    network, _ = weights.load_network("cat")
    before = MaskRCNN(network).segment(chelsea)
    shift_background(network, 1.5)
    after = MaskRCNN(network).segment(chelsea)
    odds = [np.log(found.scores / (1 - found.scores)) for found in (before, after)]
    np.testing.assert_allclose(odds[0] - odds[1], 1.5, atol=0.01)
    np.testing.assert_array_equal(before.boxes, after.boxes)


@pytest.mark.slow
def test_the_command_says_how_far_it_moved_them(tmp_path, monkeypatch, capsys):
    val = write_dataset(tmp_path / "val", count=6, negatives=2)
    content = json.loads((tmp_path / "val.json").read_text())
    content["annotations"] = content["annotations"][::2]  # what is found of the others is wrong then
    (tmp_path / "val.json").write_text(json.dumps(content))
    out = tmp_path / "new" / "calibrated.npz"
    monkeypatch.setattr("sys.argv", ["pipeline", "calibrate", "cat", "--data", str(val), "--out", str(out)])
    assert command.main() == 0
    before, after = weights.read_card(weights.locate("cat")), weights.read_card(out)
    (bias, moved) = (np.asarray(weights.load_network(path)[0].box_head.logits.bias) for path in ("cat", out))
    by = after["background_shift"] - before["background_shift"]
    np.testing.assert_allclose(moved - bias, [by, 0], atol=0.01)
    assert f"{after['background_shift']:+.2f}" in capsys.readouterr().err
    assert "metrics" in before and "metrics" not in after
