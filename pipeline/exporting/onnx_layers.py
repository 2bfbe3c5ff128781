"""Parts of several ONNX nodes that the stages of `pipeline/exporting/onnx_graph.py` share.

Convolutions of Keras, arithmetic of boxes, non-maximum suppression and RoIAlign over the levels of a pyramid.
"""

import numpy as np
from onnx import TensorProto

from mrcnn import boxes as box_ops
from pipeline.exporting.onnx_builder import GraphBuilder

FINEST_LEVEL = 2
LOWEST = float(np.finfo(np.float32).min)


class Layers:
    """Adds nodes to a graph.

    Args:
        variables: dict from a variable's place, as `mrcnn.weights.named_variables` gives it, to its array.
        halves: bool. See `pipeline.exporting.onnx_builder.GraphBuilder`.

    Attributes:
        graph: `pipeline.exporting.onnx_builder.GraphBuilder`.
    """

    def __init__(self, variables, halves=True):
        self.variables = variables
        self.graph = GraphBuilder(halves)

    # Layers

    def convolution(self, x, place, stride=1, relu=None):
        """A convolution of Keras with "same" padding; `place` is the layer's in `named_variables`.

        A depthwise-separable one is two. `relu` is the largest value that a ReLU after it lets through, or `None`.
        """
        graph, variables = self.graph, self.variables
        bias = graph.weights(variables[f"{place}/bias"])
        if f"{place}/kernel" in variables:
            kernel = variables[f"{place}/kernel"]  # (h, w, in, out), depthwise (h, w, channels, 1)
            if kernel.shape[-1] == 1 and place.endswith("depthwise"):
                x = self._convolve(x, kernel.transpose(2, 3, 0, 1), bias, place, stride, groups=kernel.shape[2])
            else:
                x = self._convolve(x, kernel.transpose(3, 2, 0, 1), bias, place, stride)
        else:
            depthwise = variables[f"{place}/depthwise_kernel"]
            # For one without a bias ONNX Runtime leaves its blocked layout and comes back: a twentieth of all time.
            zeros = graph.constant(np.zeros(depthwise.shape[2], np.float32))
            x = self._convolve(x, depthwise.transpose(2, 3, 0, 1), zeros, place, stride, groups=depthwise.shape[2])
            x = self._convolve(x, variables[f"{place}/pointwise_kernel"].transpose(3, 2, 0, 1), bias, place)
        if relu is None:
            return x
        return graph("Relu", x, layer=place) if relu == np.inf else graph("Clip", x, 0.0, relu, layer=place)

    def _convolve(self, x, kernel, bias, place, stride=1, groups=1):
        size = kernel.shape[-1]
        # Of an even length, "same" with stride 2 pads behind alone.
        before, after = (size - stride) // 2, (size - stride + 1) // 2
        pads = [max(before, 0), max(before, 0), max(after, 0), max(after, 0)]
        kernel = self.graph.weights(kernel)
        return self.graph("Conv", x, kernel, bias, layer=place, strides=[stride, stride], pads=pads, group=groups)

    def doubling(self, x, place):
        """A transposed convolution of 2 x 2 with stride 2, and a ReLU."""
        kernel = self.variables[f"{place}/kernel"].transpose(3, 2, 0, 1)  # from (h, w, out, in)
        bias = self.variables[f"{place}/bias"]
        x = self.graph("ConvTranspose", x, self.graph.weights(kernel), self.graph.weights(bias), strides=[2, 2])
        return self.graph("Relu", x)

    def dense(self, x, kernel, bias, place, relu=False):
        x = self.graph("Gemm", x, self.graph.weights(kernel), self.graph.weights(bias), layer=place)
        return self.graph("Relu", x, layer=place) if relu else x

    # Boxes

    def decode(self, deltas, centres, sizes, variance, limits):
        """Boxes float `(..., 4)`, moved from their anchors and cut to the image; see `mrcnn.boxes.decode`."""
        graph = self.graph
        deltas = graph("Mul", deltas, np.array(variance, np.float32))
        shift, growth = graph("Split", deltas, axis=-1, num_outputs=2, outputs=2)
        centres = graph("Add", centres, graph("Mul", shift, sizes))
        growth = graph("Exp", graph("Min", growth, box_ops.LARGEST_LOG_SCALE))
        half = graph("Mul", graph("Mul", sizes, 0.5), growth)
        boxes = graph("Concat", graph("Sub", centres, half), graph("Add", centres, half), axis=-1)
        return graph("Min", graph("Max", boxes, 0.0), limits)

    def corners(self, boxes):
        """The near corners of boxes, and height and width: float `(..., 2)` each."""
        near, far = self.graph("Split", boxes, axis=-1, num_outputs=2, outputs=2)
        return near, self.graph("Sub", far, near)

    def to_edges(self, boxes, windows, share):
        """Boxes float `(N, 4)`, those that nearly reach the edges of their windows `(N, 4)` moved onto them.

        See `mrcnn.boxes.to_edges`.
        """
        graph = self.graph
        near, far = graph("Split", boxes, axis=-1, num_outputs=2, outputs=2)
        top_left, bottom_right = graph("Split", windows, axis=-1, num_outputs=2, outputs=2)
        reach = graph("Mul", graph("Sub", bottom_right, top_left), share)
        close = graph("Less", graph("Sub", near, top_left), reach)
        near = graph("Where", close, graph("Min", near, top_left), near)
        close = graph("Less", graph("Sub", bottom_right, far), reach)
        far = graph("Where", close, graph("Max", far, bottom_right), far)
        return graph("Concat", near, far, axis=-1)

    def has_area(self, boxes):
        """bool `(...)`."""
        _, sides = self.corners(boxes)
        return self.graph("Greater", self.graph("ReduceMin", sides, [-1], keepdims=0), 0.0)

    def suppress(self, boxes, scores, limit, iou, least_score):
        """Non-maximum suppression in each image of a batch.

        Args:
            boxes, scores: float `(B, K, 4)` and `(B, K)`.
            limit: int64 scalar. Boxes of an image to keep.
            iou: float. Overlap above which the worse of two boxes goes.
            least_score: float. Scores must be above this.

        Returns:
            scores float `(B, L)` descending, index int64 `(B, L)` and kept bool `(B, L)`; L is at most `limit`.
        """
        graph = self.graph
        found = graph(
            "NonMaxSuppression",
            boxes,
            graph("Unsqueeze", scores, [1]),
            limit,
            np.array(iou, np.float32),
            np.array(least_score, np.float32),
        )
        places = graph("Gather", found, [0, 2], axis=1)  # (n, 2) image and box, without the class
        # Back to a row an image: what was not found gets the lowest score, and the best come first.
        lowest = graph("Expand", LOWEST, graph("Shape", scores))
        scores = graph("ScatterND", lowest, places, graph("GatherND", scores, places))
        count = graph("Min", graph("Shape", scores, start=1), graph("Reshape", limit, [1]))
        scores, index = graph("TopK", scores, count, outputs=2)
        return scores, index, graph("Greater", scores, LOWEST)

    # Features of boxes

    def pool(self, levels, boxes, image, pool_size, margin=0.0):
        """Features float `(N, C, pool_size, pool_size)` of boxes `(N, 4)` in pixels; see `mrcnn/roi_align.py`.

        They are sorted by level, and the second result is the row of each in `boxes`, int64 `(N, 1)`, for `in_order`;
        `None` for a single level, which needs no sorting.

        Args:
            levels: list of maps, `FINEST_LEVEL` and coarser.
            boxes: float `(N, 4)`, in the image but for a margin.
            image: int64 `(N,)`.
            pool_size: int.
            margin: float. Share of its sides by which a box was enlarged on each of the four. Defaults to none.
        """
        graph = self.graph
        boxes = graph("Gather", boxes, [1, 0, 3, 2], axis=-1)  # ONNX wants x before y

        def read(number, boxes, image):
            level, scale = levels[number], 0.5 ** (FINEST_LEVEL + number)
            if margin:
                _, sides = self.corners(boxes)
                longest = graph("ReduceMax", graph("Concat", [0.0], graph("Reshape", sides, [-1]), axis=0))
                reach = graph("Ceil", graph("Mul", longest, scale * margin / (1 + 2 * margin)))
                level = graph("Pad", level, self._four_sides(reach), mode="edge")
                boxes = graph("Add", boxes, graph("Mul", reach, 1 / scale))
            return graph(
                "RoiAlign",
                level,
                boxes,
                image,
                output_height=pool_size,
                output_width=pool_size,
                sampling_ratio=1,
                spatial_scale=scale,
                coordinate_transformation_mode="half_pixel",
            )

        if len(levels) == 1:
            return read(0, boxes, image), None
        level = self.level(boxes, pool_size, len(levels))
        parts, orders = [], []
        for number in range(len(levels)):
            order = graph("Reshape", graph("NonZero", graph("Equal", level, number)), [-1])
            parts.append(read(number, graph("Gather", boxes, order), graph("Gather", image, order)))
            orders.append(order)
        return graph("Concat", *parts, axis=0), graph("Unsqueeze", graph("Concat", *orders, axis=0), [-1])

    def in_order(self, x, rows):
        """What was worked out from the sorted features of `pool`, in the order of its boxes again."""
        return self.graph("ScatterND", x, rows, x)  # every row is written, to its own place

    def _four_sides(self, reach):
        """Pads int64 `(8,)` of a `(B, C, H, W)` map: `reach` cells, a float, at each edge of H and W."""
        reach = self.graph("Cast", self.graph("Reshape", reach, [1]), to=TensorProto.INT64)
        return self.graph("Mul", np.array([0, 0, 1, 1, 0, 0, 1, 1]), reach)

    def level(self, boxes, pool_size, count):
        """int64 `(N,)`, 0 for the finest; see `mrcnn.roi_align.assign_levels`."""
        graph = self.graph
        _, sides = self.corners(boxes)
        area = graph("Max", graph("ReduceProd", sides, [-1], keepdims=0), 1e-6)
        level = graph("Mul", graph("Log", area), 0.5 / np.log(2.0))
        level = graph("Floor", graph("Sub", level, float(np.log2(pool_size)) + FINEST_LEVEL - 1e-5))
        return graph("Cast", graph("Clip", level, 0.0, count - 1.0), to=TensorProto.INT64)
