"""The 2017 weights run as they did: each stage, and the whole, against `tests/mrcnn/matterport/reference.py`."""

import subprocess
import sys

import h5py
import numpy as np
import pytest
import tensorflow as tf

from mrcnn import MaskRCNN
from mrcnn.config import PRESETS
from mrcnn.matterport import loader as matterport
from mrcnn.matterport.layout import LayoutError, check, layout
from mrcnn.results.instances import Instances
from tests.mrcnn.matterport import reference as matterport_reference
from tests.mrcnn.matterport.file import CLASSES, random_file, tensor_shapes, write
from tests.mrcnn.matterport.reference import Reference

SIZE = 128


def shapes_of(**options):
    return {name.removesuffix(":0"): shape for name, shape in tensor_shapes(**options).items()}


class Stages:
    """One image through all stages of the reference, and this project's network with the same weights."""

    def __init__(self, image):
        path, tensors = random_file(classes=4, depth=50)
        self.reference = Reference(tensors)
        self.network, _ = matterport.load_network(path, image_min_dim=SIZE, image_max_dim=SIZE)
        self.image, self.window = matterport_reference.mold(image, SIZE, SIZE)
        self.features = self.reference.backbone(self.image[None])
        self.levels = self.reference.pyramid(self.features)
        self.scores, self.deltas = self.reference.region_proposals(self.levels)
        anchors = matterport_reference.anchors(SIZE)
        self.proposals = matterport_reference.propose(self.scores, self.deltas, anchors, 6000, 200)
        # An empty box, as padding is, and one that reaches over the whole image.
        self.proposals[-2:] = [[0, 0, 0, 0], [0, 0, 1, 1]]
        self.owners = tf.zeros(len(self.proposals), tf.int32)
        self.pooled = matterport_reference.pool(self.levels, self.proposals, 7)


@pytest.fixture(scope="module")
def stages(chelsea):
    return Stages(chelsea)


