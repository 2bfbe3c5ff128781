"""The whole network: it learns, it is saved, it comes back the same."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from mrcnn import MaskRCNN, losses
from mrcnn.config import PRESETS, replace
from mrcnn.network import Network
from pipeline.data.dataset import CocoDataset
from pipeline.data.reader import SampleReader
from pipeline.evaluation.coco_eval import evaluate
from pipeline.training.config import TrainConfig
from pipeline.training.initial_network import initial_network
from pipeline.training.trainer import Trainer
from tests.drawn import write_dataset


@pytest.fixture(scope="module")
def overfitted(tmp_path_factory):
    """A network trained until it knows two drawn images by heart, and those images."""
    folder = write_dataset(tmp_path_factory.mktemp("drawn") / "train", count=2, negatives=0)
    dataset = CocoDataset(folder)
    config = TrainConfig(
        image_size=128,
        canvas_sizes=(128,),
        batch_size=2,
        steps=70,
        warmup_steps=5,
        learning_rate=1e-3,
        ema_momentum=0.8,
        scale=(1.0, 1.0),
        aspect=0.0,
        flip=0.0,
        colour=0.0,
        grey=0.0,
    )
    trainer = Trainer(initial_network(config, dataset.class_names), config)
    losses = []
    for batch in SampleReader([dataset], config).batches().take(config.steps):
        losses.append(trainer.train_step(*batch))
    return trainer, dataset, losses


@pytest.mark.slow
def test_learns_two_drawn_images_by_heart(overfitted):
    trainer, dataset, losses = overfitted
    assert losses[-1]["total"] < 0.3 * losses[0]["total"]
    report = evaluate(MaskRCNN(trainer.averaged), dataset, progress=False)
    assert report["mask"]["AP"] > 0.9, report
    assert report["box"]["AP"] > 0.9, report


@pytest.mark.slow
def test_saved_model_gives_the_same_in_a_new_process(overfitted, tmp_path):
    trainer, dataset, _ = overfitted
    image = dataset.load_image(dataset.image_ids[0])[None]
    trainer.averaged.save(tmp_path / "model.keras")
    np.save(tmp_path / "image.npy", image)
    program = (
        "import sys, keras, numpy as np; import mrcnn.network; folder = sys.argv[1];"
        "model = keras.saving.load_model(folder + '/model.keras');"
        "found = model(np.load(folder + '/image.npy'));"
        "np.savez(folder + '/found.npz', **{name: value.numpy() for name, value in found.items()})"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, timeout=300)
    expected = trainer.averaged(image)
    assert len(expected["scores"]) > 0
    with np.load(tmp_path / "found.npz") as found:
        assert set(found.files) == set(expected)
        for name, value in expected.items():
            assert found[name] == pytest.approx(value.numpy(), abs=1e-4), name


def test_batch_and_single_images_agree(overfitted):
    trainer, dataset, _ = overfitted
    images = [dataset.load_image(image_id) for image_id in dataset.image_ids]
    images.append(np.full((60, 90, 3), 200, np.uint8))  # of another shape, and empty
    model = MaskRCNN(trainer.averaged)
    batch = model.segment_batch(images)
    for single, together in zip(map(model.segment, images), batch, strict=True):
        assert len(single) == len(together)
        assert together.boxes == pytest.approx(single.boxes, abs=1e-2)
        assert (together.masks == single.masks).mean() > 0.999 if len(single) else True
    assert len(batch[0]) > 0
    assert model.segment_batch([]) == []


def test_losses_do_not_depend_on_how_instances_are_padded(overfitted):
    trainer, _, _ = overfitted
    random = np.random.default_rng(0)
    images = random.integers(0, 255, (1, 128, 128, 3), dtype=np.uint8)
    truth = {
        "boxes": np.array([[[10, 20, 70, 90], [60, 60, 120, 110], [0, 0, 0, 0]]], np.float32),
        "class_ids": np.array([[1, 1, 0]], np.int32),
        "masks": random.integers(0, 255, (1, 3, 112, 112), dtype=np.uint8),
        "known": np.array([[[0, 0, 128, 128], [0, 0, 128, 128], [0, 0, 0, 0]]], np.float32),
    }
    padded = {name: np.concatenate([v, np.zeros_like(v[:, :1])], axis=1) for name, v in truth.items()}
    seeds = np.zeros((1, 2), np.int32)
    plain, wide = (trainer.network.training_losses(images, t, seeds) for t in (truth, padded))
    for name in ("objectness", "anchor_box"):
        assert [float(v) for v in wide[name]] == pytest.approx([float(v) for v in plain[name]], rel=1e-5)


def test_an_instance_without_a_mask_teaches_what_it_is_and_where_but_not_its_outline(overfitted):
    trainer, dataset, _ = overfitted
    image = dataset.load_image(1)[None]
    windows, class_ids, _ = dataset.windows(1)
    boxes = [[w.top, w.left, w.top + w.mask.shape[0], w.left + w.mask.shape[1]] for w in windows]
    truth = {
        "boxes": np.array([[*boxes, [0, 0, 0, 0]]], np.float32),
        "class_ids": np.array([[*class_ids, 0]], np.int32),
        "masks": np.zeros((1, 3, 112, 112), np.uint8),
        "known": np.zeros((1, 3, 4), np.float32),
    }
    losses = trainer.network.training_losses(image, truth, np.zeros((1, 2), np.int32))
    assert float(losses["mask"][0]) == float(losses["mask"][1]) == 0
    truth["known"][0, 0] = [0, 0, 128, 128]
    with_one = trainer.network.training_losses(image, truth, np.zeros((1, 2), np.int32))
    assert float(with_one["mask"][1]) > 0
    for name in ("objectness", "anchor_box", "class", "box"):
        assert [float(value) for value in losses[name]] == [float(value) for value in with_one[name]]
        assert float(losses[name][1]) > 0


def test_every_stage_survives_its_own_config():
    network = Network()
    for layer in (network.pyramid, network.proposal_head, network.box_head, network.mask_head):
        again = type(layer).from_config(layer.get_config())
        assert again.get_config() == layer.get_config()
    assert Network.from_config(network.get_config()).config == network.config


@pytest.mark.slow
def test_a_keras_user_can_fit_it(tmp_path):
    """With `compile` and `fit` on the reader's batches; the loss is that of our own loop, and training lowers it."""
    dataset = CocoDataset(write_dataset(tmp_path / "train", count=2, negatives=0))
    batches = SampleReader([dataset], TrainConfig(image_size=96, canvas_sizes=(96,), batch_size=2)).batches()
    first = next(iter(batches))
    keras.utils.set_random_seed(0)  # no pretrained backbone here, so learning is slow and depends on the start
    network = Network(replace(PRESETS["lite"], image_size=96, pyramid_channels=16, post_nms_top_n=20, box_units=16))
    sums = network.training_losses(*first)
    expected = {name: float(total) / max(float(count), 1) for name, (total, count) in sums.items()}
    expected["loss"] = sum(expected.values())
    assert set(expected) == {"loss", *losses.NAMES}
    network.compile(keras.optimizers.Adam(1e-3))
    assert {name: float(value) for name, value in network.test_step(first).items()} == pytest.approx(expected, rel=1e-4)
    history = network.fit(batches.take(1).cache(), epochs=25, verbose=0).history
    assert {name: values[0] for name, values in history.items()} == pytest.approx(expected, rel=1e-4)
    assert history["loss"][-1] < 0.8 * history["loss"][0]
