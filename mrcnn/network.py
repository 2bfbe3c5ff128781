"""The network: all stages in the order of the paper's figure, for inference and for training.

    images -> backbone -> feature pyramid -> region proposals -> RoIAlign -> box head -> detections -> mask head

Paper: He et al., "Mask R-CNN", 2017 (https://arxiv.org/abs/1703.06870).
"""

import dataclasses

import keras
import tensorflow as tf

from mrcnn import losses, targets
from mrcnn import mobilenet_v2 as backbone
from mrcnn.box_head import BoxHead
from mrcnn.config import PRESETS, Config, replace
from mrcnn.conventions import CONVENTIONS
from mrcnn.feature_pyramid import FeaturePyramid
from mrcnn.mask_head import MaskHead, PlainMaskHead, select_class
from mrcnn.matterport import resnet
from mrcnn.region_proposals import ANCHOR_VARIANCE, RegionProposalHead
from mrcnn.results.boxes import expand_boxes

BACKBONES = {
    "mobilenet_v2": lambda config: backbone.mobilenet_v2(),
    "resnet": lambda config: resnet.resnet(config.backbone_blocks),
}
STEMS = {"mobilenet_v2": backbone.STEM, "resnet": resnet.STEM}
COARSEST_LEVEL = 6


@dataclasses.dataclass(frozen=True)
class Sampling:
    """How many anchors and proposals of each image a training step looks at.

    Attributes:
        anchors: int. Sampled anchors an image, at most half of them positive.
        pre_nms_top_n: int. Anchors that enter non-maximum suppression in training.
        proposals: int. Proposals that leave it in training.
        boxes: int. Sampled proposals an image, at most a quarter of them positive.
        masks: int. Positive proposals an image whose masks are trained.
        positive_iou: float. Overlap that makes an anchor positive; below `negative_iou` it is negative.
    """

    anchors: int = 128
    pre_nms_top_n: int = 600
    proposals: int = 150
    boxes: int = 64
    masks: int = 8
    positive_iou: float = 0.6
    negative_iou: float = 0.3


