"""Tubes of known place in volumes of any orientation, and two tiny models that see them."""

import hashlib
from collections.abc import Callable
from itertools import permutations, product
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from dashboard.inference.finding_models import FINDINGS_NAME
from dashboard.settings import REPOSITORY
from dashboard.study import Acquisition, FrameReference, Role, Series, Volume

BACKGROUND, CSF, CORD = 100.0, 1000.0, 500.0
CORD_RADIUS_MM, SAC_RADIUS_MM = 4.0, 8.0
Curve = Callable[[np.ndarray], np.ndarray]


def straight(x=0.0, y=0.0, slope_x=0.0, slope_y=0.0) -> Curve:
    """Middle of a straight tube, (n, 2) LPS x and y at heights z (n)."""
    return lambda z: np.stack([x + slope_x * z, y + slope_y * z], axis=-1)


def paint(affine, shape, curve: Curve, slope=(0.0, 0.0), dtype=np.uint16) -> np.ndarray:
    """Voxels (slices, rows, columns) of a bright ring around a grey cord, borders one millimetre soft.

    `slope` is the tube's lean, dx/dz and dy/dz, by which distances across it are shortened.
    """
    index = np.stack([*np.mgrid[tuple(slice(0, n) for n in shape)], np.ones(shape)]).reshape(4, -1)
    points = (affine @ index)[:3]
    offset = points[:2].T - curve(points[2])
    lean = np.array([*slope, 1.0]) / np.sqrt(1 + slope[0] ** 2 + slope[1] ** 2)
    along = offset @ lean[:2]
    radius = np.sqrt(np.maximum(0, (offset**2).sum(axis=1) - along**2)).reshape(shape)
    sac, cord = (np.clip(r + 0.5 - radius, 0, 1) for r in (SAC_RADIUS_MM, CORD_RADIUS_MM))
    values = BACKGROUND + (CSF - BACKGROUND) * sac + (CORD - CSF) * cord
    return values.astype(dtype)


def volume(affine, shape, curve: Curve, slope=(0.0, 0.0), dtype=np.uint16) -> Volume:
    return wrap(paint(affine, shape, curve, slope, dtype), affine)


def wrap(voxels, affine) -> Volume:
    return Volume(voxels, np.asarray(affine, float), tuple(FrameReference(f"1.2.{k}") for k in range(len(voxels))))


def series(*volumes: Volume, role: Role = Role.AXIAL_T2) -> Series:
    return Series("1.2.3", 1, Acquisition(modality="MR"), role, tuple(volumes))


def axial_affine(spacing=(4.0, 0.5, 0.5), centre=(0.0, 0.0, 0.0), shape=(10, 200, 200), tilt_deg=0.0, turn_deg=0.0):
    """Slices from the foot up, rows to the back, columns to the left, tilted about x and turned about z."""
    directions = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]], float).T
    a, b = np.radians([tilt_deg, turn_deg])
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    return centred(about_x @ about_z @ directions, spacing, centre, shape)


def centred(directions, spacing, centre, shape):
    affine = np.eye(4)
    affine[:3, :3] = directions * np.array(spacing)
    affine[:3, 3] = np.array(centre) - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return affine


def reorder(stored: Volume, order, flips) -> Volume:
    """The same patient, stored with other axes: `order` of the old axes, each reversed or not."""
    voxels, affine = np.transpose(stored.voxels, order), stored.affine[:, [*order, 3]].copy()
    for axis, flip in enumerate(flips):
        if flip:
            affine[:3, 3] += affine[:3, axis] * (voxels.shape[axis] - 1)
            affine[:3, axis] *= -1
            voxels = np.flip(voxels, axis)
    return wrap(np.ascontiguousarray(voxels), affine)


ORDERS = [(order, flips) for order in permutations(range(3)) for flips in product((False, True), repeat=3)]


def canal_graph() -> onnx.ModelProto:
    """Heat where a bright disc of the sac's size stands on darker ground."""
    grid = np.hypot(*(np.mgrid[-7:8, -7:8] * 2.0))
    disc, ring = grid <= SAC_RADIUS_MM, (grid > SAC_RADIUS_MM + 1) & (grid <= 14)
    kernel = (30 * (disc / disc.sum() - ring / ring.sum())).astype(np.float32)[None, None]
    nodes = [
        helper.make_node("Conv", ["slices", "kernel", "bias"], ["raw"], pads=[7, 7, 7, 7]),
        helper.make_node("Sigmoid", ["raw"], ["heatmap"]),
    ]
    constants = {"kernel": kernel, "bias": np.array([-12], np.float32)}
    return _graph("canal", nodes, constants, {"heatmap": [1, 96, 96]})


