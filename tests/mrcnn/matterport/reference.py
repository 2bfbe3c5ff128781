"""What matterport's Mask_RCNN computes, step by step in numpy and plain TensorFlow operations.

It works on the tensors of an h5 file by their names and uses nothing of this project, so that agreement means
something. Source of the arithmetic: `mrcnn/model.py` and `mrcnn/utils.py` of https://github.com/matterport/Mask_RCNN.
Everything here is for one image.
"""

import re

import numpy as np
import skimage.transform
import tensorflow as tf

MEAN_PIXEL = np.array([123.7, 116.8, 103.9])
STD = np.array([0.1, 0.1, 0.2, 0.2], np.float32)
STRIDES = (4, 8, 16, 32, 64)
ANCHOR_SIZES = (32, 64, 128, 256, 512)
ANCHOR_RATIOS = (0.5, 1.0, 2.0)  # width over height


def resize(image, shape):
    return skimage.transform.resize(
        image, shape, order=1, mode="constant", cval=0, clip=True, preserve_range=True, anti_aliasing=False
    )


def mold(image, min_dim, max_dim):
    """Network input float `(max_dim, max_dim, 3)` and the window of the image in it."""
    height, width = image.shape[:2]
    scale = max(1, min_dim / min(height, width))
    if round(max(height, width) * scale) > max_dim:
        scale = max_dim / max(height, width)
    if scale != 1:
        image = resize(image, (round(height * scale), round(width * scale)))
    height, width = image.shape[:2]
    top, left = (max_dim - height) // 2, (max_dim - width) // 2
    padding = [(top, max_dim - height - top), (left, max_dim - width - left), (0, 0)]
    molded = np.pad(image, padding).astype(np.uint8)
    return (molded.astype(np.float32) - MEAN_PIXEL).astype(np.float32), (top, left, top + height, left + width)


