"""ONNX files and their manifests."""

from __future__ import annotations

import hashlib
import io
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from dashboard.inference import load_models
from models.training.calibration import Calibration, Outputs, drawn_outputs, fit_calibration, series_outputs
from models.training.labels import (
    CANAL_PERCENTILES,
    CANAL_PIXEL_MM,
    CLIP_HIGH,
    COMPRESSION_PERCENTILES,
    COMPRESSION_PIXEL_MM,
    GRADES,
    SCENES,
    SEGMENTATION,
    SIZE_PX,
)
from models.training.network import CanalNet, CompressionNet, shares
from models.training.site_model import toml_value

VERSION = "1.4.2"
CONTRACT = 1
LICENCE = "Apache-2.0"
OPSET = 18
MAX_BYTES = 5_000_000
# Stands in a manifest while the calibration is being fitted.
IDENTITY = Calibration([1.0] * 5, [0.0] * 5, 1.0, 0.5, [0.5] * 5)


class _Compression(nn.Module):
    def __init__(self, net: CompressionNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, slices: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        masks, ordinal, scene, _ = self.net(slices)
        return shares(masks), ordinal, scene


class _Canal(nn.Module):
    def __init__(self, net: CanalNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, slices: Tensor) -> Tensor:
        return torch.sigmoid(self.net(slices))


@dataclass(frozen=True, slots=True)
class Source:
    """Where weights came from. Only the kind of data is written down, never the folder.

    ``start`` is the file that was trained on from, by a command with ``start_options``; ``note`` a sentence for the
    manifest; ``weights`` the provenance of weights that stay, where only the calibration is new.
    """

    seed: int
    samples: int
    folder: Path | None
    note: str = ""
    program: str = "models.training.train"
    options: str = "--data FOLDER"
    start: bytes | None = None
    start_options: str = "--only compression --start FILE"
    weights: Mapping[str, Any] | None = None

    @property
    def data(self) -> str:
        """The data in words."""
        if self.folder is None:
            return "generator alone"
        return "generator and public volumes (training split, models/training/README.md)"

    @property
    def command(self) -> str:
        """The command that makes such weights again."""
        more = f" {self.start_options}" if self.start else ""
        return f"python -m {self.program}{f' {self.options}' if self.folder else ''} --seed {self.seed}{more}"

    @property
    def lines(self) -> list[str]:
        """What the manifest adds: the file that was trained on from, and the note."""
        out = []
        if self.start is not None:
            version = {p.key: p.value for p in onnx.load_from_string(self.start).metadata_props}.get("version", "?")
            out.append(f'started_from = "model.onnx {version}, sha256 {hashlib.sha256(self.start).hexdigest()}"')
        return [*out, *([f'note = "{self.note}"'] if self.note else [])]


def to_onnx(net: nn.Module, outputs: list[str], metadata: dict[str, str]) -> bytes:
    """Export with a free batch size, and nothing of this machine inside."""
    net.eval().to(memory_format=torch.contiguous_format)
    buffer = io.BytesIO()
    example = torch.zeros(2, 1, SIZE_PX, SIZE_PX)
    torch.onnx.export(
        net,
        (example,),
        buffer,
        input_names=["slices"],
        output_names=outputs,
        opset_version=OPSET,
        dynamo=False,
        dynamic_axes={name: {0: "N"} for name in ["slices", *outputs]},
    )
    model = onnx.load_from_string(buffer.getvalue())
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    del model.metadata_props[:]
    model.producer_name, model.producer_version, model.doc_string = "models.training", VERSION, ""
    model.model_version = int(VERSION.split(".")[0])
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model)
    content = model.SerializeToString()
    if len(content) > MAX_BYTES:
        raise ValueError(
            f"the exported file has {len(content)} bytes, at most {MAX_BYTES} are allowed: make the net smaller"
        )
    return content


def _metadata(name: str, pixel_mm: float, normalisation: str, labels: str, version: str = VERSION) -> dict[str, str]:
    return {
        "name": name,
        "version": version,
        "pixel_mm": str(pixel_mm),
        "size_px": str(SIZE_PX),
        "normalisation": normalisation,
        "labels": labels,
        "licence": LICENCE,
    }


def export_canal(net: CanalNet, out: Path, source: Source) -> None:
    """Write ``model.onnx`` and ``manifest.toml`` of the localiser."""
    content = to_onnx(_Canal(net), ["heatmap"], _metadata("canal", CANAL_PIXEL_MM, "series_nonzero", "canal"))
    lines = _head("canal", content)
    lines += _input(CANAL_PIXEL_MM, "series_nonzero", CANAL_PERCENTILES)
    lines += ["[output]", 'heatmap = ["canal"]', "", "[thresholds]", "canal_min = 0.3", ""]
    write_folder(out, content, lines, source)


def compression_onnx(net: CompressionNet, version: str = VERSION) -> bytes:
    """The file of the compression model."""
    labels = "; ".join((",".join(SEGMENTATION), ",".join(GRADES[1:]), ",".join(SCENES)))
    metadata = _metadata("compression", COMPRESSION_PIXEL_MM, "series_crops", labels, version)
    return to_onnx(_Compression(net), ["segmentation", "ordinal", "scene"], metadata)


