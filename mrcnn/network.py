"""The network: all stages in the order of the paper's figure, for inference and for training.

    images -> backbone -> feature pyramid -> region proposals -> RoIAlign -> box head -> detections -> mask head

Boxes are `y1, x1, y2, x2` in pixels of the network's input, the far edges exclusive. A subclass that measures, pools or
selects boxes in another way, `mrcnn.matterport.network.MatterportNetwork`, overrides the methods from `letterbox` to
`from_pixels`.

Paper: He et al., "Mask R-CNN", 2017 (https://arxiv.org/abs/1703.06870).
"""

import dataclasses

import keras
import tensorflow as tf

from mrcnn import boxes as box_ops
from mrcnn import letterbox, mask_scoring, mobilenet_v2, training_losses
from mrcnn.anchors import anchors
from mrcnn.box_head import BoxHead
from mrcnn.config import Config, config_from_card
from mrcnn.detections import EDGE_SHARE, select_detections
from mrcnn.feature_pyramid import FeaturePyramid
from mrcnn.mask_head import MaskHead, PlainMaskHead, select_class
from mrcnn.region_proposals import RegionProposalHead, propose
from mrcnn.results.boxes import expand_boxes
from mrcnn.results.detections import Detections
from mrcnn.roi_align import roi_align

COARSEST_LEVEL = 6


