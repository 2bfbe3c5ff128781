"""The network of the preset lite as an ONNX graph, stage by stage as in `mrcnn/network.py`.

Everything is an operator of ONNX itself: RoiAlign, NonMaxSuppression, TopK, Resize. A graph converted from TensorFlow's
has none of these; its gathers, casts and shapes are a thousand small nodes that take as long as the convolutions.
Tensors are in ONNX's order, `(B, C, H, W)`; the kernels are transposed when the file is written.

Where it computes in another way than `mrcnn/`, the results are the same within rounding:

- Anchors are worked out for the best indices alone, from the index itself.
- Images are not scaled; the kernel of the first convolution is.
- Logits and deltas come from one product, and of the two objectness logits only the difference is computed.
- ONNX's RoiAlign with one sample a bin and half-pixel coordinates reads where `mrcnn/roi_align.py` reads, with one
  difference: more than a cell outside of the map it gives zeros, where ours continues the border. Proposals are cut to
  the image and never get there; regions of masks reach out by their margin, so for them the maps are padded with their
  border first.
"""

import numpy as np
from onnx import TensorProto

from mrcnn import boxes as box_ops
from mrcnn import mobilenet_v2
from mrcnn.anchors import cell_anchors
from mrcnn.detections import CANDIDATES, EDGE_SHARE
from mrcnn.mask_scoring import LEAST_AREA
from mrcnn.region_proposals import ANCHOR_VARIANCE
from mrcnn.weights import named_variables
from pipeline.exporting.onnx_layers import FINEST_LEVEL, LOWEST, Layers


def onnx_model(network, halves=True):
    """The `onnx.ModelProto` of a network.

    Inputs: `images` uint8 `(B, H, W, 3)` with H and W multiples of 32, `confidence` float32 `()`, `limit` int32 `()`,
    `windows` float32 `(B, 4)`.
    Outputs, one row a detection, image after image: `image_index` int32 `(N,)`, `boxes` float32 `(N, 4)`, `scores`
    float32 `(N,)`, `class_ids` int32 `(N,)`, `masks` float32 `(N, S, S)`; see `mrcnn.network.Network.detect`.

    Args:
        network: `mrcnn.network.Network`.
        halves: bool. Whether weights are stored as float16, with casts. Defaults to `True`.
    """
    side = network.config.mask_size
    kinds = {
        "image_index": (np.int32, ("N",)),
        "boxes": (np.float32, ("N", 4)),
        "scores": (np.float32, ("N",)),
        "class_ids": (np.int32, ("N",)),
        "masks": (np.float32, ("N", side, side)),
    }
    inputs = {
        "images": (np.uint8, ("B", "H", "W", 3)),
        "confidence": (np.float32, ()),
        "limit": (np.int32, ()),
        "windows": (np.float32, ("B", 4)),
    }
    graph, tensors = _Stages(network, halves).detect()
    return graph.model(inputs, {name: (tensors[name], *kind) for name, kind in kinds.items()}, "mask_rcnn")