def compression_graph(scene=(6.0, 0, 0, 0, 0)) -> onnx.ModelProto:
    """Classes by grey value; ordinal logits fall with the mean grey value."""
    levels, sharpness = np.array([0.0, 1.0, 0.444, 3.0, 5.0]), 60.0
    nodes = [
        helper.make_node("Conv", ["slices", "weights", "biases"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["segmentation"], axis=1),
        helper.make_node("GlobalAveragePool", ["slices"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("Gemm", ["flat", "slope", "intercept"], ["ordinal"]),
        helper.make_node("Gemm", ["flat", "nothing", "scenes"], ["scene"]),
    ]
    constants = {
        "weights": (2 * sharpness * levels).astype(np.float32).reshape(5, 1, 1, 1),
        "biases": (-sharpness * levels**2).astype(np.float32),
        "slope": np.full((1, 5), -2, np.float32),
        "intercept": np.array([0, -1, -2, -1.5, -3], np.float32),
        "nothing": np.zeros((1, 5), np.float32),
        "scenes": np.array(scene, np.float32),
    }
    return _graph("compression", nodes, constants, {"segmentation": [5, 96, 96], "ordinal": [5], "scene": [5]})


def sagittal_graph(levels=(0.0, 5.0, 6.0, 1.0, 0.444, 7.0, 8.0)) -> onnx.ModelProto:
    """Classes by the grey value of the middle plane, given in the order of the classes."""
    grey, sharpness = np.array(levels), 60.0
    weights = np.zeros((7, 3, 1, 1), np.float32)
    weights[:, 1, 0, 0] = 2 * sharpness * grey
    nodes = [
        helper.make_node("Conv", ["slices", "weights", "biases"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["segmentation"], axis=1),
    ]
    constants = {"weights": weights, "biases": (-sharpness * grey**2).astype(np.float32)}
    return _graph("sagittal", nodes, constants, {"segmentation": [7, "rows", "columns"]}, [3, "rows", "columns"])


def _graph(name, nodes, constants, outputs, taken=(1, 96, 96)) -> onnx.ModelProto:
    tensors = [numpy_helper.from_array(value, key) for key, value in constants.items()]
    slices = helper.make_tensor_value_info("slices", TensorProto.FLOAT, ["N", *taken])
    given = [helper.make_tensor_value_info(k, TensorProto.FLOAT, ["N", *shape]) for k, shape in outputs.items()]
    graph = helper.make_graph(nodes, name, [slices], given, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"name": name, "version": "0.0.1"})
    return model


INPUT = """
[input]
name = "slices"
pixel_mm = {pixel_mm}
size_px = 96
normalisation = "{normalisation}"
percentiles = {percentiles}
clip_high = 1.5
rows = "anterior_to_posterior"
columns = "right_to_left"
"""
CANAL_REST = """
[output]
heatmap = ["canal"]
[thresholds]
canal_min = 0.3
"""
COMPRESSION_REST = """
[output]
segmentation = ["other", "csf", "cord", "tumour", "bone"]
ordinal = ["1a", "1b", "1c", "2", "3"]
scene = ["gradable", "wrong_contrast", "no_cord", "wrong_geometry", "not_spine"]
[calibration]
scale = [1.0, 1.0, 1.0, 1.0, 1.0]
offset = [0.0, 0.0, 0.0, 0.0, 0.0]
scene_temperature = 1.0
[thresholds]
gradable_min = 0.5
grade_cut = [0.5, 0.5, 0.5, 0.5, 0.5]
"""
SAGITTAL_REST = """
[input]
name = "slices"
pixel_mm = 0.8
channels = 3
multiple_px = 32
planes = "right_to_left"
normalisation = "series_nonzero"
percentiles = [1.0, 99.0]
clip_high = 1.5
rows = "head_to_foot"
columns = "anterior_to_posterior"
[output]
segmentation = ["other", "vertebra", "disc", "canal", "cord", "lumbosacral_disc", "c2"]
"""


def write_model(folder: Path, model: onnx.ModelProto) -> Path:
    """A model folder with its manifest."""
    name = model.graph.name
    folder = folder / name
    folder.mkdir(parents=True)
    content = model.SerializeToString()
    (folder / "model.onnx").write_bytes(content)
    head = f'name = "{name}"\nversion = "0.0.1"\nfile = "model.onnx"\nlicence = "Apache-2.0"\ncontract = 1\n'
    head += f'sha256 = "{hashlib.sha256(content).hexdigest()}"\n'
    if name == "canal":
        rest = INPUT.format(pixel_mm=2.0, normalisation="series_nonzero", percentiles=[1.0, 99.0]) + CANAL_REST
    elif name == "sagittal":
        rest = SAGITTAL_REST
    else:
        rest = INPUT.format(pixel_mm=0.5, normalisation="series_crops", percentiles=[2.0, 98.0]) + COMPRESSION_REST
    (folder / "manifest.toml").write_text(head + rest)
    return folder


def write_models(folder: Path) -> Path:
    write_model(folder, canal_graph())
    write_model(folder, compression_graph())
    write_model(folder, sagittal_graph())
    (folder / "sagittal" / FINDINGS_NAME).write_bytes((REPOSITORY / "models" / "sagittal" / FINDINGS_NAME).read_bytes())
    return folder
