"""The ONNX file of the sagittal model and its manifest."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn

from dashboard.study.sagittal import SAGITTAL_CLASSES
from models.training.export import CONTRACT, LICENCE, OPSET, Source, write_folder
from models.training.sagittal.labels import CLIP_HIGH, PERCENTILES, PIXEL_MM
from models.training.sagittal.network import CHANNELS

VERSION = "1.4.0"
MULTIPLE_PX = 32
LEAST_HALVED = 256


class _Probabilities(nn.Module):
    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, slices: Tensor) -> Tensor:
        return torch.softmax(self.net(slices), 1)


def sagittal_onnx(net: nn.Module, version: str = VERSION) -> bytes:
    """The file: free number of planes, rows and columns, and nothing of this machine inside."""
    wrapped = _Probabilities(net).eval().to(memory_format=torch.contiguous_format)
    buffer = io.BytesIO()
    torch.onnx.export(
        wrapped,
        (torch.zeros(2, CHANNELS, 64, 96),),
        buffer,
        input_names=["slices"],
        output_names=["segmentation"],
        opset_version=OPSET,
        dynamo=False,
        dynamic_axes={name: {0: "N", 2: "rows", 3: "columns"} for name in ("slices", "segmentation")},
    )
    model = onnx.load_from_string(buffer.getvalue())
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    del model.metadata_props[:]
    model.producer_name, model.producer_version, model.doc_string = "models.training", version, ""
    model.model_version = int(version.split(".")[0])
    _halve(model)
    for key, value in (("name", "sagittal"), ("version", version), ("pixel_mm", str(PIXEL_MM)), ("licence", LICENCE)):
        model.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _halve(model: onnx.ModelProto) -> None:
    """Store the weights with 16 bits, which the runtime widens once when it opens the file: half the size."""
    graph = model.graph
    casts = []
    for weights in graph.initializer:
        values = numpy_helper.to_array(weights)
        if values.dtype != np.float32 or values.size < LEAST_HALVED:
            continue
        name = weights.name
        weights.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def average(first: bytes, second: bytes, kept: float = 0.5, version: str = VERSION) -> bytes:
    """The file whose weights lie between those of two files of this network, the second trained on from the first.

    ``kept`` is the share of the first.

    Raises
    ------
    ValueError
        The files are not of the same network.
    """
    mean, other = onnx.load_from_string(first), onnx.load_from_string(second)
    beside = {weights.name: numpy_helper.to_array(weights) for weights in other.graph.initializer}
    for weights in mean.graph.initializer:
        values = numpy_helper.to_array(weights)
        if weights.name not in beside or beside[weights.name].shape != values.shape:
            raise ValueError(f"the files are not of one network: {weights.name} differs")
        if values.dtype.kind == "f":
            both = kept * values.astype(np.float64) + (1 - kept) * beside[weights.name]
            weights.CopyFrom(numpy_helper.from_array(both.astype(values.dtype), weights.name))
    mean.producer_version = version
    next(one for one in mean.metadata_props if one.key == "version").value = version
    onnx.checker.check_model(mean)
    return bytes(mean.SerializeToString())


def write_sagittal(content: bytes, out: Path, source: Source) -> None:
    """Write ``model.onnx`` and ``manifest.toml``."""
    classes = ", ".join(f'"{name}"' for name in SAGITTAL_CLASSES)
    lines = [
        'name = "sagittal"',
        f'version = "{VERSION}"',
        f"contract = {CONTRACT}",
        'file = "model.onnx"',
        f'sha256 = "{hashlib.sha256(content).hexdigest()}"',
        f'licence = "{LICENCE}"',
        "",
        "[input]",
        'name = "slices"',
        f"channels = {CHANNELS}",
        f"pixel_mm = {PIXEL_MM}",
        f"multiple_px = {MULTIPLE_PX}",
        'normalisation = "series_nonzero"',
        f"percentiles = [{PERCENTILES[0]}, {PERCENTILES[1]}]",
        f"clip_high = {CLIP_HIGH}",
        'planes = "right_to_left"',
        'rows = "head_to_foot"',
        'columns = "anterior_to_posterior"',
        "",
        "[output]",
        f"segmentation = [{classes}]",
        "",
    ]
    write_folder(out, content, lines, source)