def assert_close(found, expected, tolerance=1e-4):
    """Within `tolerance` of the largest value."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= tolerance * np.abs(expected).max()


def test_layout_is_that_of_the_published_file():
    shapes = shapes_of()
    assert len(shapes) == 690
    assert layout(PRESETS["resnet101"], 3) == shapes


@pytest.mark.parametrize(("depth", "preset"), [(50, "resnet50"), (101, "resnet101")])
@pytest.mark.parametrize("classes", [2, 81, 91])
def test_depth_and_classes_are_found(depth, preset, classes):
    config, cell_anchors = check("a.h5", shapes_of(depth=depth, classes=classes))
    assert (config.preset, config.class_count, cell_anchors) == (preset, classes, 3)
    assert config.class_names[14] == "bird" if classes == 81 else config.class_names[0] == "class 1"


def test_image_is_molded_alike(stages, chelsea):
    canvas, window = stages.network.letterbox(chelsea, SIZE)
    assert window == stages.window
    assert canvas - matterport_reference.MEAN_PIXEL == pytest.approx(stages.image, abs=1e-5)


def test_backbone(stages):
    for found, expected in zip(stages.network.backbone(stages.image[None]), stages.features, strict=True):
        assert_close(found, expected)


def test_feature_pyramid(stages):
    for found, expected in zip(stages.network.pyramid(stages.features), stages.levels, strict=True):
        assert_close(found, expected)


def test_region_proposal_head(stages):
    logits, deltas = stages.network.proposal_head(stages.network.proposal_levels(stages.levels))
    assert_close(tf.nn.softmax(logits)[0, :, 1], stages.scores)
    assert_close(deltas[0], stages.deltas)


def test_anchors_are_the_same_to_the_last_bit(stages):
    assert np.array_equal(stages.network.anchors(stages.levels), matterport_reference.anchors(SIZE))


@pytest.mark.parametrize(("candidates", "limit"), [(6000, 1000), (50, 100)])
def test_proposals(stages, candidates, limit):
    anchors = matterport_reference.anchors(SIZE)
    expected = matterport_reference.propose(stages.scores, stages.deltas, anchors, candidates, limit)
    logits = tf.stack([tf.math.log(1 - stages.scores), tf.math.log(stages.scores)], axis=-1)[None]
    shape = (SIZE, SIZE)
    found = stages.network.decode_proposals(logits, stages.deltas[None], anchors, shape, candidates, limit, 0.7)[0]
    assert np.abs(found - expected).max() < 1e-5
    assert (candidates > limit) == expected[-1].any()


def test_equal_scores_are_taken_in_the_order_of_the_anchors(stages):
    anchors = tf.constant([[0.0, 0, 0.5, 0.5], [0, 0, 0.5, 0.51], [0.6, 0.6, 1, 1]])
    logits = tf.constant([[[0.0, 200], [0, 300], [0, 100]]])  # all with a probability of 1
    found = stages.network.decode_proposals(logits, tf.zeros((1, 3, 4)), anchors, (SIZE, SIZE), 3, 3, 0.7)[0]
    assert found.numpy() == pytest.approx(np.array([[0, 0, 0.5, 0.5], [0.6, 0.6, 1, 1], [0, 0, 0, 0]]))


@pytest.mark.parametrize("size", [7, 14])
def test_pooling(stages, size):
    levels = stages.levels[:4]
    found = stages.network.pool(levels, tf.constant(stages.proposals), stages.owners, size)
    assert np.array_equal(found, matterport_reference.pool(levels, stages.proposals, size))


@pytest.mark.parametrize("side", [31, 33, 79, 80, 158, 159, 316, 317, 633, 635, 1023])
def test_pooling_level_changes_where_the_original_rounds(stages, side):
    levels = [tf.fill((1, 1024 // stride, 1024 // stride, 1), float(n)) for n, stride in enumerate((4, 8, 16, 32), 2)]
    box = np.array([[0, 0, side / 1023, side / 1023]], np.float32)
    level = stages.network.pool(levels, tf.constant(box), tf.zeros(1, tf.int32), 2)[0, 0, 0, 0]
    assert level == matterport_reference.pool_level(box[0], 1024.0**2)


def test_box_head(stages):
    probabilities, deltas = stages.reference.box_head(stages.pooled)
    found_logits, found_deltas = stages.network.box_head(tf.constant(stages.pooled))
    assert_close(tf.nn.softmax(found_logits), probabilities)
    assert_close(found_deltas, deltas)


@pytest.mark.parametrize("confidence", [0.0, 0.9])
def test_selection(stages, confidence):
    probabilities, deltas = stages.reference.box_head(stages.pooled)
    window = matterport_reference.normalise(np.array(stages.window), SIZE, SIZE)
    expected = matterport_reference.select(probabilities, deltas, stages.proposals, window, confidence, 50)
    found = stages.network.decode_detections(
        tf.math.log(probabilities)[None],
        deltas[None],
        stages.proposals[None],
        (SIZE, SIZE),
        tf.constant([stages.window], tf.float32),
        confidence,
        50,
    )
    boxes, scores, class_ids = (values[0].numpy() for values in found)
    count = len(expected[0])
    assert 5 < count <= 50
    assert np.array_equal(class_ids, np.pad(expected[1], (0, 50 - count)))
    assert np.abs(boxes[:count] - expected[0]).max() < 1e-5
    assert np.abs(scores[:count] - expected[2]).max() < 1e-5


def test_mask_head(stages):
    pooled = matterport_reference.pool(stages.levels, stages.proposals[:6], 14)
    expected = stages.reference.mask_head(pooled)[..., 1:]
    assert_close(tf.sigmoid(stages.network.mask_head([tf.constant(pooled)])), expected)


def as_drawn(detections):
    """Boxes and masks as the network gives them, which is what the original shows; `segment` tidies them."""
    names = [detections.class_names[class_id - 1] for class_id in detections.class_ids]
    parts = detections.boxes, detections.scores, detections.class_ids, names, detections.image_size
    return Instances(*parts, detections.paste())


def share_matched(found, expected, box=2, score=0.002, iou=0.97):
    """The share of the expected detections that have one like them."""

    def same(row, boxes, class_id, expected_score, mask):
        return (
            found.class_ids[row] == class_id
            and np.abs(found.boxes[row] - boxes).max() <= box
            and abs(found.scores[row] - expected_score) <= score
            and (found.masks[row] & mask).sum() > iou * (found.masks[row] | mask).sum()
        )

    rows = list(zip(*expected, strict=True))
    return sum(any(same(row, *detection) for row in range(len(found))) for detection in rows) / len(rows)


@pytest.mark.slow
@pytest.mark.parametrize(("depth", "classes", "size"), [(50, 4, 128), (101, CLASSES, 256)])
def test_whole_image(depth, classes, size, chelsea):
    path, tensors = random_file(classes, depth)
    found = as_drawn(MaskRCNN.from_matterport(path, image_min_dim=size, image_max_dim=size).detect(chelsea, 0.0))
    expected = Reference(tensors).detect(chelsea, size, size)
    assert len(found) == len(expected[0])
    # Not all: crop_and_resize fills a sample that lies outside by the last bit of a float with zeros. For boxes that
    # touch the far border that bit is chance, here as in the original.
    assert share_matched(found, expected) >= 0.95
    assert share_matched(found, expected, score=1e-9, iou=0.9999) < 1.0  # the comparison can fail


@pytest.mark.slow
def test_masks_that_are_unsure_of_every_cell_fill_their_boxes_to_the_edge(chelsea, tmp_path):
    """The original's resize clips, so that such a mask does not fade out at the edge of its box."""
    tensors = dict(random_file(4, 50)[1])
    tensors["mrcnn_mask/kernel:0"] = tensors["mrcnn_mask/kernel:0"] * np.float32(1e-3)
    tensors["mrcnn_mask/bias:0"] = np.full(4, 0.1, np.float32)
    path = write(tmp_path / "unsure.h5", tensors)
    counts = {"post_nms_rois_inference": 100, "detection_max_instances": 20}
    model = MaskRCNN.from_matterport(path, image_min_dim=128, image_max_dim=128, **counts)
    found = as_drawn(model.detect(chelsea, 0.0))
    assert share_matched(found, Reference(tensors).detect(chelsea, 128, 128, proposals=100, limit=20)) >= 0.9
    assert all(window.mask.all() for window in found.windows)


