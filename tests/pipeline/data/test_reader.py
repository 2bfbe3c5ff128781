"""The order of training samples: fair, repeatable, and the same wherever one starts."""

import collections
import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from pipeline.data.dataset import CocoDataset
from pipeline.data.reader import SampleReader
from pipeline.training.config import TrainConfig
from tests.drawn import write_dataset

CONFIG = TrainConfig(canvas_sizes=(64, 96), batch_size=3, negative_share=0.25)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    folder = write_dataset(tmp_path_factory.mktemp("reader") / "train", count=6, negatives=3)
    return SampleReader([CocoDataset(folder)], CONFIG)


def test_every_photo_once_an_epoch_and_the_share_of_negatives_holds(reader):
    drawn = [reader.image(number)[1] for number in range(48)]  # 36 positive samples, 12 negative ones
    assert collections.Counter(drawn) == {**dict.fromkeys(range(1, 7), 6), **dict.fromkeys(range(7, 10), 4)}
    positives = [image_id for image_id in drawn if image_id <= 6]
    assert sorted(positives[:6]) == [1, 2, 3, 4, 5, 6]
    assert positives[:6] != positives[6:12] or positives[6:12] != positives[12:18]


def test_starting_later_gives_the_same_batches(reader):
    whole = list(reader.batches().take(4))
    late = list(reader.batches(first_step=2).take(2))
    for (images, truth, seeds), (later_images, later_truth, later_seeds) in zip(whole[2:], late, strict=True):
        assert (images.numpy() == later_images.numpy()).all()
        assert (seeds.numpy() == later_seeds.numpy()).all()
        for name, values in truth.items():
            assert (values.numpy() == later_truth[name].numpy()).all()


def test_several_machines_share_each_batch(reader):
    parts = [reader.batches(first_step=1, worker=(index, 3)).take(2) for index in range(3)]
    for (images, _, seeds), *of_each in zip(reader.batches(first_step=1).take(2), *parts, strict=True):
        assert (np.concatenate([part[0] for part in of_each]) == images.numpy()).all()
        assert (np.concatenate([part[2] for part in of_each]) == seeds.numpy()).all()
        assert len(np.unique(seeds, axis=0)) == len(seeds) == 3


def test_batches_have_one_size_and_a_row_of_padding(reader):
    sizes = set()
    for images, truth, _ in reader.batches().take(8):
        sizes.add(images.shape[1])
        assert images.shape == (3, images.shape[1], images.shape[1], 3)
        assert (truth["class_ids"].numpy()[:, -1] == 0).all()
        assert truth["boxes"].shape == (*truth["class_ids"].shape, 4)
        assert truth["masks"].dtype == np.uint8
    assert sizes == {64, 96}


def test_unusable_data_is_refused(tmp_path):
    empty = CocoDataset(write_dataset(tmp_path / "empty", count=0, negatives=1))
    with pytest.raises(ValueError, match="no photo of the training data shows an instance"):
        SampleReader([empty], CONFIG)
    cats = CocoDataset(write_dataset(tmp_path / "cats", count=1, negatives=0))
    dogs = CocoDataset(write_dataset(tmp_path / "dogs", count=1, negatives=0, name="dog"))
    with pytest.raises(ValueError, match="different classes"):
        SampleReader([cats, dogs], CONFIG)


def test_without_negatives_all_samples_are_positive(tmp_path):
    dataset = CocoDataset(write_dataset(tmp_path / "cats", count=2, negatives=0))
    reader = SampleReader([dataset], CONFIG)
    assert sorted(reader.image(number)[1] for number in range(4)) == [1, 1, 2, 2]


def test_photos_can_be_made_to_come_more_often(tmp_path):
    folder = write_dataset(tmp_path / "train", count=2, negatives=2)
    name = CocoDataset(folder).images[4]["file_name"]
    config = dataclasses.replace(
        CONFIG, negative_share=0.5, sampling_weights=((f"file_name={name}", 3), ("kind=dog", 9))
    )
    reader = SampleReader([CocoDataset(folder)], config)
    drawn = collections.Counter(reader.image(number)[1] for number in range(16))
    assert drawn == {1: 4, 2: 4, 3: 2, 4: 6}


