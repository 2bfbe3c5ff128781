"""Nodes of an ONNX graph, one after the other, as a function that is called with an operator and its inputs."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

OPSET = 18  # RoiAlign has half-pixel coordinates from 16 on
IR_VERSION = 10  # of the file; engines older than the installed `onnx` read it as well


class GraphBuilder:
    """Collects nodes and constants; a tensor is known by its name, a str.

    graph = GraphBuilder()
    total = graph("Add", "x", 1.0)

    Args:
        halves: bool. Whether weights are kept as float16 where that loses nothing. Defaults to `True`.
    """

    def __init__(self, halves=True):
        self._halves = halves
        self._nodes = []
        self._constants = {}  # from what a constant is to its TensorProto
        self._casts = {}  # from the name of stored weights to that of the same in float32

    def __call__(self, operator, *inputs, outputs=1, layer=None, **attributes):
        """Add a node.

        Args:
            operator: str. Its name in ONNX.
            *inputs: names of tensors, or numbers and arrays, which become constants; `None` where an optional one is
                left out.
            outputs: int. How many tensors it gives. Defaults to 1.
            layer: str or `None`. The layer that the node belongs to, with which its name begins. Defaults to `None`.
            **attributes: of the operator.

        Returns:
            str, the name of what it gives; a list of them if these are several.
        """
        inputs = [self._name(value) for value in inputs]
        names = [f"{operator}_{len(self._nodes)}_{number}" for number in range(outputs)]
        name = f"{layer}/{names[0][:-2]}" if layer else names[0][:-2]
        self._nodes.append(helper.make_node(operator, inputs, names, name=name, **attributes))
        return names if outputs > 1 else names[0]

    def _name(self, value):
        if value is None:
            return ""
        return value if isinstance(value, str) else self.constant(value)

    def constant(self, value):
        """The name of a constant: floats as float32, integers as int64. Equal ones are stored once."""
        value = np.asarray(value)
        value = value.astype(np.float32 if value.dtype.kind == "f" else np.int64)
        return self._stored(value, "constant")

    def _stored(self, value, kind):
        key = value.dtype.str, value.shape, value.tobytes()
        if key not in self._constants:
            self._constants[key] = numpy_helper.from_array(value, f"{kind}_{len(self._constants)}")
        return self._constants[key].name

    def weights(self, values):
        """The name of weights, kept as float16 where that loses nothing: all that come from an npz of this project.

        A Cast makes them float32 again. Engines fold it when they load the file, so it costs half of the file's size
        nothing but that.
        """
        values = np.ascontiguousarray(values, np.float32)
        with np.errstate(over="ignore"):
            halves = values.astype(np.float16)
        if not self._halves or not np.array_equal(halves.astype(np.float32), values):
            return self.constant(values)
        name = self._stored(halves, "weights")
        if name not in self._casts:
            self._casts[name] = self("Cast", name, to=TensorProto.FLOAT)
        return self._casts[name]

    def model(self, inputs, outputs, name):
        """The `onnx.ModelProto` of all nodes.

        Args:
            inputs: dict from a name to `(dtype, shape)`; a str in the shape stands for any length.
            outputs: dict from a name to `(tensor, dtype, shape)`.
            name: str. Of the graph.
        """
        renamed = [helper.make_node("Identity", [tensor], [name]) for name, (tensor, _, _) in outputs.items()]
        graph = helper.make_graph(
            [*self._nodes, *renamed],
            name,
            [_value(name, *kind) for name, kind in inputs.items()],
            [_value(name, *kind) for name, (_, *kind) in outputs.items()],
            list(self._constants.values()),
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def _value(name, dtype, shape):
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape)
