"""The network cut at its stages, each a graph of its own, to see where the time goes; and what it has to compute."""

import io

import numpy as np
from PIL import Image

from mrcnn.engines.tensorflow import frozen
from mrcnn.images import read_image
from mrcnn.results import drawing

CONFIDENCE, LIMIT = 0.5, 30
STAGES = (
    "decode",
    "letterbox",
    "network trunk",
    "proposals",
    "box head",
    "mask head",
    "pasting",
    "drawing",
    "encoding",
)


class Stages:
    """The way of a photo file to the two images that the page shows, step by step.

    Args:
        network: `mrcnn.network.Network` of the preset lite.
    """

    def __init__(self, network):
        import tensorflow as tf

        self.config = network.config
        self.letterbox, self.detections = network.letterbox, network.detections
        channels = network.config.pyramid_channels
        levels = [tf.TensorSpec((None, None, None, channels), tf.float32)] * 5
        fine_features = tf.TensorSpec((None, None, None, network.config.fine_channels), tf.float32)
        images = tf.TensorSpec((None, None, None, 3), tf.uint8)
        shape = tf.TensorSpec((2,), tf.int32)
        boxes = tf.TensorSpec((None, 4), tf.float32)
        proposals = tf.TensorSpec((None, network.config.post_nms_top_n, 4), tf.float32)

        def trunk(images):
            levels, fine_features = network.features(images)
            return *levels, fine_features

        def propose(shape, levels):
            return network.propose(levels, tf.unstack(shape))

        def select(shape, proposals, levels):
            return network.select(levels, proposals, tf.unstack(shape), CONFIDENCE, LIMIT)

        def masks(boxes, class_ids, fine_features, levels):
            box_indices = tf.zeros_like(class_ids)
            return tf.sigmoid(network.mask_logits(levels, fine_features, boxes, box_indices, class_ids))

        def whole(images):
            return network.detect(images, CONFIDENCE, LIMIT)

        self._trunk = frozen(trunk, images)
        self._propose = frozen(propose, shape, levels)
        self._select = frozen(select, shape, proposals, levels)
        self._masks = frozen(masks, boxes, tf.TensorSpec((None,), tf.int32), fine_features, levels)
        self.whole = frozen(whole, images)

    def run(self, path, watch):
        """Take a photo through all stages.

        Args:
            path: path of an image file.
            watch: a function `watch(stage, function, *arguments)` that returns what the function does.

        Returns:
            `mrcnn.Instances`.
        """
        import tensorflow as tf

        image = watch("decode", read_image, path)
        canvas, window = watch("letterbox", self.letterbox, image, self.config.image_size)
        shape = tf.constant(canvas.shape[:2], tf.int32)
        *levels, fine_features = watch("network trunk", self._trunk, tf.constant(canvas[None]))
        (proposals,) = watch("proposals", self._propose, shape, *levels)
        boxes, scores, class_ids = watch("box head", self._select, shape, proposals, *levels)
        count = int(np.count_nonzero(class_ids))
        boxes, scores, class_ids = boxes[0, :count], scores[0, :count], class_ids[0, :count]
        (soft_masks,) = watch("mask head", self._masks, boxes, class_ids, fine_features, *levels)
        rows = {"boxes": boxes, "scores": scores, "class_ids": class_ids, "masks": soft_masks}
        rows = {name: values.numpy() for name, values in rows.items()}
        detections = self.detections(rows, window, image.shape[:2])
        found = watch("pasting", detections.instances, CONFIDENCE)
        drawings = watch("drawing", _draw, image, found, detections.class_names)
        watch("encoding", _encode, drawings)
        return found


def _draw(image, found, class_names):
    names = dict(enumerate(class_names, start=1))
    return drawing.draw_instances(image, found), drawing.draw_semantic_map(found.semantic_map(), names)


def _encode(drawings):
    """As the page sends its images: JPEG without chroma subsampling."""
    for image in drawings:
        Image.fromarray(image).save(io.BytesIO(), "JPEG", quality=90, subsampling=0)


def multiply_adds(network, height, width):
    """Multiply-add operations of a network for one image with one detection.

    Counted are convolutions and matrix products; what else there is costs memory traffic rather than arithmetic.

    Args:
        network: `mrcnn.network.Network`.
        height: int. Of the network's input, in pixels.
        width: int.

    Returns:
        int.
    """
    import tensorflow as tf

    signature = [tf.TensorSpec((1, height, width, 3), tf.uint8)]
    detect = tf.function(
        lambda images: network.detect_padded(images, CONFIDENCE, 1), input_signature=signature, autograph=False
    )
    total = 0
    for operation in detect.get_concrete_function().graph.get_operations():
        if operation.type in ("Conv2D", "MatMul", "DepthwiseConv2dNative", "Conv2DBackpropInput"):
            total += _multiply_adds_of(operation)
    return total


def _multiply_adds_of(operation):
    output = operation.outputs[0].shape.num_elements()
    if operation.type == "MatMul":
        rows, columns = operation.inputs[0].shape
        return output * (rows if operation.get_attr("transpose_a") else columns)
    height, width, channels, _ = operation.inputs[1].shape
    if operation.type == "Conv2D":
        return output * height * width * channels
    if operation.type == "DepthwiseConv2dNative":
        return output * height * width
    # A transposed convolution spreads each input value over a kernel, which here is (h, w, out, in).
    return operation.inputs[2].shape.num_elements() * height * width * channels
