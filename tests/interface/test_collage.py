"""The scenes of the first view: the model itself finds their cats."""

import numpy as np
import pytest
from PIL import Image

from interface.collage import SCENES, write_scenes
from mrcnn import Instances, MaskRCNN


@pytest.fixture(scope="module")
def cat():
    return MaskRCNN.from_pretrained("cat")


def test_all_cats_of_the_scenes_are_found_and_told_apart(cat, tmp_path):
    written = write_scenes(cat, tmp_path)
    assert [title for _, title in written] == list(SCENES)
    for path, title in written:
        with Image.open(path) as image:
            found = cat.segment(np.asarray(image), confidence=0.5)
        assert len(found) == sum(len(window.cats) for window in SCENES[title]), title
        for row in range(len(found)):
            others = np.delete(found.masks, row, axis=0).any(axis=0)
            assert (found.masks[row] & others).sum() < 0.1 * found.areas[row]


def test_no_scene_where_the_model_does_not_find_the_cat(cat, tmp_path, monkeypatch):
    monkeypatch.setattr(cat, "segment", lambda image, confidence: Instances.empty(image.shape[:2]))
    assert write_scenes(cat, tmp_path) == [] and not list(tmp_path.iterdir())
