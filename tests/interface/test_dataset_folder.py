"""What "Save to data set" writes is what the pipeline reads."""

import dataclasses
import json
import zipfile

import numpy as np
import pytest
from PIL import Image
from skimage import data

from interface.correction import Opened, editor_document, read_edit
from interface.dataset_folder import CorrectedPhoto, add_to_folder, chosen_folder, photo_bytes, write_zip
from interface.label_map import runs
from mrcnn.images import read_image
from pipeline.data.dataset import CocoDataset
from pipeline.data.prepare import prepare


@pytest.fixture
def opened(analysis, tmp_path):
    path = tmp_path / "chelsea the cat.png"
    Image.fromarray(data.chelsea()).save(path)
    return Opened(str(path), "cat", analysis.detections, 0.2)


def edited(opened, change=lambda labels: None, objects=None):
    """What the browser would send of a photo that is brushed at its own size."""
    document = json.loads(editor_document(read_image(opened.path), opened))
    labels = np.repeat(document["runs"][::2], document["runs"][1::2]).astype(np.uint8)
    labels = labels.reshape(document["height"], document["width"])
    change(labels)
    objects = document["objects"] if objects is None else objects
    return json.dumps({"token": document["token"], "runs": runs(labels), "objects": objects})


def corrected(opened, *arguments):
    image = read_image(opened.path)
    found = read_edit(edited(opened, *arguments), opened)
    return CorrectedPhoto.of(opened.path, image, found, opened.detections.class_names), image, found


def add(folder, photo, image):
    return add_to_folder(folder, photo, photo_bytes(image, photo.file_name))


def masks_by_class(dataset, image_id):
    masks, class_ids = dataset.load_mask(image_id)
    return {dataset.class_names[class_id - 1]: masks[..., row] for row, class_id in enumerate(class_ids)}


def test_predictions_that_nobody_brushed_come_back_as_they_were(opened):
    found, before = read_edit(edited(opened), opened), opened.found()
    assert found.class_names == before.class_names and np.array_equal(found.masks, before.masks)


def test_the_pipeline_reads_the_same_photo_and_masks(opened, tmp_path):
    def brush(labels):
        labels[:20, :30] = 2

    photo, image, found = corrected(opened, brush)
    assert add(tmp_path / "own", photo, image) == 1
    dataset = CocoDataset(tmp_path / "own" / "photos")
    (image_id,) = dataset.image_ids
    assert np.array_equal(dataset.load_image(image_id), image)
    masks = masks_by_class(dataset, image_id)
    assert {name: mask.sum() for name, mask in masks.items()} == {"cat": found.areas[0], "<dog>": found.areas[1]}
    assert np.array_equal(masks["cat"], found.masks[0]) and np.array_equal(masks["<dog>"], found.masks[1])
    assert masks["<dog>"][:20, :30].all()


def test_prepare_reads_the_folder_as_it_stands(opened, tmp_path):
    photo, image, found = corrected(opened)
    add(tmp_path / "own", photo, image)
    prepare(tmp_path / "own", progress=False, tell=lambda text: None)
    dataset = CocoDataset(tmp_path / "own")
    masks = masks_by_class(dataset, dataset.image_ids[0])
    assert np.array_equal(masks["cat"], found.masks[0]) and np.array_equal(masks["<dog>"], found.masks[1])


def test_the_same_photo_again_replaces_its_rows(opened, tmp_path):
    photo, image, _ = corrected(opened)
    other = dataclasses.replace(opened, path=str(tmp_path / "renamed.png"))
    Image.fromarray(image).save(other.path)
    again, _, _ = corrected(other, lambda labels: None, [{"number": 2, "class": "cat"}])
    black = CorrectedPhoto.of("black.jpg", np.zeros_like(image), opened.found()[:0], ("cat",))
    add(tmp_path / "own", photo, image)
    add(tmp_path / "own", black, np.zeros_like(image))
    assert add(tmp_path / "own", again, image) == 2
    dataset = CocoDataset(tmp_path / "own" / "photos")
    assert dataset.count_instances() == {"cat": 1, "<dog>": 0}
    assert sorted(path.name for path in dataset.folder.iterdir()) == sorted([again.file_name, black.file_name])
    ids = [row["id"] for row in json.loads((tmp_path / "own" / "photos.json").read_text())["annotations"]]
    assert len(set(ids)) == len(ids)