@pytest.mark.slow
def test_small_images_are_enlarged_and_a_batch_agrees_with_single_ones(chelsea):
    path, tensors = random_file(4, 50)
    counts = {"post_nms_rois_inference": 100, "detection_max_instances": 9}
    model = MaskRCNN.from_matterport(path, image_min_dim=128, image_max_dim=192, **counts)
    small = chelsea[100:180, 120:230]
    expected = Reference(tensors).detect(small, 128, 192, proposals=100, limit=9)
    batch = model.segment_batch([small, chelsea], confidence=0.0)
    assert len(batch[0]) == len(expected[0])
    assert share_matched(as_drawn(model.detect(small, 0.0)), expected) >= 0.85  # 8 of 9
    alone = model.segment(chelsea, confidence=0.0)
    assert np.abs(alone.boxes - batch[1].boxes).max() <= 1
    assert model.segment(chelsea).scores.min() >= 0.7  # the original's confidence


def empty_file(path, shapes, root=""):
    """An h5 file with these tensors that takes no place on disk: their values were never written."""
    with h5py.File(path, "w") as file:
        for name, shape in shapes.items():
            layer = name.split("/")[0]
            group = f"rpn_model/{name}" if layer.startswith("rpn_") else f"{layer}/{name}"
            file.create_dataset(f"{root}{group}:0", shape, np.float32)
    return path


