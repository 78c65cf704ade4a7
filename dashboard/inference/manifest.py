"""manifest.toml: what a model folder says about its file, checked against what this software can use."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboard.errors import ModelError
from dashboard.inference.preprocessing import CLIP_HIGH
from dashboard.study import GRADES, LABELS, SCENES
from dashboard.study.sagittal import SAGITTAL_CLASSES

# Raised whenever the meaning of a model's input or output changes.
CONTRACT = 1
MANIFEST_NAME = "manifest.toml"
STEPS = len(GRADES) - 1


@dataclass(frozen=True)
class Contract:
    """What one kind of model must take and give.

    `outputs` names each output of the graph with its shape after the batch axis, None where it may be any length;
    `labels` the words each stands for. Pictures are squares of `size_px`; 0 where rows and columns are free, as many
    as `multiple_px` divides. `rows` and `columns` say which way they run, `channels` how many planes a picture holds.
    """

    name: str
    pixel_mm: float
    size_px: int
    normalisation: str
    percentiles: tuple[float, float]
    outputs: Mapping[str, tuple[int | None, ...]]
    labels: Mapping[str, tuple[str, ...]]
    calibrated: bool
    rows: str = "anterior_to_posterior"
    columns: str = "right_to_left"
    channels: int = 1
    multiple_px: int = 1

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """Shape of a picture, None where it may be any length."""
        side = self.size_px or None
        return (self.channels, side, side)


CANAL = Contract(
    name="canal",
    pixel_mm=2.0,
    size_px=96,
    normalisation="series_nonzero",
    percentiles=(1.0, 99.0),
    outputs={"heatmap": (1, 96, 96)},
    labels={"heatmap": ("canal",)},
    calibrated=False,
)
COMPRESSION = Contract(
    name="compression",
    pixel_mm=0.5,
    size_px=96,
    normalisation="series_crops",
    percentiles=(2.0, 98.0),
    outputs={"segmentation": (len(LABELS), 96, 96), "ordinal": (STEPS,), "scene": (len(SCENES),)},
    labels={"segmentation": LABELS, "ordinal": GRADES[1:], "scene": SCENES},
    calibrated=True,
)
# Sagittal planes, each between the planes to its right and left; the net halves a picture five times.
SAGITTAL = Contract(
    name="sagittal",
    pixel_mm=0.8,
    size_px=0,
    normalisation="series_nonzero",
    percentiles=(1.0, 99.0),
    outputs={"segmentation": (len(SAGITTAL_CLASSES), None, None)},
    labels={"segmentation": SAGITTAL_CLASSES},
    calibrated=False,
    rows="head_to_foot",
    columns="anterior_to_posterior",
    channels=3,
    multiple_px=32,
)


@dataclass(frozen=True)
class Calibration:
    """``P(>= k) = sigmoid(scale[k] * logit[k] + offset[k])``; scene logits are divided by `scene_temperature`."""

    scale: tuple[float, ...] = (1.0,) * STEPS
    offset: tuple[float, ...] = (0.0,) * STEPS
    scene_temperature: float = 1.0


@dataclass(frozen=True)
class Manifest:
    """One model folder. `thresholds` are handed on to grading as they stand: numbers or lists of numbers."""

    contract: Contract
    version: str
    path: Path
    sha256: str
    licence: str
    calibration: Calibration
    thresholds: Mapping[str, float | tuple[float, ...]]

    @property
    def name(self) -> str:
        """Name of the model, that of its folder."""
        return self.contract.name

    def threshold(self, key: str, default: float) -> float:
        """One threshold that is a single number.

        Raises
        ------
        ModelError
            The manifest gives a list for it.
        """
        value = self.thresholds.get(key, default)
        if isinstance(value, tuple):
            raise ModelError(f"Model {self.name}: thresholds.{key} in {MANIFEST_NAME} must be one number.")
        return value


def read_manifest(folder: Path, contract: Contract) -> Manifest:
    """Read ``folder/manifest.toml`` and compare it with the contract.

    Raises
    ------
    ModelError
        The file is missing, is no TOML, or an entry is missing or differs; the message names it.
    """
    path = folder / MANIFEST_NAME
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise ModelError(f"Model {contract.name}: {MANIFEST_NAME} cannot be read; restore its folder.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise ModelError(f"Model {contract.name}: {MANIFEST_NAME} is not valid TOML; restore its folder.") from None
    reader = _Reader(contract.name, document)
    reader.expect("name", contract.name)
    reader.expect("contract", CONTRACT)
    _check_input(reader, contract)
    for output, labels in contract.labels.items():
        reader.expect(f"output.{output}", list(labels))
    file = reader.text("file")
    if Path(file).name != file:
        raise reader.error("file", "must be a plain file name")
    sha256 = reader.text("sha256").lower()
    if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
        raise reader.error("sha256", "must be 64 hexadecimal digits")
    return Manifest(
        contract=contract,
        version=reader.text("version"),
        path=folder / file,
        sha256=sha256,
        licence=reader.text("licence"),
        calibration=_calibration(reader) if contract.calibrated else Calibration(),
        thresholds=_thresholds(reader),
    )


class _Reader:
    """Dotted access to a manifest, with the model's name in every message."""

    def __init__(self, model: str, document: Mapping[str, Any]) -> None:
        self.model, self.document = model, document

    def error(self, key: str, problem: str) -> ModelError:
        return ModelError(f"Model {self.model}: {key} in {MANIFEST_NAME} {problem}.")

    def get(self, key: str) -> Any:
        value: Any = self.document
        for part in key.split("."):
            if not isinstance(value, Mapping) or part not in value:
                raise self.error(key, "is missing")
            value = value[part]
        return value

    def expect(self, key: str, wanted: object) -> None:
        found = self.get(key)
        if found != wanted:
            raise self.error(key, f"is {found!r}, this software needs {wanted!r}")

    def text(self, key: str) -> str:
        value = self.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, "must be text")
        return value.strip()

    def numbers(self, key: str, count: int) -> tuple[float, ...]:
        value = self.get(key)
        if not isinstance(value, list) or len(value) != count or not all(_is_number(v) for v in value):
            raise self.error(key, f"must hold {count} finite numbers")
        return tuple(float(v) for v in value)