def test_the_outlines_of_chosen_photos_are_not_learned_from(tmp_path):
    folder = write_dataset(tmp_path / "train", count=2, negatives=0)
    config = dataclasses.replace(CONFIG, box_only=("file_name=2.png",))
    plain, chosen = (SampleReader([CocoDataset(folder)], of) for of in (CONFIG, config))
    for number in range(4):
        _, boxes, class_ids, masks, known = chosen.sample(number)
        _, other_boxes, other_ids, other_masks, other_known = plain.sample(number)
        assert (class_ids == other_ids).all()
        assert other_known.any()
        if chosen.image(number)[1] == 2:
            assert boxes == pytest.approx(other_boxes, abs=1e-5)
            assert not known.any()
            assert (masks == 255).all()
        else:
            assert (masks == other_masks).all()
            assert (known == other_known).all()


def test_photos_without_instances_get_one_of_another_photo(tmp_path):
    folder = write_dataset(tmp_path / "train", count=3, negatives=3)
    dataset = CocoDataset(folder)
    config = dataclasses.replace(CONFIG, negative_share=0.5, canvas_sizes=(96,), scale=(1.0, 1.0))

    def instances(paste):
        reader = SampleReader([dataset], dataclasses.replace(config, paste=paste))
        empty = [number for number in range(40) if not dataset.has_instances(reader.image(number)[1])]
        return [len(reader.sample(number)[2]) for number in empty]

    assert sum(instances(0.0)) == 0
    assert set(instances(1.0)) == {1}
    assert 0 < sum(instances(0.5)) < 20


def spoil(folder, segmentation):
    """Gives the first instance of photo 2 another segmentation."""
    path = folder.with_suffix(".json")
    content = json.loads(path.read_text())
    row = next(row for row in content["annotations"] if row["image_id"] == 2)
    row["segmentation"] = {**row["segmentation"], **segmentation} if isinstance(segmentation, dict) else segmentation
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (lambda folder: (folder / "2.png").write_bytes(b"no photo"), "2.png is not an image"),
        (lambda folder: Image.new("RGB", (50, 40)).save(folder / "2.png"), "2.png is (40, 50) pixels"),
        (
            lambda folder: spoil(folder, [[4, 4, 9, 9]]),
            "annotation 3 cannot be decoded: a polygon has fewer than three",
        ),
        (lambda folder: spoil(folder, {"counts": "zzzzzz"}), "annotation 3 cannot be decoded: the run lengths"),
    ],
    ids=["corrupt photo", "wrong size", "two corners", "no run lengths"],
)
def test_what_cannot_be_read_is_left_out_counted_and_named(tmp_path, capsys, fault, words):
    folder = write_dataset(tmp_path / "train", count=4, negatives=0)
    fault(folder)
    reader = SampleReader([CocoDataset(folder)], CONFIG)
    for number in range(12):
        assert (reader.sample(number)[2] > 0).any()
    assert list(reader.unreadable) == [str(folder / "2.png")]
    told = [line for line in capsys.readouterr().err.splitlines() if line]
    assert len(told) == 1 and told[0].startswith("left out: ") and words in told[0]
    assert all(str(folder / "2.png") not in reader.photos(batch) for batch in range(4))
    assert all(len(reader.photos(batch)) == CONFIG.batch_size for batch in range(4))


def test_data_of_which_nothing_can_be_read_is_refused(tmp_path):
    folder = write_dataset(tmp_path / "train", count=2, negatives=0)
    for photo in folder.iterdir():
        photo.write_bytes(b"no photo")
    with pytest.raises(ValueError, match=r"^100 photos in a row cannot be read, the last because .*[12].png"):
        SampleReader([CocoDataset(folder)], CONFIG).sample(0)
