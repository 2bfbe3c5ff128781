"""A teacher's labels: what it is sure of is labelled, what it is not is left out, what was labelled stays."""

import json

import numpy as np
import pytest
from PIL import Image
from skimage import data

from pipeline.data.dataset import CocoDataset
from tools import teacher_labels


@pytest.fixture
def folder(tmp_path, chelsea):
    """Chelsea unlabelled, twice in a photo, and labelled; and a cup of coffee."""
    folder = tmp_path / "photos"
    folder.mkdir()
    photos = {"one": chelsea, "two": np.hstack([chelsea, chelsea]), "known": chelsea, "cup": data.coffee()}
    images = []
    for number, (name, photo) in enumerate(photos.items(), start=1):
        Image.fromarray(photo).save(folder / f"{name}.png")
        height, width = photo.shape[:2]
        images.append({"id": number, "file_name": f"{name}.png", "height": height, "width": width})
    known = {"id": 7, "image_id": 3, "category_id": 5, "iscrowd": 0, "area": 100, "bbox": [10, 20, 10, 10]}
    content = {"images": images, "annotations": [known], "categories": [{"id": 5, "name": "cat"}]}
    folder.with_suffix(".json").write_text(json.dumps(content))
    return folder


def test_one_sure_object_is_labelled_and_doubt_is_left_out(folder, tmp_path, model, chelsea):
    out = tmp_path / "labelled.json"
    teacher_labels.main(["--weights", "cat", "--data", str(folder), "--class", "cat", "--out", str(out)])
    content = json.loads(out.read_text())
    assert [image["file_name"] for image in content["images"]] == ["one.png", "known.png"]
    known, new = content["annotations"]
    assert known["bbox"] == [10, 20, 10, 10] and known["category_id"] == 1
    assert new["id"] == 8 and new["image_id"] == 1
    dataset = CocoDataset(folder, out)
    assert dataset.class_names == ("cat",) and len(dataset) == 2
    assert new["area"] == model.segment(chelsea).masks[0].sum()


def test_a_class_that_the_model_does_not_know_is_named(folder, tmp_path):
    with pytest.raises(SystemExit, match="the model knows cat, not dog"):
        teacher_labels.main(
            ["--weights", "cat", "--data", str(folder), "--class", "dog", "--out", str(tmp_path / "a.json")]
        )