class Reference:
    """The network, from the tensors of a file.

    Args:
        tensors: dict from names such as `fpn_p2/kernel:0` to arrays.
    """

    def __init__(self, tensors):
        self.tensors = tensors

    def convolution(self, x, name, stride=1, padding="SAME"):
        kernel, bias = self.tensors[f"{name}/kernel:0"], self.tensors[f"{name}/bias:0"]
        return tf.nn.conv2d(x, kernel, stride, padding) + bias

    def batch_norm(self, x, name):
        gamma, beta, mean, variance = (
            self.tensors[f"{name}/{variable}:0"] for variable in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return (x - mean) / tf.sqrt(variance + np.float32(1e-3)) * gamma + beta

    def stem(self, image):
        x = tf.pad(image, [[0, 0], [3, 3], [3, 3], [0, 0]])
        x = tf.nn.relu(self.batch_norm(self.convolution(x, "conv1", 2, "VALID"), "bn_conv1"))
        return tf.nn.max_pool2d(x, 3, 2, "SAME")

    def block(self, x, name, stride):
        """Residual block such as `3a`; the stride is that of its first 1x1 convolution and of the shortcut's."""

        def unit(x, branch, stride=1):
            return self.batch_norm(self.convolution(x, f"res{name}_branch{branch}", stride), f"bn{name}_branch{branch}")

        shortcut = unit(x, "1", stride) if f"res{name}_branch1/kernel:0" in self.tensors else x
        inner = tf.nn.relu(unit(x, "2a", stride))
        inner = tf.nn.relu(unit(inner, "2b"))
        return tf.nn.relu(unit(inner, "2c") + shortcut)

    def backbone(self, image):
        """C2 to C5 of an image `(1, H, W, 3)`."""
        x, features = self.stem(image), []
        for stage in (2, 3, 4, 5):
            pattern = re.compile(rf"res{stage}([a-z])_branch2a/kernel:0")
            for letter in sorted(match[1] for match in map(pattern.fullmatch, self.tensors) if match):
                x = self.block(x, f"{stage}{letter}", 2 if letter == "a" and stage > 2 else 1)
            features.append(x)
        return features

    def pyramid(self, features):
        """P2 to P6."""
        merged = self.convolution(features[3], "fpn_c5p5")
        levels = [self.convolution(merged, "fpn_p5")]
        for level in (4, 3, 2):
            doubled = tf.repeat(tf.repeat(merged, 2, axis=1), 2, axis=2)
            merged = doubled + self.convolution(features[level - 2], f"fpn_c{level}p{level}")
            levels.insert(0, self.convolution(merged, f"fpn_p{level}"))
        return [*levels, levels[-1][:, ::2, ::2]]

    def region_proposals(self, levels):
        """Probability of an object and deltas for each anchor."""
        scores, deltas = [], []
        for level in levels:
            shared = tf.nn.relu(self.convolution(level, "rpn_conv_shared"))
            scores.append(tf.nn.softmax(tf.reshape(self.convolution(shared, "rpn_class_raw"), (-1, 2)))[:, 1])
            deltas.append(tf.reshape(self.convolution(shared, "rpn_bbox_pred"), (-1, 4)))
        return tf.concat(scores, axis=0).numpy(), tf.concat(deltas, axis=0).numpy()

    def box_head(self, pooled):
        """Class probabilities `(N, classes)` and deltas `(N, classes, 4)` of pooled boxes `(N, 7, 7, 256)`."""
        x = pooled
        for number, padding in ((1, "VALID"), (2, "VALID")):
            x = self.convolution(x, f"mrcnn_class_conv{number}", padding=padding)
            x = tf.nn.relu(self.batch_norm(x, f"mrcnn_class_bn{number}"))
        x = x[:, 0, 0]
        logits, deltas = (
            x @ self.tensors[f"{name}/kernel:0"] + self.tensors[f"{name}/bias:0"]
            for name in ("mrcnn_class_logits", "mrcnn_bbox_fc")
        )
        return tf.nn.softmax(logits).numpy(), tf.reshape(deltas, (len(deltas), -1, 4)).numpy()

    def mask_head(self, pooled):
        """Probabilities `(N, 28, 28, classes)`, the background's too, of pooled boxes `(N, 14, 14, 256)`."""
        x = pooled
        for number in (1, 2, 3, 4):
            x = tf.nn.relu(self.batch_norm(self.convolution(x, f"mrcnn_mask_conv{number}"), f"mrcnn_mask_bn{number}"))
        # A 2x2 transposed convolution with stride 2: each cell becomes a square of four of its own.
        kernel, bias = self.tensors["mrcnn_mask_deconv/kernel:0"], self.tensors["mrcnn_mask_deconv/bias:0"]
        x = tf.einsum("nyxi,vhoi->nyvxho", x, kernel)
        x = tf.nn.relu(tf.reshape(x, (-1, 28, 28, kernel.shape[2])) + bias)
        return tf.sigmoid(self.convolution(x, "mrcnn_mask")).numpy()

    def detect(self, image, min_dim, max_dim, candidates=6000, proposals=1000, limit=100, confidence=0.0):
        """Boxes int, class ids, scores and masks bool `(N, H, W)` of an image uint8 `(H, W, 3)`."""
        molded, window = mold(image, min_dim, max_dim)
        levels = self.pyramid(self.backbone(molded[None]))
        scores, deltas = self.region_proposals(levels)
        rois = propose(scores, deltas, anchors(max_dim), candidates, proposals)
        probabilities, deltas = self.box_head(pool(levels, rois, 7))
        window_box = normalise(np.array(window), max_dim, max_dim)
        found = select(probabilities, deltas, rois, window_box, confidence, limit)
        boxes, class_ids, scores = found
        masks = self.mask_head(pool(levels, boxes, 14))[np.arange(len(boxes)), :, :, class_ids]
        return unmold(boxes, class_ids, scores, masks, image.shape[:2], window_box)


def normalise(boxes, height, width):
    scale = np.array([height - 1, width - 1, height - 1, width - 1])
    return ((boxes - np.array([0, 0, 1, 1])) / scale).astype(np.float32)


def anchors(size):
    """All anchors of a square image, one after the other, normalised."""
    boxes = []
    for stride, side in zip(STRIDES, ANCHOR_SIZES, strict=True):
        for y in range(0, size, stride):
            for x in range(0, size, stride):
                for ratio in ANCHOR_RATIOS:
                    height, width = side / np.sqrt(ratio), side * np.sqrt(ratio)
                    boxes.append((y - 0.5 * height, x - 0.5 * width, y + 0.5 * height, x + 0.5 * width))
    return normalise(np.array(boxes), size, size)


def moved(boxes, deltas):
    deltas = deltas * STD
    height, width = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    y = boxes[:, 0] + np.float32(0.5) * height + deltas[:, 0] * height
    x = boxes[:, 1] + np.float32(0.5) * width + deltas[:, 1] * width
    height, width = height * np.exp(deltas[:, 2]), width * np.exp(deltas[:, 3])
    top, left = y - np.float32(0.5) * height, x - np.float32(0.5) * width
    return np.stack([top, left, top + height, left + width], axis=1)


def cut(boxes, window):
    return np.clip(boxes, np.tile(window[:2], 2), np.tile(window[2:], 2))


def nms(boxes, scores, iou, limit):
    """Rows that greedy non-maximum suppression keeps, best first; of equal scores the earlier row counts as better."""
    order, kept = np.argsort(-scores, kind="stable"), []
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    while len(order) and len(kept) < limit:
        first, order = order[0], order[1:]
        kept.append(first)
        low, high = np.maximum(boxes[first, :2], boxes[order, :2]), np.minimum(boxes[first, 2:], boxes[order, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        empty = (area[first] <= 0) | (area[order] <= 0)
        overlap = np.where(empty, 0, shared / np.where(empty, 1, area[first] + area[order] - shared))
        order = order[overlap <= iou]
    return np.array(kept, np.int64)


def propose(scores, deltas, anchors, candidates, limit):
    best = np.argsort(-scores, kind="stable")[:candidates]
    boxes = cut(moved(anchors[best], deltas[best]), np.array([0, 0, 1, 1], np.float32))
    boxes = boxes[nms(boxes, scores[best], 0.7, limit)]
    return np.pad(boxes, [(0, limit - len(boxes)), (0, 0)])


def pool_level(box, image_area):
    """The pyramid level that a normalised box is pooled from."""
    height, width = box[2] - box[0], box[3] - box[1]
    if height * width <= 0:
        return 2
    level = np.log2(np.sqrt(height * width) / (224.0 / np.sqrt(image_area)))
    return int(min(5, max(2, 4 + np.round(level))))


def pool(levels, boxes, size):
    image_area = 16.0 * levels[0].shape[1] * levels[0].shape[2]
    chosen = np.array([pool_level(box, image_area) for box in boxes], int)
    pooled = np.zeros((len(boxes), size, size, levels[0].shape[-1]), np.float32)
    for level in (2, 3, 4, 5):
        rows = np.flatnonzero(chosen == level)
        zeros = np.zeros(len(rows), np.int32)
        pooled[rows] = tf.image.crop_and_resize(levels[level - 2], boxes[rows], zeros, (size, size))
    return pooled


def select(probabilities, deltas, rois, window, confidence, limit):
    """Boxes, class ids and scores of the detections, best first."""
    class_ids = np.argmax(probabilities, axis=1)
    rows = np.arange(len(class_ids))
    scores = probabilities[rows, class_ids]
    boxes = cut(moved(rois, deltas[rows, class_ids]), window)
    candidates = np.flatnonzero((class_ids > 0) & (scores >= confidence))
    kept = []
    for class_id in np.unique(class_ids[candidates]):
        mine = candidates[class_ids[candidates] == class_id]
        kept.extend(mine[nms(boxes[mine], scores[mine], 0.3, limit)])
    kept = np.sort(np.array(kept, np.int64))
    kept = kept[np.argsort(-scores[kept], kind="stable")][:limit]
    return boxes[kept], class_ids[kept], scores[kept]


def unmold(boxes, class_ids, scores, masks, image_size, window):
    height, width = image_size
    extent = np.tile(window[2:] - window[:2], 2)
    boxes = (boxes - np.tile(window[:2], 2)) / extent
    scale, far = np.array([height - 1, width - 1, height - 1, width - 1]), np.array([0, 0, 1, 1])
    boxes = np.around(boxes * scale + far).astype(np.int32)
    seen = np.flatnonzero((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) > 0)
    pasted = np.zeros((len(seen), height, width), bool)
    for row, index in enumerate(seen):
        y1, x1, y2, x2 = boxes[index]
        pasted[row, y1:y2, x1:x2] = resize(masks[index], (y2 - y1, x2 - x1)) >= 0.5
    return boxes[seen], class_ids[seen], scores[seen], pasted
