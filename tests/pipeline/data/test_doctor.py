"""The doctor for annotated photos: each illness given to a healthy data set, found, and nothing else."""

import json
import shutil
import sys

import numpy as np
import pytest
from PIL import Image

from pipeline import __main__ as command
from pipeline.data.dataset import CocoDataset
from pipeline.data.doctor import examine
from pipeline.data.likeness import look, near_pairs
from pipeline.data.sizes import choose_size
from tests.drawn import write_dataset


@pytest.fixture
def toys(tmp_path):
    """A healthy data set: photos of different scenes with 24 objects."""
    folder = write_dataset(tmp_path / "toys", count=12, negatives=0, side=96)
    _paint(folder, seed=0)
    return folder


def _paint(folder, seed):
    """Gives every photo a sky of its own, so that none looks like another."""
    random = np.random.default_rng(seed)
    for path in sorted(folder.glob("*.png")):
        pixels = np.asarray(Image.open(path)).copy()
        scene = Image.fromarray(random.integers(0, 255, (7, 7, 3), dtype=np.uint8)).resize(pixels.shape[1::-1])
        Image.fromarray((pixels // 4 + np.asarray(scene) // 4 * 3).astype(np.uint8)).save(path)


def change(folder, edit):
    path = folder.with_suffix(".json")
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def kinds(folder, val=None):
    found = examine(CocoDataset(folder), val and CocoDataset(val), progress=False)
    assert all(finding.what and finding.consequence and finding.remedy for finding in found)
    return {finding.kind: finding for finding in found}


def test_a_healthy_data_set(toys, monkeypatch, capsys):
    assert kinds(toys) == {}
    monkeypatch.setattr(sys, "argv", ["pipeline", "check", str(toys), "--quiet"])
    assert command.main() == 0
    assert "12 photos with 24 objects: 0 errors, 0 warnings, 0 notes" in capsys.readouterr().out


def test_a_photo_that_cannot_be_read(toys):
    (toys / "3.png").write_bytes(b"no image")
    found = kinds(toys)
    assert found.keys() == {"unreadable"}
    assert (found["unreadable"].severity, found["unreadable"].files) == ("error", ["3.png"])
    assert "training leaves them out, evaluating stops" in found["unreadable"].consequence


def test_an_outline_that_cannot_be_decoded(toys):
    change(toys, lambda content: content["annotations"][0].update(segmentation=[[1, 2, 3]]))
    found = kinds(toys)["undecodable"]
    assert found.files == ["1.png"] and "training leaves them out, evaluating stops" in found.consequence


def test_a_box_that_is_not_its_masks(toys):
    change(toys, lambda content: content["annotations"][2].update(bbox=[0, 0, 90, 90]))
    found = kinds(toys)
    assert found.keys() == {"box_and_mask"}
    assert found["box_and_mask"].files == ["2.png"]


@pytest.mark.parametrize("box", [None, [], [None] * 4])
def test_a_box_that_is_none_does_not_disagree_with_its_mask(toys, box):
    change(toys, lambda content: content["annotations"][2].update(bbox=box))
    assert kinds(toys) == {}


def test_an_object_annotated_twice(toys):
    change(toys, lambda content: content["annotations"].append({**content["annotations"][4], "id": 99}))
    found = kinds(toys)
    assert found.keys() == {"doubled"}
    assert found["doubled"].files == ["3.png"]


def test_an_empty_mask(toys):
    empty = {"size": [96, 96], "counts": [96 * 96]}
    change(toys, lambda content: content["annotations"][0].update(segmentation=empty))
    assert kinds(toys).keys() == {"empty_mask"}


def test_photos_for_both_and_photos_that_look_alike(toys, tmp_path):
    """A copy under another name, darker and compressed, looks like its original; another scene does not."""
    val = write_dataset(tmp_path / "val", count=12, negatives=0, side=96, seed=5)
    _paint(val, seed=1)
    assert kinds(toys, val).keys() == set()
    pixels = np.asarray(Image.open(toys / "4.png"))
    Image.fromarray((pixels * 0.8).astype(np.uint8)).save(val / "7.png")
    found = kinds(toys, val)
    assert found.keys() == {"alike_in_both"}
    assert found["alike_in_both"].files == ["7.png like 4.png"]
    change(val, lambda content: content["images"][0].update(file_name="../toys/1.png"))
    found = kinds(toys, val)
    assert found["in_both"].severity == "error" and found["in_both"].files == ["../toys/1.png"]
    shutil.copy(toys / "5.png", toys / "6.png")
    assert kinds(toys)["alike"].files == ["5.png", "6.png"]


def test_a_look_survives_size_and_compression_and_tells_scenes_apart(tmp_path):
    random = np.random.default_rng(0)
    scenes = [random.integers(0, 255, (8, 8, 3), dtype=np.uint8) for _ in range(40)]
    photos = [Image.fromarray(scene).resize((320, 240), Image.Resampling.BICUBIC) for scene in scenes]
    copies = []
    for photo in photos:
        photo.resize((200, 150)).save(tmp_path / "copy.jpg", quality=60)
        copies.append(np.asarray(Image.open(tmp_path / "copy.jpg")))
    looks, others = [look(np.asarray(photo)) for photo in photos], [look(copy) for copy in copies]
    assert near_pairs(looks, others) == [(i, i) for i in range(40)]
    assert near_pairs(looks) == []


def test_classes(toys):
    def edit(content):
        content["categories"] += [{"id": 2, "name": "Cats"}, {"id": 3, "name": "dog"}]
        for row in content["annotations"][:3]:
            row["category_id"] = 2

    change(toys, edit)
    found = examine(CocoDataset(toys), progress=False)
    assert [(finding.kind, finding.what) for finding in found] == [
        ("rare_class", "the class 'Cats' has 3 objects"),
        ("rare_class", "the class 'dog' has 0 objects"),
        ("spelling", "classes that may be one in two spellings: 'cat', 'Cats'"),
    ]


def test_photos_without_objects(toys):
    change(toys, lambda content: content.update(annotations=content["annotations"][6:]))
    found = kinds(toys)
    assert (found["empty"].severity, found["empty"].files) == ("note", ["1.png", "2.png", "3.png"])
    change(toys, lambda content: content.update(annotations=content["annotations"][-8:]))
    assert kinds(toys)["empty"].severity == "warning"


def test_small_objects(toys):
    def shrink(content):
        for row in content["annotations"]:
            del row["segmentation"]
            row["bbox"] = [10, 10, 1, 2]

    change(toys, shrink)
    assert "under 16 pixels even at an input of 832" in kinds(toys)["tiny"].what


def test_the_input_size_follows_from_the_objects():
    assert choose_size(np.full(10, 0.3)) == (512, "0% of the objects are under 32 pixels at 512: training at 512")
    sizes = np.array([0.055] * 3 + [0.3] * 7)  # 28 pixels at 512, 35 at 640
    assert choose_size(sizes) == (
        640,
        "30% of the objects are under 32 pixels at 512, 0% at 640: training at 640",
    )
    assert choose_size(np.full(10, 0.01))[0] == 832


def test_exit_codes_and_json_for_scripts(toys, monkeypatch, capsys):
    change(toys, lambda content: content["annotations"].append({**content["annotations"][4], "id": 99}))
    monkeypatch.setattr(sys, "argv", ["pipeline", "check", str(toys), "--quiet", "--json"])
    assert command.main() == 3
    (finding,) = json.loads(capsys.readouterr().out)
    assert (finding["kind"], finding["severity"], finding["files"]) == ("doubled", "warning", ["3.png"])
    (toys / "3.png").write_bytes(b"no image")
    assert command.main() == 4
    monkeypatch.setattr(sys, "argv", ["pipeline", "check", str(toys / "nowhere")])
    assert command.main() == 1


def test_a_folder_as_a_tool_left_it(tmp_path, monkeypatch, capsys):
    """It is prepared elsewhere, and what that leaves out is told as well."""
    folder = write_dataset(tmp_path / "toys/photos", count=12, negatives=0, side=96)
    _paint(folder, seed=0)
    (folder / "2.png").write_bytes(b"no image")
    monkeypatch.setattr(sys, "argv", ["pipeline", "check", str(tmp_path / "toys"), "--quiet"])
    assert command.main() == 3
    out = capsys.readouterr().out
    assert "WARNING 1 photos are left out: image cannot be read" in out
    assert "11 photos with 22 objects: 0 errors, 1 warning, 0 notes" in out
    assert [path.name for path in tmp_path.iterdir()] == ["toys"]