def export_compression(net: CompressionNet, out: Path, source: Source, *, smoke: bool = False) -> None:
    """Calibrate on slices apart from training, then write ``model.onnx`` and ``manifest.toml``.

    With a folder of volumes whole series are looked at for it, which takes the localiser in ``canal`` beside `out`.
    """
    _calibrated(compression_onnx(net), out, source, smoke=smoke)


def recalibrate_compression(out: Path, source: Source, *, smoke: bool = False) -> None:
    """Fit the calibration of the model in ``out`` anew, as this version of the dashboard measures; the weights stay."""
    model = onnx.load(out / "model.onnx")
    model.producer_version = VERSION
    for key in model.metadata_props:
        if key.key == "version":
            key.value = VERSION
    weights = tomllib.loads((out / "manifest.toml").read_text(encoding="utf-8"))["provenance"]
    _calibrated(model.SerializeToString(), out, replace(source, weights=weights), smoke=smoke)


def _calibrated(content: bytes, out: Path, source: Source, *, smoke: bool) -> None:
    found = [drawn_outputs(content, source.folder, source.seed, 60 if smoke else 2000)]
    if source.folder is not None:
        # Elsewhere, so that nobody who stops it half way is left with probabilities that mean nothing.
        with TemporaryDirectory() as scratch:
            shutil.copytree(out.parent / "canal", Path(scratch) / "canal")
            lines = _compression_lines(content, IDENTITY, 0, real=False)
            write_folder(Path(scratch) / "compression", content, lines, source)
            models = load_models(Path(scratch), threads=1)
        found.append(series_outputs(source.folder, models, source.seed, rounds=1 if smoke else 48))
    calibration = fit_calibration(Outputs.join(found))
    count = sum(int((f.ranks >= 0).sum()) for f in found)
    write_folder(out, content, _compression_lines(content, calibration, count, real=len(found) > 1), source)


def _compression_lines(content: bytes, calibration: Calibration, count: int, *, real: bool) -> list[str]:
    lines = _head("compression", content)
    lines += _input(COMPRESSION_PIXEL_MM, "series_crops", COMPRESSION_PERCENTILES)
    lines += ["[output]", f"segmentation = {_texts(SEGMENTATION)}", f"ordinal = {_texts(GRADES[1:])}"]
    lines += [f"scene = {_texts(SCENES)}", ""]
    return lines + _calibration(calibration, count, real)


def _texts(words: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{w}"' for w in words) + "]"


def _head(name: str, content: bytes) -> list[str]:
    return [
        f'name = "{name}"',
        f'version = "{VERSION}"',
        f"contract = {CONTRACT}",
        'file = "model.onnx"',
        f'sha256 = "{hashlib.sha256(content).hexdigest()}"',
        f'licence = "{LICENCE}"',
        "",
    ]


def _input(pixel_mm: float, normalisation: str, percentiles: tuple[float, float]) -> list[str]:
    return [
        "[input]",
        'name = "slices"',
        f"pixel_mm = {pixel_mm}",
        f"size_px = {SIZE_PX}",
        f'normalisation = "{normalisation}"',
        f"percentiles = [{percentiles[0]}, {percentiles[1]}]",
        f"clip_high = {CLIP_HIGH}",
        'rows = "anterior_to_posterior"',
        'columns = "right_to_left"',
        "",
    ]


def _calibration(c: Calibration, count: int, real: bool) -> list[str]:
    source = "synthetic slices and slices of implanted series of the calibration people" if real else "synthetic slices"
    return [
        "[calibration]",
        'method = "platt"',
        f"scale = {c.scale}",
        f"offset = {c.offset}",
        f"scene_temperature = {c.scene_temperature}",
        f'fitted_on = "{count} {source}, apart from training and test"',
        "",
        "[thresholds]",
        f"gradable_min = {c.gradable_min}",
        f"grade_cut = {c.grade_cut}",
        f"narrowing_weight = {c.narrowing_weight}",
        f"change_weight = {c.change_weight}",
        "",
    ]


def write_folder(out: Path, content: bytes, lines: list[str], source: Source) -> None:
    """Write ``model.onnx``, and ``manifest.toml`` with where the weights came from under `lines`."""
    today = datetime.now(UTC).date().isoformat()
    if source.weights is None:
        made = [f'command = "{source.command}"', f"seed = {source.seed}", f"samples = {source.samples}"]
        made += [f'data = "{source.data}"', f"date = {today}", *source.lines]
    else:
        stated = {key: value for key, value in source.weights.items() if not key.startswith("calibrated_")}
        made = [f"{key} = {toml_value(value)}" for key, value in stated.items()]
        made += [f'calibrated_by = "{source.command} --recalibrate"', f"calibrated_on = {today}"]
    lines += ["[provenance]", *made, ""]
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.onnx").write_bytes(content)
    (out / "manifest.toml").write_text("\n".join(lines), encoding="utf-8")
