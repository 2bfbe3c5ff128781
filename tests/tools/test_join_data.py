import json

import numpy as np
import pytest
from PIL import Image

from pipeline.data.dataset import CocoDataset
from tools import join_data


def write_set(folder, classes, rows, photos):
    """A data set of photos of one grey each, with boxes."""
    folder.mkdir()
    images = [{"id": number, "file_name": f"{number}.png", "width": 40, "height": 32} for number in photos]
    for number in photos:
        Image.fromarray(np.full((32, 40, 3), number, np.uint8)).save(folder / f"{number}.png")
    annotations = [
        {"id": 7, "image_id": image, "category_id": category, "bbox": [2, 3, 9, 8]} for image, category in rows
    ]
    categories = [{"id": number, "name": name} for number, name in classes.items()]
    content = {"images": images, "annotations": annotations, "categories": categories}
    folder.with_suffix(".json").write_text(json.dumps(content))


@pytest.fixture
def sets(tmp_path):
    write_set(tmp_path / "all", {3: "person", 5: "Cat"}, [(11, 3), (11, 5)], [11, 12])
    write_set(tmp_path / "cats", {1: "cat"}, [(11, 1)], [11, 12])
    return tmp_path


def test_sets_become_one_whose_classes_go_by_name(sets, capsys):
    join_data.main(["--out", str(sets / "joined.json"), str(sets / "all.json"), f"{sets}/cats.json:{sets}/cats"])
    joined = CocoDataset(sets / "joined")

    assert joined.class_names == ("person", "Cat") and joined.count_instances() == {"person": 1, "Cat": 2}
    assert [joined.load_image(image_id)[0, 0, 0] for image_id in joined.image_ids] == [11, 12, 11]
    assert [joined.has_instances(image_id) for image_id in joined.image_ids] == [True, False, True]
    assert "3 photos with 3 instances" in capsys.readouterr().out


def test_a_class_that_the_first_set_lacks_is_said(sets):
    with pytest.raises(SystemExit, match="classes that the first set lacks: person"):
        join_data.main(["--out", str(sets / "joined.json"), str(sets / "cats.json"), str(sets / "all.json")])