def _check_input(reader: _Reader, contract: Contract) -> None:
    reader.expect("input.name", "slices")
    reader.expect("input.pixel_mm", contract.pixel_mm)
    if contract.size_px:
        reader.expect("input.size_px", contract.size_px)
    else:
        reader.expect("input.channels", contract.channels)
        reader.expect("input.planes", "right_to_left")
        reader.expect("input.multiple_px", contract.multiple_px)
    reader.expect("input.normalisation", contract.normalisation)
    reader.expect("input.percentiles", list(contract.percentiles))
    reader.expect("input.clip_high", CLIP_HIGH)
    reader.expect("input.rows", contract.rows)
    reader.expect("input.columns", contract.columns)


def _calibration(reader: _Reader) -> Calibration:
    scale = reader.numbers("calibration.scale", STEPS)
    if min(scale) <= 0:
        raise reader.error("calibration.scale", "must be above 0")
    temperature = reader.get("calibration.scene_temperature")
    if not _is_number(temperature) or temperature <= 0:
        raise reader.error("calibration.scene_temperature", "must be a number above 0")
    return Calibration(scale, reader.numbers("calibration.offset", STEPS), float(temperature))


def _thresholds(reader: _Reader) -> Mapping[str, float | tuple[float, ...]]:
    table = reader.document.get("thresholds", {})
    thresholds: dict[str, float | tuple[float, ...]] = {}
    for key, value in table.items() if isinstance(table, Mapping) else ():
        if _is_number(value):
            thresholds[key] = float(value)
        elif isinstance(value, list):
            thresholds[key] = reader.numbers(f"thresholds.{key}", len(value))
        else:
            raise reader.error(f"thresholds.{key}", "must be a number or a list of numbers")
    return thresholds


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