@keras.saving.register_keras_serializable(package="mrcnn")
class Network(keras.Model):
    """Mask R-CNN with a MobileNetV2; `mrcnn.build.build_network` makes the class that a config asks for.

    To train it with Keras's own loop, give `fit` batches of `(images, truth, seeds)`, see `training_losses`:

        network.backbone.trainable = False  # if few images are to be learnt from
        network.compile(keras.optimizers.AdamW(1e-3))
        network.fit(dataset)

    Args:
        config: `mrcnn.config.Config`, or a dict of its fields. Defaults to the `lite` preset.

    Raises:
        ValueError: if the config names another backbone than the class has, or an unknown field.
    """

    backbone_kind = "mobilenet_v2"
    backbone_stem = mobilenet_v2.STEM
    size_multiple = 1  # of the longer side of the input, in pixels: the letterbox fills up to what the backbone needs
    canvas = letterbox.Canvas()

    def __init__(self, config=None, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(config, Config):
            config = config_from_card({"preset": "lite", **(config or {})})
        if config.backbone != self.backbone_kind:
            raise ValueError(
                f"{type(self).__name__} has the backbone {self.backbone_kind}, but the config is for "
                f"{config.backbone}: mrcnn.build.build_network chooses the class"
            )
        self.supports_jit = False  # the number of detections and of masks is known only while running
        self.config = config
        self.backbone = self._make_backbone(config)
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

    @staticmethod
    def _make_backbone(config):
        return mobilenet_v2.mobilenet_v2()

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
        prefixes = {"all": ("",), "stem": self.backbone_stem, "none": ()}
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

    def letterbox(self, image, size):
        """The network's input for an image.

        Args:
            image: uint8 `(H, W, 3)` RGB.
            size: int. Longer side of the image in the canvas in pixels, a multiple of `size_multiple`.

        Returns:
            canvas uint8 `(h, w, 3)`, and the window `(top, left, bottom, right)` of the image in it.
        """
        return letterbox.letterbox(image, size)

    def detections(self, found, window, image_size):
        """What was found on a canvas, as the record of the original image.

        Args:
            found: dict of arrays, the rows of one image of what `detect` gives.
            window: `(top, left, bottom, right)` of the image in its canvas.
            image_size: `(height, width)` of the original image in pixels.

        Returns:
            `mrcnn.results.detections.Detections`.
        """
        boxes = letterbox.to_image(found["boxes"], window, image_size)
        return Detections.from_network(found, boxes, image_size, self.config)

    def anchors(self, levels):
        """float `(A, 4)` anchors for the pyramid levels P2..P6, in the order of the proposal head's outputs."""
        shapes = [tf.unstack(tf.shape(level)[1:3]) for level in self.proposal_levels(levels)]
        return anchors(shapes, self.proposal_strides, self.config.anchor_scales, self.config.anchor_ratios)

    def decode_proposals(self, logits, deltas, anchors, image_shape, pre_nms_top_n, post_nms_top_n, nms_iou):
        """Proposals float `(B, post_nms_top_n, 4)`; see `mrcnn.region_proposals.propose`."""
        return propose(logits, deltas, anchors, image_shape, pre_nms_top_n, post_nms_top_n, nms_iou)

    def pool(self, levels, boxes, box_indices, pool_size):
        """Features float `(N, pool_size, pool_size, C)` of boxes float `(N, 4)`; see `mrcnn.roi_align.roi_align`."""
        return roi_align(levels, boxes, box_indices, pool_size)

    def decode_detections(self, logits, deltas, proposals, image_shape, windows, confidence, limit):
        """Boxes, scores and class_ids, padded; see `mrcnn.detections.select_detections`.

        `windows`, float `(B, 4)` in pixels, is the part of each input that is not filling. Boxes that nearly reach its
        edges are moved onto them, so that the mask head looks for the object up to there. They may reach into the
        filling, `detections` cuts them.
        """
        variance, nms_iou = self.config.box_variance, self.config.detection_nms_iou
        boxes, scores, class_ids = select_detections(
            logits, deltas, proposals, image_shape, variance, nms_iou, confidence, limit
        )
        return self.move_to_edges(boxes, windows), scores, class_ids

    def move_to_edges(self, boxes, windows):
        """Boxes float `(..., N, 4)`, those that nearly reach the edges of windows `(..., 4)` moved onto them."""
        return box_ops.to_edges(boxes, windows, EDGE_SHARE)

    def encode_boxes(self, boxes, anchors, variance):
        """Deltas float `(..., 4)` that turn `anchors` into `boxes`; see `mrcnn.boxes.encode`."""
        return box_ops.encode(boxes, anchors, variance)

    def to_pixels(self, boxes, image_shape):
        """Boxes from the network's own measure to pixels of its input, which here are the same."""
        return boxes

    def from_pixels(self, boxes, image_shape):
        """Boxes from pixels of the network's input to its own measure, which here are the same."""
        return boxes

    def classify(self, levels, boxes, box_indices):
        """Box head on boxes float `(N, 4)`: logits float `(N, classes)` and deltas float `(N, classes, 4)`."""
        return self.box_head(self.pool(levels[:4], boxes, box_indices, self.config.box_pool_size))

    def mask_logits(self, levels, fine_features, boxes, box_indices, class_ids):
        """Mask head on boxes float `(N, 4)`: logits float `(N, S, S)` of the classes `class_ids` int32 `(N,)`.

        The S x S cells tile the boxes enlarged by `config.mask_margin`.
        """
        boxes = expand_boxes(boxes, self.config.mask_margin)
        pooled = [self.pool(levels[:4], boxes, box_indices, self.config.mask_pool_size)]
        if self.fine_features:
            pooled.append(self.pool([fine_features], boxes, box_indices, self.config.mask_size))
        return select_class(self.mask_head(pooled), class_ids)

    def detect(self, images, confidence, limit, windows=None):
        """Find the instances in a batch.

        Masks are computed for the detections alone: where an image has one, the mask head runs on one box instead of
        `limit`.

        Args:
            images: uint8 `(B, H, W, 3)`. RGB; H and W multiples of 32.
            confidence: float scalar. Lowest score, 0 to 1.
            limit: int32 scalar. Most detections an image: those of the most probable classes.
            windows: float `(B, 4)`. The part of each image that is not filling, `y1, x1, y2, x2` in pixels; see
                `decode_detections`. Defaults to all of it.

        Returns:
            dict of tensors with one row for each detection of the batch, image after image, scores descending:
            `image_index` int32 `(N,)`, `boxes` float `(N, 4)` in pixels of the input, `scores` float `(N,)`, which
            count the masks if the config says so (`mrcnn.mask_scoring`), `class_ids` int32 `(N,)`, `masks` float
            `(N, S, S)` probabilities within the box enlarged by `config.mask_margin`.
        """
        return self.with_masks(*self._detect_boxes(images, confidence, limit, windows), confidence)

    def with_masks(self, levels, fine_features, boxes, scores, class_ids, confidence):
        """What `detect` returns, from the features of a batch and what `select` gave for it at that confidence."""
        places = tf.where(class_ids > 0)  # (N, 2) image and row
        count = tf.shape(places)[0]
        # Where nothing is found, one row of padding goes through the mask head and is dropped after it: with oneDNN,
        # fused convolutions refuse an empty batch on some CPUs.
        places = tf.pad(places, [[0, tf.cast(count == 0, tf.int32)], [0, 0]])
        boxes, scores, class_ids = (tf.gather_nd(values, places) for values in (boxes, scores, class_ids))
        image_index = tf.cast(places[:, 0], tf.int32)
        masks = tf.sigmoid(self.mask_logits(levels, fine_features, boxes, image_index, tf.maximum(class_ids, 1)))
        boxes = self.to_pixels(boxes, [4 * length for length in tf.unstack(tf.shape(levels[0])[1:3])])
        rows = {"image_index": image_index, "boxes": boxes, "scores": scores, "class_ids": class_ids, "masks": masks}
        rows = {name: values[:count] for name, values in rows.items()}
        return mask_scoring.score_rows(rows, confidence) if self.config.mask_scoring else rows

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
        # A padded row reads the mask of the first class, as any would do: it is set to zero below.
        mask_classes = tf.maximum(tf.reshape(class_ids, (-1,)), 1)
        logits = self.mask_logits(levels, fine_features, tf.reshape(boxes, (-1, 4)), box_indices, mask_classes)
        masks = tf.reshape(tf.sigmoid(logits), (-1, limit, *logits.shape[1:]))
        masks = tf.where((class_ids > 0)[:, :, None, None], masks, 0.0)
        boxes = self.to_pixels(boxes, tf.unstack(tf.shape(images)[1:3]))
        boxes = tf.where((class_ids > 0)[:, :, None], boxes, 0.0)
        found = {"boxes": boxes, "scores": scores, "class_ids": class_ids, "masks": masks}
        return mask_scoring.score_padded(found, confidence) if self.config.mask_scoring else found

    def propose(self, levels, shape):
        """Proposals float `(B, post_nms_top_n, 4)` from levels P2..P6 of images of `(height, width)` pixels."""
        config = self.config
        return self.decode_proposals(
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
        return self.decode_detections(
            tf.reshape(logits, (batch, config.post_nms_top_n, config.class_count)),
            tf.reshape(deltas, (batch, config.post_nms_top_n, config.class_count, 4)),
            proposals,
            shape,
            windows,
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
        """`detect` with a confidence of 0.05, for Keras's own `network(images)`.

        Not for `predict`, which joins batches without moving `image_index`: its images would count from 0 in each.
        """
        return self.detect(images, 0.05, self.config.detection_limit)

    def training_losses(self, images, truth, seeds, sampling=None):
        """The five losses of a batch.

        Args:
            images: uint8 `(B, H, W, 3)`. RGB; H and W multiples of 32.
            truth: dict of `boxes` float `(B, M, 4)`, `class_ids` int32 `(B, M)`, `masks` uint8 `(B, M, S, S)` and
                `known` float `(B, M, 4)`, padded as `mrcnn.targets` says.
            seeds: int32 `(B, 2)`. Each decides which anchors and proposals of its image are sampled, whatever else is
                in the batch.
            sampling: `mrcnn.training_losses.Sampling` or `None`. Defaults to `Sampling()`.

        Returns:
            dict from each name in `mrcnn.losses.NAMES` to `(total, count)`, see there.
        """
        return training_losses.training_losses(self, images, truth, seeds, sampling)

    def mean_losses(self, images, truth, seeds):
        """The five losses of `training_losses` as numbers to be made smaller.

        Under a distribution strategy each device divides by the counts of all of them, so that its losses are its share
        of those of the whole batch.

        Returns:
            dict of float scalars: `loss`, the sum of the five, and each by its name in `mrcnn.losses.NAMES`.
        """
        sums = self.training_losses(images, truth, seeds)
        counts = {name: count for name, (_, count) in sums.items()}
        counts = tf.distribute.get_replica_context().all_reduce("SUM", counts)
        means = {name: total / tf.maximum(counts[name], 1.0) for name, (total, _) in sums.items()}
        return {"loss": tf.add_n(list(means.values())), **means}

    def train_step(self, data):
        """One step of `fit`; what it logs are the losses of the batch, see `mean_losses`.

        Args:
            data: tuple of images, truth and seeds, see `training_losses`.
        """
        variables = self.trainable_variables
        with tf.GradientTape() as tape:
            losses = self.mean_losses(*data)
        gradients = tape.gradient(losses["loss"], [variable.value for variable in variables])
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return tf.distribute.get_replica_context().all_reduce("SUM", losses)

    def test_step(self, data):
        """One step of `evaluate`, or of `fit` with `validation_data`: as `train_step`, without learning."""
        return tf.distribute.get_replica_context().all_reduce("SUM", self.mean_losses(*data))

    def get_config(self):
        return {**super().get_config(), "config": dataclasses.asdict(self.config)}
