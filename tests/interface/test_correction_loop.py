"""Predict, correct, train from what was there, predict better: docs/correcting.md, with fewer steps.

pytest -m slow tests/interface/test_correction_loop.py
"""

import json
import subprocess
import sys

import numpy as np
import pytest

from interface.correction import Opened, editor_document
from interface.dataset_folder import add_to_folder, correct_photo
from interface.label_map import resized, runs
from interface.session import Models
from mrcnn.images import read_image
from pipeline.data.dataset import CocoDataset
from tests.drawn import write_dataset
from tools.app_process import ROOT

SIDE, EARLESS = 256, 2


def correct(dataset, folder):
    """Corrects every photo as a person would who knows where the cats are."""
    models = Models()
    for image_id in dataset.image_ids:
        path = dataset.path(image_id)
        image = read_image(path)
        detections, _ = models.detect("cat", image)
        opened = Opened(str(path), "cat", detections, 0.5)
        document = json.loads(editor_document(image, opened))
        masks, _ = dataset.load_mask(image_id)
        labels = np.zeros(masks.shape[:2], np.uint8)
        for row in range(masks.shape[2]):
            labels[masks[..., row]] = row + 1
        brushed = resized(labels, (document["height"], document["width"]))
        objects = [{"number": row + 1, "class": "cat"} for row in range(masks.shape[2])]
        edit = json.dumps({"token": document["token"], "runs": runs(brushed), "objects": objects})
        ((photo, _, content),) = correct_photo(image, edit, opened, with_file=True)
        add_to_folder(folder, photo, content)


def pipeline(*arguments):
    subprocess.run([sys.executable, "-m", "pipeline", *map(str, arguments)], cwd=ROOT, check=True)


def figures(weights, dataset, path):
    pipeline("evaluate", "--weights", weights, "--data", dataset, "--json", path)
    return json.loads(path.read_text())


@pytest.mark.slow
def test_corrected_photos_make_a_better_model(tmp_path):
    new = CocoDataset(write_dataset(tmp_path / "new", count=16, negatives=4, seed=1, side=SIDE, earless=EARLESS))
    held_out = write_dataset(tmp_path / "held-out", count=10, negatives=2, seed=2, side=SIDE, earless=EARLESS)
    before = figures("cat", held_out, tmp_path / "before.json")
    correct(new, tmp_path / "corrected")
    data, run = tmp_path / "corrected" / "photos", tmp_path / "run"
    pipeline("train", "--data", data, "--init", "cat", "--size", SIDE, "--epochs", 12, "--out", run)
    after = figures(run / "best", held_out, tmp_path / "after.json")
    assert after["mask"]["AP"] > before["mask"]["AP"] + 0.2
    assert after["found"]["found"] > before["found"]["found"]