class _Stages(Layers):
    """The stages of one network; each adds its nodes to the graph."""

    def __init__(self, network, halves):
        super().__init__({place: np.asarray(variable) for place, variable in named_variables(network).items()}, halves)
        self.config = network.config
        self.variables["backbone/Conv1/kernel"] = self.variables["backbone/Conv1/kernel"] / self.config.pixel_scale

    def detect(self):
        """All stages: the graph, and a dict of its outputs."""
        graph = self.graph
        shape = graph("Shape", "images")
        # height, width, height, width in pixels: what boxes are cut to
        limits = graph("Cast", graph("Gather", shape, [1, 2, 1, 2]), to=TensorProto.FLOAT)
        levels = self.pyramid(self.backbone(self.scaled()))
        proposals = self.propose(levels, shape, limits)
        boxes, scores, classes = self.classify(levels, proposals, limits)
        image, boxes, scores, classes = self.select(boxes, scores, classes, limits)
        boxes = self.to_edges(boxes, graph("Gather", "windows", image), EDGE_SHARE)
        masks = self.masks(levels, image, boxes, classes)
        int32 = TensorProto.INT32
        rows = {
            "image_index": graph("Cast", image, to=int32),
            "boxes": boxes,
            "scores": scores,
            "class_ids": graph("Cast", graph("Add", classes, 1), to=int32),
            "masks": masks,
        }
        return graph, self.score(rows) if self.config.mask_scoring else rows

    # From the image to the pyramid

    def scaled(self):
        """Float `(B, 3, H, W)`, less the mean; the first convolution divides by the scale."""
        image = self.graph("Transpose", "images", perm=[0, 3, 1, 2])
        image = self.graph("Cast", image, to=TensorProto.FLOAT)
        return self.graph("Sub", image, np.array(self.config.pixel_mean, np.float32).reshape(1, 3, 1, 1))

    def backbone(self, x):
        """C2 to C5; see `mrcnn/mobilenet_v2.py`."""
        features = {}
        x = self.convolution(x, "backbone/Conv1", stride=2, relu=6.0)
        channels = self.variables["backbone/Conv1/kernel"].shape[-1]
        block = 0
        for expansion, filters, repeats, first_stride in mobilenet_v2.STAGES:
            for repeat in range(repeats):
                prefix = f"block_{block}_" if block else "expanded_conv_"
                stride, shortcut = (1 if repeat else first_stride), x
                if expansion != 1:
                    x = self.convolution(x, f"backbone/{prefix}expand", relu=6.0)
                    features[f"{prefix}expand_relu"] = x
                x = self.convolution(x, f"backbone/{prefix}depthwise", stride, relu=6.0)
                x = self.convolution(x, f"backbone/{prefix}project")
                features[f"{prefix}project"] = x
                if stride == 1 and channels == filters:
                    x = self.graph("Add", shortcut, x, layer=f"backbone/{prefix}add")
                    features[f"{prefix}add"] = x
                channels = filters
                block += 1
        return [features[name] for name in mobilenet_v2.FEATURES.values()]

    def pyramid(self, features):
        """P2 to P6; see `mrcnn/feature_pyramid.py`."""
        numbers = (2, 3, 4, 5)
        merged = [self.convolution(x, f"pyramid/lateral{n}") for n, x in zip(numbers, features, strict=True)]
        for level in (2, 1, 0):
            scales = np.array([1, 1, 2, 2], np.float32)
            nearest = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
            place = f"pyramid/merged{numbers[level]}"
            doubled = self.graph("Resize", merged[level + 1], None, scales, layer=place, **nearest)
            merged[level] = self.graph("Add", merged[level], doubled, layer=place)
        levels = [self.convolution(x, f"pyramid/output{n}") for n, x in zip(numbers, merged, strict=True)]
        return [
            *levels,
            self.graph("MaxPool", levels[-1], layer="pyramid/output6", kernel_shape=[1, 1], strides=[2, 2]),
        ]

    # Proposals

    def propose(self, levels, shape, limits):
        """Proposals float `(B, P, 4)`, padded with zero boxes; see `mrcnn/region_proposals.py`."""
        graph, config = self.graph, self.config
        levels = levels[config.proposal_level - FINEST_LEVEL :]
        logits, deltas = zip(*(self.proposal_head(level) for level in levels), strict=True)
        logits, deltas = graph("Concat", *logits, axis=1), graph("Concat", *deltas, axis=1)
        count = graph("Min", graph("Shape", logits, start=1), [config.pre_nms_top_n])
        scores, index = graph("TopK", logits, count, outputs=2)
        chosen = graph("GatherND", deltas, graph("Unsqueeze", index, [-1]), batch_dims=1)
        centres, sizes = self.anchors(index, shape, len(levels))
        boxes = self.decode(chosen, centres, sizes, ANCHOR_VARIANCE, limits)
        scores = graph("Where", self.has_area(boxes), scores, LOWEST)
        _, index, kept = self.suppress(
            boxes, scores, graph.constant(config.post_nms_top_n), config.proposal_nms_iou, LOWEST / 2
        )
        boxes = graph("GatherND", boxes, graph("Unsqueeze", index, [-1]), batch_dims=1)
        return graph("Where", graph("Unsqueeze", kept, [-1]), boxes, 0.0)

    def proposal_head(self, level):
        """Objectness float `(B, cells * A)`, object minus background, and deltas float `(B, cells * A, 4)`."""
        graph, variables = self.graph, self.variables
        shared = self.convolution(level, "proposal_head/shared", relu=np.inf)
        (kernel, bias), (delta_kernel, delta_bias) = (
            (variables[f"proposal_head/{name}/kernel"], variables[f"proposal_head/{name}/bias"])
            for name in ("objectness", "deltas")
        )
        difference = kernel[..., 1::2] - kernel[..., 0::2]
        anchors = difference.shape[-1]
        both = np.concatenate([difference, delta_kernel], axis=-1).transpose(3, 2, 0, 1)
        both_bias = np.concatenate([bias[1::2] - bias[0::2], delta_bias])
        x = self._convolve(shared, both, graph.weights(both_bias), "proposal_head/both")
        x = graph("Transpose", x, perm=[0, 2, 3, 1])
        logits, deltas = graph("Split", x, [anchors, 4 * anchors], axis=-1, outputs=2)
        return graph("Reshape", logits, [0, -1]), graph("Reshape", deltas, [0, -1, 4])

    def anchors(self, index, shape, level_count):
        """Centres and sizes, float `(B, K, 2)` each in pixels, of the anchors of an index int64 `(B, K)`.

        The order is that of `mrcnn.anchors.anchors`: level, row, column, anchor of the cell.
        """
        graph, config = self.graph, self.config
        strides = 2 ** (config.proposal_level + np.arange(level_count))
        relative = np.array(cell_anchors(1, config.anchor_scales, config.anchor_ratios), np.float32)
        per_cell = len(relative)
        heights, widths = (  # a length of P6 is rounded up
            graph("Div", graph("Add", graph("Gather", shape, [axis]), strides - 1), strides) for axis in (1, 2)
        )
        ends = graph("CumSum", graph("Mul", graph("Mul", heights, widths), per_cell), 0)
        starts = graph("Concat", [0], ends, axis=0)
        behind = graph("GreaterOrEqual", graph("Unsqueeze", index, [-1]), ends)
        level = graph("ReduceSum", graph("Cast", behind, to=TensorProto.INT64), [-1], keepdims=0)
        place = graph("Sub", index, graph("Gather", starts, level))
        cell, width = graph("Div", place, per_cell), graph("Gather", widths, level)
        row, column = graph("Div", cell, width), graph("Mod", cell, width)
        stride = graph("Unsqueeze", graph("Gather", strides.astype(np.float32), level), [-1])
        cells = graph("Concat", graph("Unsqueeze", row, [-1]), graph("Unsqueeze", column, [-1]), axis=-1)
        centres = graph("Mul", graph("Add", graph("Cast", cells, to=TensorProto.FLOAT), 0.5), stride)
        return centres, graph("Mul", graph("Gather", relative, graph("Mod", place, per_cell)), stride)

    # Box head and detections

    def classify(self, levels, proposals, limits):
        """Box of every proposal and class float `(B, P * K, 4)`, its score and its class, 0 for the first.

        K is the number of classes without the background.
        """
        graph, config, variables = self.graph, self.config, self.variables
        classes, side = config.class_count, config.box_pool_size
        flat = graph("Reshape", proposals, [-1, 4])
        first = graph("Shape", proposals, start=0, end=2)  # B, P
        image = graph("Cast", graph("Expand", [[0]], first), to=TensorProto.INT64)
        image = graph("Reshape", graph("Add", image, self._rows(first)), [-1])
        x, rows = self.pool(levels[:4], flat, image, side)
        kernel = variables["box_head/hidden1/kernel"]
        kernel = kernel.reshape(side, side, -1, config.box_units).transpose(2, 0, 1, 3).reshape(kernel.shape)
        x = self.dense(graph("Flatten", x), kernel, variables["box_head/hidden1/bias"], "box_head/hidden1", relu=True)
        kernel, bias = (variables[f"box_head/hidden2/{part}"] for part in ("kernel", "bias"))
        x = self.dense(x, kernel, bias, "box_head/hidden2", relu=True)
        # One product for logits and deltas; nobody asks for the box of the background.
        kernel, bias = (
            np.concatenate([variables[f"box_head/logits/{part}"], variables[f"box_head/deltas/{part}"][..., 4:]], -1)
            for part in ("kernel", "bias")
        )
        x = self.in_order(self.dense(x, kernel, bias, "box_head/both"), rows)
        logits, deltas = graph("Split", x, [classes, 4 * classes - 4], axis=-1, outputs=2)
        scores = graph("Slice", graph("Softmax", logits, axis=-1), [1], [classes], [1])
        near, sides = self.corners(graph("Unsqueeze", flat, [1]))
        sides = graph("Max", sides, box_ops.SMALLEST_SIDE)
        centres = graph("Add", near, graph("Mul", sides, 0.5))
        deltas = graph("Reshape", deltas, [-1, classes - 1, 4])
        boxes = self.decode(deltas, centres, sides, config.box_variance, limits)
        real = graph("And", self.has_area(boxes), graph("Unsqueeze", self.has_area(flat), [-1]))
        scores = graph("Where", graph("And", real, graph("GreaterOrEqual", scores, "confidence")), scores, 0.0)
        rows = graph("Gather", first, [0])
        boxes = graph("Reshape", boxes, graph("Concat", rows, [-1, 4], axis=0))
        scores = graph("Reshape", scores, graph("Concat", rows, [-1], axis=0))
        count = graph("Mul", graph("Gather", first, 1), classes - 1)
        index = graph("Range", 0, count, 1)
        return boxes, scores, graph("Mod", index, classes - 1)

    def _rows(self, shape):
        """int64 `(B, 1)`, each row its own number, for a shape that begins with B."""
        return self.graph("Unsqueeze", self.graph("Range", 0, self.graph("Gather", shape, 0), 1), [-1])

    def select(self, boxes, scores, classes, limits):
        """Detections of the batch, one row each: image, box, score and class; see `mrcnn/detections.py`."""
        graph, config = self.graph, self.config
        limit = graph("Cast", "limit", to=TensorProto.INT64)
        apart = boxes
        if config.class_count > 2:
            # Boxes of different classes are moved apart by more than an image, so that one suppression serves them all.
            distance = graph("Mul", graph("ReduceMax", limits), 2.0)
            offset = graph("Mul", graph("Cast", classes, to=TensorProto.FLOAT), distance)
            apart = graph("Add", boxes, graph("Unsqueeze", offset, [-1]))
        if config.post_nms_top_n * (config.class_count - 1) > CANDIDATES:
            scores = self._best(scores)
        scores, index, kept = self.suppress(apart, scores, limit, config.detection_nms_iou, 1e-9)
        places = graph("Transpose", graph("NonZero", kept), perm=[1, 0])  # (N, 2) image and row
        image = graph("Gather", places, 0, axis=1)
        index = graph("GatherND", index, places)
        rows = graph("Concat", graph("Unsqueeze", image, [-1]), graph("Unsqueeze", index, [-1]), axis=1)
        return image, graph("GatherND", boxes, rows), graph("GatherND", scores, places), graph("Gather", classes, index)

    def _best(self, scores):
        """The scores with 0 in the place of all but the `CANDIDATES` best of each image."""
        graph = self.graph
        count = graph("Min", graph("Shape", scores, start=1), [CANDIDATES])
        best, _ = graph("TopK", scores, count, outputs=2)
        return graph("Where", graph("GreaterOrEqual", scores, graph("ReduceMin", best, [-1])), scores, 0.0)

    # Masks

    def masks(self, levels, image, boxes, classes):
        """Soft masks float `(N, S, S)`; see `mrcnn/mask_head.py`."""
        graph, config = self.graph, self.config
        margin = config.mask_margin
        near, sides = self.corners(boxes)
        reach = graph("Mul", sides, float(margin))
        near, far = graph("Sub", near, reach), graph("Add", graph("Add", near, sides), reach)
        regions = graph("Concat", near, far, axis=-1)
        x = self.in_order(*self.pool(levels[:4], regions, image, config.mask_pool_size, margin))
        for place in sorted({place.rpartition("/")[0] for place in self.variables if "mask_head/coarse" in place}):
            x = self.convolution(x, place, relu=np.inf)
        if config.fine_channels:
            fine_features = self.convolution(levels[0], "detail", relu=np.inf)
            x = self.convolution(self.doubling(x, "mask_head/double1"), "mask_head/middle", relu=np.inf)
            fine, _ = self.pool([fine_features], regions, image, config.mask_size, margin)
            x = graph("Concat", self.doubling(x, "mask_head/double2"), fine, axis=1)
            x = self.convolution(x, "mask_head/fine", relu=np.inf)
        else:
            x = self.doubling(x, "mask_head/double")
        x = graph("Sigmoid", self.convolution(x, "mask_head/logits"))
        return graph("GatherND", x, graph("Unsqueeze", classes, [-1]), batch_dims=1)

    def score(self, rows):
        """The rows of the batch with scores that count the masks, in their new order; see `mrcnn/mask_scoring.py`."""
        graph, masks = self.graph, rows["masks"]
        inside = graph("Cast", graph("Greater", masks, 0.5), to=TensorProto.FLOAT)
        intersection = graph("ReduceSum", graph("Mul", masks, inside), [1, 2], keepdims=0)
        union = graph("ReduceSum", graph("Max", masks, inside), [1, 2], keepdims=0)
        expected_iou = graph("Div", intersection, graph("Max", union, LEAST_AREA))
        scores = graph("Mul", rows["scores"], expected_iou)
        kept = graph("And", graph("GreaterOrEqual", scores, "confidence"), graph("Greater", scores, 0.0))
        kept = graph("Squeeze", graph("NonZero", kept), [0])
        # One key sorts by image first and by score within it; in 64 bits no score is rounded.
        image, score = (graph("Cast", values, to=TensorProto.DOUBLE) for values in (rows["image_index"], scores))
        key = graph("Gather", graph("Sub", score, graph("Add", image, image)), kept)
        _, order = graph("TopK", key, graph("Shape", key), outputs=2)
        order = graph("Gather", kept, order)
        return {name: graph("Gather", values, order) for name, values in {**rows, "scores": scores}.items()}