def test_a_renamed_layer_is_refused_with_both_names(tmp_path):
    path = empty_file(tmp_path / "a.h5", shapes_of())
    with h5py.File(path, "a") as file:
        file.move("res4k_branch2b", "res4k_branch2x")
    with pytest.raises(LayoutError) as refusal:
        MaskRCNN.from_matterport(path)
    assert refusal.value.missing == ["res4k_branch2b/kernel", "res4k_branch2b/bias"]
    assert sorted(refusal.value.unexpected) == ["res4k_branch2x/bias", "res4k_branch2x/kernel"]
    assert "2 missing: res4k_branch2b/kernel, res4k_branch2b/bias" in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("fpn_p2/kernel", (3, 3, 256, 128)),
        ("mrcnn_class_logits/bias", (80,)),
        ("rpn_conv_shared/kernel", (3, 3, 256, 256)),
        ("mrcnn_class_conv1/kernel", (7, 7, 256, 512)),
        ("bn5c_branch2c/gamma", ()),
    ],
)
def test_one_wrong_shape_is_found_and_no_other(name, shape):
    shapes = shapes_of()
    right = shapes[name]
    with pytest.raises(LayoutError) as refusal:
        check("a.h5", {**shapes, name: shape})
    assert refusal.value.misshapen == [f"{name} is {shape}, expected {right}"]
    assert not refusal.value.missing
    assert not refusal.value.unexpected


def test_a_missing_block_and_another_model_are_refused(tmp_path):
    shapes = {name: shape for name, shape in shapes_of().items() if not name.startswith(("res4h", "bn4h"))}
    with pytest.raises(LayoutError) as refusal:
        check("a.h5", shapes)
    assert len(refusal.value.missing) == 18
    other = tmp_path / "vgg.h5"
    empty_file(other, {"block1_conv1/kernel": (3, 3, 3, 64), "block1_conv1/bias": (64,)})
    with pytest.raises(ValueError, match="690 missing: conv1/kernel.* and 670 more; 2 unexpected: block1_conv1"):
        MaskRCNN.from_matterport(other)


def test_two_tensors_of_one_name_are_refused(tmp_path):
    path = empty_file(tmp_path / "a.h5", shapes_of())
    with h5py.File(path, "a") as file:
        file.create_dataset("conv1/conv1_1/kernel:0", (7, 7, 3, 64), np.float32)
    with pytest.raises(LayoutError, match=r"1 unexpected: conv1/conv1_1/kernel:0"):
        MaskRCNN.from_matterport(path)


def test_damaged_files_are_refused_in_one_sentence(tmp_path):
    whole = write(tmp_path / "whole.h5", {"conv1/kernel:0": np.zeros((7, 7, 3, 64), np.float32)})
    truncated, text = tmp_path / "truncated.h5", tmp_path / "text.h5"
    truncated.write_bytes(whole.read_bytes()[:-1000])
    text.write_text("version https://git-lfs.github.com/spec/v1")
    for path in (truncated, text):
        with pytest.raises(ValueError, match=f"{path.name} is not a complete HDF5 file"):
            MaskRCNN.from_matterport(path)
    with pytest.raises(ValueError, match="there is no file"):
        MaskRCNN.from_matterport(tmp_path / "none.h5")


@pytest.mark.parametrize("damage", [b"\0", b"\xff"])
def test_holes_in_a_file_of_the_right_length_are_refused_in_one_sentence(tmp_path, damage):
    """What a download leaves that was given its whole length at the beginning."""
    path = empty_file(tmp_path / "hole.h5", shapes_of())
    content = bytearray(path.read_bytes())
    start = len(content) // 2
    content[start : start + 50_000] = damage * 50_000
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"^hole.h5 is damaged, its table of contents cannot be read \([^\n]*\)$"):
        MaskRCNN.from_matterport(path)
    with pytest.raises(ValueError, match="is damaged"):
        matterport.recognises(path)


def test_values_that_are_no_numbers_are_refused():
    path, tensors = random_file(4, 50)
    network, _ = matterport.load_network(path, image_max_dim=64)
    tensors = {name.removesuffix(":0"): values for name, values in tensors.items()}
    tensors["fpn_p3/kernel"] = np.full_like(tensors["fpn_p3/kernel"], np.nan)
    with pytest.raises(ValueError, match="fpn_p3/kernel holds values that are not finite numbers"):
        matterport.fill(network, tensors)