@keras.saving.register_keras_serializable(package="mrcnn")
class Network(keras.Model):
    """Mask R-CNN.

    Args:
        config: `mrcnn.config.Config`, or a dict of its fields. Defaults to the `lite` preset.
    """

    def __init__(self, config=None, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(config, Config):
            config = replace(PRESETS["lite"], **(config or {}))
        self.config = config
        self.conventions = CONVENTIONS[config.conventions]
        self.backbone = BACKBONES[config.backbone](config)
        self.pyramid = FeaturePyramid(config.pyramid_channels, config.separable, name="pyramid")
        self.fine_features, mask_head = None, PlainMaskHead
        if config.fine_channels:
            # The name in the weights files of every model so far.
            self.fine_features = keras.layers.Conv2D(config.fine_channels, 1, activation="relu", name="detail")
            mask_head = MaskHead
        self.proposal_strides = [2**level for level in range(config.proposal_level, COARSEST_LEVEL + 1)]
        per_cell = len(config.anchor_scales) * len(config.anchor_ratios)
        channels = config.proposal_channels or config.pyramid_channels
        self.proposal_head = RegionProposalHead(per_cell, channels, config.proposal_separable, name="proposal_head")
        self.box_head = BoxHead(config.class_count, config.box_units, name="box_head")
        self.mask_head = mask_head(config.class_count, config.mask_channels, name="mask_head")
        self.build((None, None, None, 3))

    def build(self, input_shape):
        channels = self.config.pyramid_channels
        level = (None, None, None, channels)
        self.pyramid.build([output.shape for output in self.backbone.outputs])
        if self.fine_features:
            self.fine_features.build(level)
        self.proposal_head.build([level] * len(self.proposal_strides))
        self.box_head.build((None, self.config.box_pool_size, self.config.box_pool_size, channels))
        self.mask_head.build([level, (None, None, None, self.config.fine_channels)])
        self.built = True

    def backbone_variables(self, part):
        """Variables of the backbone, list of `keras.Variable`.

        Args:
            part: str. `"all"`, `"none"` or `"stem"`, its first layers, up to C2.

        Raises:
            ValueError: if there is no such part.
        """
        prefixes = {"all": ("",), "stem": STEMS[self.config.backbone], "none": ()}
        if part not in prefixes:
            raise ValueError(f"the backbone has no part {part!r}, expected 'all', 'stem' or 'none'")
        return [variable for variable in self.backbone.weights if variable.path.startswith(prefixes[part])]

    def features(self, images):
        """uint8 `(B, H, W, 3)` RGB to pyramid levels P2..P6 and the fine features (`None` where the preset has none).

        All are float; H and W are multiples of 32.
        """
        scale = self.config.pixel_scale
        # Subtracted after the division, so that a mean of half the range is exactly 1.
        scaled = tf.cast(images, tf.float32) / scale - tf.constant(self.config.pixel_mean, tf.float32) / scale
        levels = self.pyramid(self.backbone(scaled))
        return levels, self.fine_features(levels[0]) if self.fine_features else None

    def proposal_levels(self, levels):
        """Those of the pyramid levels P2..P6 that have anchors."""
        return levels[-len(self.proposal_strides) :]

    def anchors(self, levels):
        """float `(A, 4)` anchors for the pyramid levels P2..P6, in the measure of the conventions."""
        config = self.config
        shapes = [tf.unstack(tf.shape(level)[1:3]) for level in self.proposal_levels(levels)]
        image_shape = [4 * length for length in tf.unstack(tf.shape(levels[0])[1:3])]
        return self.conventions.anchors(
            shapes, self.proposal_strides, config.anchor_scales, config.anchor_ratios, image_shape
        )

    def classify(self, levels, boxes, box_indices):
        """Box head on boxes float `(N, 4)`: logits float `(N, classes)` and deltas float `(N, classes, 4)`."""
        return self.box_head(self.conventions.pool(levels[:4], boxes, box_indices, self.config.box_pool_size))

    def mask_logits(self, levels, fine_features, boxes, box_indices, class_ids):
        """Mask head on boxes float `(N, 4)`: logits float `(N, S, S)` of the class asked for, int32 `(N,)`.

        The S x S cells tile the boxes enlarged by `config.mask_margin`.
        """
        boxes = expand_boxes(boxes, self.config.mask_margin)
        pooled = [self.conventions.pool(levels[:4], boxes, box_indices, self.config.mask_pool_size)]
        if self.fine_features:
            pooled.append(self.conventions.pool([fine_features], boxes, box_indices, self.config.mask_size))
        return select_class(self.mask_head(pooled), class_ids)

    def detect(self, images, confidence, limit, windows=None):
        """Find the instances in a batch.

        Masks are computed for what is detected and for nothing else: most images hold one cat, and the mask head
        then runs once instead of `limit` times.

        Args:
            images: uint8 `(B, H, W, 3)`. RGB; H and W multiples of 32.
            confidence: float scalar. Lowest score, 0 to 1.
            limit: int32 scalar. Most detections an image.
            windows: float `(B, 4)`. The part of each image that is not filling, `y1, x1, y2, x2` in pixels; boxes
                are cut to it where the conventions want it. Defaults to all of it.

        Returns:
            dict of tensors with one row for each detection of the batch, image after image, scores descending:
            `image_index` int32 `(N,)`, `boxes` float `(N, 4)` in pixels of the input, `scores` float `(N,)`,
            `class_ids` int32 `(N,)`, `masks` float `(N, S, S)` probabilities within the box enlarged by
            `config.mask_margin`.
        """
        return self.with_masks(*self._detect_boxes(images, confidence, limit, windows))

    def with_masks(self, levels, fine_features, boxes, scores, class_ids):
        """What `detect` returns, from the features of a batch and what `select` gave for it."""
        found = tf.where(class_ids > 0)
        count = tf.shape(found)[0]
        # Where nothing is found, one row of padding goes through the mask head and is dropped after it: with oneDNN,
        # fused convolutions refuse an empty batch on some CPUs.
        found = tf.pad(found, [[0, tf.cast(count == 0, tf.int32)], [0, 0]])
        boxes, scores, class_ids = (tf.gather_nd(values, found) for values in (boxes, scores, class_ids))
        image = tf.cast(found[:, 0], tf.int32)
        masks = tf.sigmoid(self.mask_logits(levels, fine_features, boxes, image, tf.maximum(class_ids, 1)))
        boxes = self.conventions.to_pixels(boxes, [4 * length for length in tf.unstack(tf.shape(levels[0])[1:3])])
        found = {"image_index": image, "boxes": boxes, "scores": scores, "class_ids": class_ids, "masks": masks}
        return {name: values[:count] for name, values in found.items()}

    def detect_padded(self, images, confidence, limit):
        """`detect` with `limit` rows for every image, for engines that want every shape known beforehand.

        Args:
            images: uint8 `(B, H, W, 3)`. RGB; H and W multiples of 32.
            confidence: float scalar. Lowest score, 0 to 1.
            limit: int. Rows an image; the mask head runs on all of them.

        Returns:
            dict of `boxes` float `(B, limit, 4)`, `scores` float `(B, limit)` descending, `class_ids` int32
            `(B, limit)` and `masks` float `(B, limit, S, S)`; zeros after the last detection.
        """
        levels, fine_features, boxes, scores, class_ids = self._detect_boxes(images, confidence, limit)
        box_indices = tf.repeat(tf.range(tf.shape(images)[0]), limit)
        # A padded row asks for the first class, as any would do: its mask is thrown away.
        wanted = tf.maximum(tf.reshape(class_ids, (-1,)), 1)
        logits = self.mask_logits(levels, fine_features, tf.reshape(boxes, (-1, 4)), box_indices, wanted)
        masks = tf.reshape(tf.sigmoid(logits), (-1, limit, *logits.shape[1:]))
        masks = tf.where((class_ids > 0)[:, :, None, None], masks, 0.0)
        boxes = self.conventions.to_pixels(boxes, tf.unstack(tf.shape(images)[1:3]))
        boxes = tf.where((class_ids > 0)[:, :, None], boxes, 0.0)
        return {"boxes": boxes, "scores": scores, "class_ids": class_ids, "masks": masks}

    def propose(self, levels, shape):
        """Proposals float `(B, post_nms_top_n, 4)` from levels P2..P6 of images of `(height, width)` pixels."""
        config = self.config
        return self.conventions.propose(
            *self.proposal_head(self.proposal_levels(levels)),
            self.anchors(levels),
            shape,
            config.pre_nms_top_n,
            config.post_nms_top_n,
            config.proposal_nms_iou,
        )

    def select(self, levels, proposals, shape, confidence, limit, windows=None):
        """Box head and non-maximum suppression: boxes, scores and class_ids, see `select_detections`."""
        config = self.config
        batch = tf.shape(proposals)[0]
        if windows is None:
            windows = tf.tile(tf.cast([[0, 0, *shape]], tf.float32), [batch, 1])
        box_indices = tf.repeat(tf.range(batch), config.post_nms_top_n)
        logits, deltas = self.classify(levels, tf.reshape(proposals, (-1, 4)), box_indices)
        return self.conventions.select(
            tf.reshape(logits, (batch, config.post_nms_top_n, config.class_count)),
            tf.reshape(deltas, (batch, config.post_nms_top_n, config.class_count, 4)),
            proposals,
            shape,
            windows,
            config.box_variance,
            config.detection_nms_iou,
            confidence,
            limit,
        )

    def _detect_boxes(self, images, confidence, limit, windows=None):
        shape = tf.unstack(tf.shape(images)[1:3])
        levels, fine_features = self.features(images)
        return (
            levels,
            fine_features,
            *self.select(levels, self.propose(levels, shape), shape, confidence, limit, windows),
        )

    def call(self, images):
        """`detect` at the confidence of 0.05 that evaluation uses."""
        return self.detect(images, 0.05, self.config.detection_limit)

    def training_losses(self, images, truth, seeds, sampling=Sampling()):
        """The five losses of a batch.

        Args:
            images: uint8 `(B, H, W, 3)`. RGB; H and W multiples of 32.
            truth: dict of `boxes` float `(B, M, 4)`, `class_ids` int32 `(B, M)`, `masks` uint8 `(B, M, S, S)` and
                `known` float `(B, M, 4)`, padded as `mrcnn.targets` says.
            seeds: int32 `(B, 2)`. Each decides which anchors and proposals of its image are sampled, whatever else is
                in the batch.
            sampling: `Sampling`.

        Returns:
            dict from each name in `mrcnn.losses.NAMES` to `(total, count)`, see there.
        """
        batch = tf.shape(images)[0]
        shape = tf.unstack(tf.shape(images)[1:3])
        levels, fine_features = self.features(images)
        true_pixels = truth["boxes"]
        truth = {**truth, "boxes": self.conventions.from_pixels(true_pixels, shape)}
        logits, deltas = self.proposal_head(self.proposal_levels(levels))
        all_anchors = self.anchors(levels)

        rows, labels, anchor_targets = self._anchor_targets(all_anchors, truth, seeds, sampling)
        logits_there, deltas_there = tf.gather(logits, rows, batch_dims=1), tf.gather(deltas, rows, batch_dims=1)
        found = {
            "objectness": losses.cross_entropy(logits_there, tf.maximum(labels, 0), labels),
            "anchor_box": losses.smooth_l1(deltas_there, anchor_targets, labels, beta=1.0),
        }

        proposals = self.conventions.propose(
            logits,
            deltas,
            all_anchors,
            shape,
            sampling.pre_nms_top_n,
            sampling.proposals,
            self.config.proposal_nms_iou,
        )
        # Proposals are where the box head looks, not something it could improve: no gradient flows through them.
        other_seeds = tf.bitwise.invert(seeds)  # any others would do: two draws that have nothing in common
        sampled = self._proposal_targets(tf.stop_gradient(proposals), truth, other_seeds, sampling)
        regions, labels, class_ids, box_targets, matched = sampled
        box_indices = tf.repeat(tf.range(batch), sampling.boxes)
        logits, deltas = self.classify(levels, tf.reshape(regions, (-1, 4)), box_indices)
        flat_ids, flat_labels = tf.reshape(class_ids, (-1,)), tf.reshape(labels, (-1,))
        deltas = tf.gather(deltas, flat_ids, batch_dims=1)
        found["class"] = losses.cross_entropy(logits, flat_ids, flat_labels)
        found["box"] = losses.smooth_l1(deltas, tf.reshape(box_targets, (-1, 4)), flat_labels, beta=1.0)

        # Samples are sorted, positives first, so the first few are all that can have a mask.
        first_rows = slice(None), slice(sampling.masks)
        with_mask = tf.where(labels[first_rows] == targets.POSITIVE)
        box_indices = tf.cast(with_mask[:, 0], tf.int32)
        regions, class_ids, matched = (
            tf.gather_nd(values[first_rows], with_mask) for values in (regions, class_ids, matched)
        )
        true_rows = tf.stack([box_indices, matched], axis=-1)
        mask_truth, known = targets.mask_targets(
            tf.gather_nd(truth["masks"], true_rows),
            tf.gather_nd(true_pixels, true_rows),
            tf.gather_nd(truth["known"], true_rows),
            expand_boxes(self.conventions.to_pixels(regions, shape), self.config.mask_margin),
            self.config.mask_size,
        )
        logits = self.mask_logits(levels, fine_features, regions, box_indices, class_ids)
        found["mask"] = losses.mask_loss(logits, mask_truth, known)
        return found

    def _anchor_targets(self, all_anchors, truth, seeds, sampling):
        """Sampled anchors of each image: rows int32 `(B, K)`, labels int32 `(B, K)`, deltas float `(B, K, 4)`."""

        def one(inputs):
            boxes, class_ids, seed = inputs
            labels, matched = targets.match(
                all_anchors,
                boxes,
                class_ids,
                sampling.positive_iou,
                sampling.negative_iou,
                allow_low_quality_matches=True,
            )
            rows, labels = targets.sample(labels, sampling.anchors, 0.5, seed)
            true_boxes = tf.gather(boxes, tf.gather(matched, rows))
            return rows, labels, self.conventions.encode(true_boxes, tf.gather(all_anchors, rows), ANCHOR_VARIANCE)

        count = sampling.anchors
        signature = (
            tf.TensorSpec((count,), tf.int32),
            tf.TensorSpec((count,), tf.int32),
            tf.TensorSpec((count, 4), tf.float32),
        )
        return tf.map_fn(one, (truth["boxes"], truth["class_ids"], seeds), fn_output_signature=signature)

    def _proposal_targets(self, proposals, truth, seeds, sampling):
        """Sampled proposals: regions, labels, classes (0 = background), deltas and rows of the true instances."""

        def one(inputs):
            proposals, boxes, class_ids, seed = inputs
            # The true boxes are proposals too: early in training nothing else would overlap them.
            real = tf.where((class_ids > 0)[:, None], boxes, 0.0)
            candidates = tf.concat([proposals, real], axis=0)
            labels, matched = targets.match(candidates, boxes, class_ids, 0.5, 0.5)
            rows, labels = targets.sample(labels, sampling.boxes, 0.25, seed)
            regions, matched = tf.gather(candidates, rows), tf.gather(matched, rows)
            class_ids = tf.where(labels == targets.POSITIVE, tf.gather(class_ids, matched), 0)
            deltas = self.conventions.encode(tf.gather(boxes, matched), regions, self.config.box_variance)
            return regions, labels, class_ids, deltas, matched

        count = sampling.boxes
        ints, quads = tf.TensorSpec((count,), tf.int32), tf.TensorSpec((count, 4), tf.float32)
        return tf.map_fn(
            one,
            (proposals, truth["boxes"], truth["class_ids"], seeds),
            fn_output_signature=(quads, ints, ints, quads, ints),
        )

    def get_config(self):
        return {**super().get_config(), "config": dataclasses.asdict(self.config)}