def test_classes_of_another_model_are_told_apart_by_name(opened, tmp_path):
    photo, image, found = corrected(opened)
    add(tmp_path / "own", photo, image)
    found = dataclasses.replace(found, class_names=["horse", "cat"])
    add(tmp_path / "own", CorrectedPhoto.of("b.png", image[::-1], found, ("horse", "cat")), image[::-1])
    dataset = CocoDataset(tmp_path / "own" / "photos")
    assert dataset.count_instances() == {"cat": 2, "<dog>": 1, "horse": 1}


def test_a_file_that_is_no_data_set_is_left_alone(opened, tmp_path):
    photo, image, _ = corrected(opened)
    (tmp_path / "photos.json").write_text("[1]")
    with pytest.raises(ValueError, match="photos.json is no COCO data set; please move it away, nothing was changed"):
        add(tmp_path, photo, image)
    assert (tmp_path / "photos.json").read_text() == "[1]" and not (tmp_path / "photos").exists()


def test_a_folder_that_cannot_be_written_to_is_said(opened, tmp_path):
    photo, image, _ = corrected(opened)
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot be written: Not a directory"):
        add(tmp_path / "file", photo, image)


def test_the_zip_is_that_folder_without_photos_that_are_gone(opened, tmp_path):
    photo, image, found = corrected(opened)
    gone = CorrectedPhoto.of(tmp_path / "gone.jpg", np.zeros_like(image), found[:0], ("cat",))
    assert write_zip(tmp_path / "corrected.zip", [photo, gone]) == [gone]
    with zipfile.ZipFile(tmp_path / "corrected.zip") as archive:
        archive.extractall(tmp_path)
    dataset = CocoDataset(tmp_path / "corrected" / "photos")
    assert np.array_equal(masks_by_class(dataset, dataset.image_ids[0])["cat"], found.masks[0])


def test_photos_lose_what_cameras_note(opened, tmp_path):
    path = tmp_path / "noted.jpg"
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Maker", 6  # turned
    Image.fromarray(data.chelsea()).save(path, exif=exif)
    photo = CorrectedPhoto.of(path, read_image(path), opened.found()[:0], ("cat",))
    (tmp_path / photo.file_name).write_bytes(photo_bytes(read_image(path), photo.file_name))
    with Image.open(tmp_path / photo.file_name) as written:
        assert not written.getexif() and written.size == (300, 451)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"token": "other"}, "belongs to another photo"),
        ({"objects": None}, "a number of its own"),
        ({"objects": [{"number": 0, "class": "cat"}]}, "a number of its own"),
        ({"objects": [{"number": 1, "class": "cat"}] * 2}, "a number of its own"),
        ({"objects": [{"number": 1, "class": ["cat"]}]}, "needs one of these classes: cat, <dog>"),
        ({"objects": [{"number": 1, "class": "bird"}]}, "needs one of these classes: cat, <dog>"),
        ({"runs": [0, 1]}, "must cover 451 x 300 pixels"),
    ],
)
def test_what_no_editor_sends_is_refused_in_words(opened, change, words):
    with pytest.raises(ValueError, match=words):
        read_edit(json.dumps({**json.loads(edited(opened)), **change}), opened)


@pytest.mark.parametrize("text", [None, 3, "", "[", "[1]", "[" * 100_000])
def test_what_is_no_document_is_refused_in_words(opened, text):
    with pytest.raises(ValueError, match="What was brushed"):
        read_edit(text, opened)


def test_nothing_is_kept_unless_asked_for(monkeypatch, tmp_path):
    monkeypatch.delenv("MRCNN_DATASET_FOLDER", raising=False)
    assert chosen_folder() is None
    monkeypatch.setenv("MRCNN_DATASET_FOLDER", str(tmp_path))
    assert chosen_folder() == tmp_path
