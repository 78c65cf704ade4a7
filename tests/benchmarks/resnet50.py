"""ResNet-50 (He 2016) as an ONNX graph with random weights: the yardstick for the time a slice may take."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE = 224
# (blocks, width) of the four stages; a block's output has four times its width.
STAGES = ((3, 64), (4, 128), (6, 256), (3, 512))


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.random = np.random.default_rng(0)

    def add(self, kind: str, *inputs: str, **attributes: object) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, *shape: int) -> str:
        name = f"w{len(self.weights)}"
        scale = np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 1 else 0.0
        self.weights.append(numpy_helper.from_array((self.random.normal(size=shape) * scale).astype(np.float32), name))
        return name

    def conv(self, value: str, given: int, made: int, kernel: int, stride: int = 1) -> str:
        pads = [kernel // 2] * 4
        weight, bias = self.constant(made, given, kernel, kernel), self.constant(made)
        return self.add("Conv", value, weight, bias, pads=pads, strides=[stride] * 2, kernel_shape=[kernel] * 2)

    def block(self, value: str, given: int, width: int, stride: int) -> str:
        inner = self.add("Relu", self.conv(value, given, width, 1))
        inner = self.add("Relu", self.conv(inner, width, width, 3, stride))
        inner = self.conv(inner, width, 4 * width, 1)
        if stride > 1 or given != 4 * width:
            value = self.conv(value, given, 4 * width, 1, stride)
        return self.add("Relu", self.add("Add", inner, value))


def resnet50() -> bytes:
    """The serialised graph, batch normalisation folded into the convolutions: input (N, 3, 224, 224)."""
    graph = _Graph()
    value = graph.add("Relu", graph.conv("image", 3, 64, 7, 2))
    value, given = graph.add("MaxPool", value, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4), 64
    for stage, (blocks, width) in enumerate(STAGES):
        for block in range(blocks):
            value = graph.block(value, given, width, 2 if stage and not block else 1)
            given = 4 * width
    value = graph.add("Flatten", graph.add("GlobalAveragePool", value))
    value = graph.add("Gemm", value, graph.constant(1000, 2048), graph.constant(1000), transB=1)
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, SIZE, SIZE])
    output = helper.make_tensor_value_info(value, TensorProto.FLOAT, ["N", 1000])
    made = helper.make_graph(graph.nodes, "resnet50", [image], [output], graph.weights)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