def test_whole_models_and_other_versions_of_keras_are_read(tmp_path):
    shapes = shapes_of()
    path = empty_file(tmp_path / "whole.h5", shapes, root="model_weights/")
    with h5py.File(path, "a") as file:
        file.create_dataset("optimizer_weights/SGD/momentum:0", (3,))
        file.create_dataset("model_weights/anchors/anchors/Variable:0", (1, 5, 4))
        # TimeDistributed as some versions write it: with the folder of the layer inside.
        file.move("model_weights/mrcnn_mask_conv1/mrcnn_mask_conv1", "model_weights/mrcnn_mask_conv1/conv2d_7")
    with matterport.opened(path) as tensors:
        assert {name: tensor.shape for name, tensor in tensors.items()} == shapes


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"image_max_dim": 300}, "image_max_dim is 300, expected a multiple of 64"),
        ({"detection_nms_treshold": 0.3}, "unknown config key 'detection_nms_treshold'"),
        ({"box_units": 512}, "box_units cannot be set, the file decides it"),
        ({"class_names": ["cat"]}, "has 80 classes, but 1 class names were given"),
        ({"anchor_ratios": [1.0]}, "has 3 anchors in a cell, but anchor_scales and anchor_ratios make 1"),
    ],
)
def test_wrong_settings_are_refused(tmp_path, settings, sentence):
    path = empty_file(tmp_path / "a.h5", shapes_of())
    with pytest.raises(ValueError, match=sentence):
        MaskRCNN.from_matterport(path, **settings)


def test_only_such_files_are_recognised(tmp_path):
    other = empty_file(tmp_path / "mobilenet.h5", {"Conv1/kernel": (3, 3, 3, 32), "bn_Conv1/gamma": (32,)})
    mine = empty_file(tmp_path / "mine.h5", {"mrcnn_mask/kernel": (1, 1, 256, 2)})
    assert matterport.recognises(mine)
    assert not matterport.recognises(other)
    assert not matterport.recognises(tmp_path / "none.h5")
    np.savez(tmp_path / "backbone.npz", mrcnn_mask=np.zeros(3))
    assert not matterport.recognises(tmp_path / "backbone.npz")
    mine.write_bytes(mine.read_bytes()[:-100])
    with pytest.raises(ValueError, match="mine.h5 is not a complete HDF5 file"):  # not: no weights of a MobileNet
        matterport.recognises(mine)


@pytest.mark.slow
def test_new_classes_begin_with_fresh_last_layers_and_can_be_trained():
    path, tensors = random_file(4, 50)
    network = matterport.fine_tuning_network(path, ("cat", "dog"), image_size=SIZE)
    assert network.config.class_names == ("cat", "dog")
    assert np.asarray(network.box_head.logits.kernel).shape == (1024, 3)
    assert 0 < np.abs(np.asarray(network.box_head.logits.kernel)).max() < 0.1
    assert np.array_equal(network.proposal_head.shared.kernel, tensors["rpn_conv_shared/kernel:0"])
    box = np.array([[[20, 30, 100, 90], [0, 0, 0, 0]]], np.float32)
    truth = {
        "boxes": tf.constant(box),
        "class_ids": tf.constant([[2, 0]]),
        "masks": tf.fill((1, 2, 56, 56), tf.constant(255, tf.uint8)),
        "known": tf.constant([[[0.0, 0.0, SIZE, SIZE], [0.0, 0.0, 0.0, 0.0]]]),
    }
    images = tf.random.stateless_uniform((1, SIZE, SIZE, 3), (1, 2), maxval=256, dtype=tf.int32)
    watched = network.mask_head.logits.kernel.value
    with tf.GradientTape() as tape:
        losses = network.training_losses(tf.cast(images, tf.uint8), truth, tf.constant([[1, 2]]))
        total = tf.add_n([total / tf.maximum(count, 1.0) for total, count in losses.values()])
    assert np.isfinite(total)
    assert float(losses["mask"][1]) >= 1  # the true box itself is a positive proposal
    assert np.abs(tape.gradient(total, watched)).max() > 0


MEASURE = """
import resource, sys, tensorflow as tf
from mrcnn import MaskRCNN, network
from mrcnn.matterport import loader as matterport
tf.constant(1) + 1
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
MaskRCNN.from_matterport(sys.argv[1])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
def test_loading_takes_little_more_memory_than_the_weights():
    path, _ = random_file(4, 50)
    grown = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True)
    assert 1024 * int(grown.stdout) < 1.5 * path.stat().st_size
