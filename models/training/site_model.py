"""The model that a site starts from, and the folder that it gets."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from dashboard.errors import ModelError
from dashboard.grading import thresholds_from
from dashboard.inference.manifest import COMPRESSION, read_manifest
from models.training.calibration import Calibration

# As a result cites it: 1.0.0+site.20260314 is 1.0.0 adapted to a site on that day.
_MARK = "+site."


@dataclass(frozen=True, slots=True)
class Base:
    """The compression model to adapt: its file, its manifest as written and its calibration."""

    content: bytes
    document: Mapping[str, Any]
    calibration: Calibration
    version: str
    sha256: str


def read_base(folder: Path) -> Base:
    """Open ``models/compression`` or a folder like it.

    Raises
    ------
    ModelError
        The folder is incomplete, altered or of another version of this software.
    """
    manifest = read_manifest(folder, COMPRESSION)
    try:
        content = manifest.path.read_bytes()
    except OSError:
        raise ModelError(f"Model compression: {manifest.path.name} is missing; restore the model folder.") from None
    if hashlib.sha256(content).hexdigest() != manifest.sha256:
        raise ModelError("Model compression: the file is not the one its manifest names; restore the model folder.")
    stated, cuts = manifest.calibration, thresholds_from(manifest.thresholds)
    calibration = Calibration(
        scale=list(stated.scale),
        offset=list(stated.offset),
        scene_temperature=stated.scene_temperature,
        gradable_min=cuts.gradable_min,
        grade_cut=list(cuts.grade_cut),
        narrowing_weight=list(cuts.narrowing_weight),
        change_weight=list(cuts.change_weight),
    )
    document = tomllib.loads((folder / "manifest.toml").read_text(encoding="utf-8"))
    return Base(content, document, calibration, manifest.version, manifest.sha256)


def site_version(version: str, today: date) -> str:
    """Version of a model adapted today; adapting again replaces the mark."""
    return f"{version.split('+')[0]}{_MARK}{today:%Y%m%d}"


def write_folder(folder: Path, content: bytes, manifest: Mapping[str, Any], evaluation: Mapping[str, Any]) -> None:
    """Write ``model.onnx``, ``manifest.toml`` and ``evaluation.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(content)
    (folder / "manifest.toml").write_text("\n".join(_toml(manifest)).lstrip() + "\n", encoding="utf-8")
    (folder / "evaluation.json").write_text(json.dumps(evaluation, indent=1) + "\n", encoding="utf-8")


def site_manifest(
    base: Base, content: bytes, calibration: Calibration, fitted_on: str, provenance: Mapping[str, Any]
) -> dict[str, Any]:
    """The base's manifest with another file, calibration and origin; input, output and thresholds stay."""
    stated = dict(base.document["calibration"])
    stated["scale"], stated["offset"] = calibration.scale, calibration.offset
    stated["scene_temperature"] = calibration.scene_temperature
    stated["fitted_on"] = fitted_on
    return {
        **base.document,
        "version": site_version(base.version, provenance["date"]),
        "file": "model.onnx",
        "sha256": hashlib.sha256(content).hexdigest(),
        "calibration": stated,
        "provenance": dict(provenance),
    }


def _toml(table: Mapping[str, Any], name: str = "") -> Iterator[str]:
    """Lines of a table: its values, then its tables."""
    if name:
        yield f"\n[{name}]"
    for key, value in table.items():
        if not isinstance(value, Mapping):
            yield f"{key} = {toml_value(value)}"
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _toml(value, f"{name}.{key}" if name else key)


def toml_value(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    # Text, numbers and truth are written alike in TOML and JSON.
    return json.dumps(value, ensure_ascii=False)
