"""findings.toml: the small models behind findings, read and checked once like a manifest.

The file lies beside the sagittal model, whose masks and normalised signals its numbers belong to.
"""

import hashlib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboard.errors import ModelError
from dashboard.study.finding_models import FEATURES, STEPS_OF, FindingModel, SpineModels

FINDINGS_NAME = "findings.toml"
# Raised whenever the meaning of a feature changes.
CONTRACT = 1


@dataclass(frozen=True)
class FindingModels:
    """The fitted models and the sum of the file they came from, which a result cites."""

    models: SpineModels
    sha256: str


def read_finding_models(folder: Path) -> FindingModels:
    """Read ``folder/findings.toml``.

    Parameters
    ----------
    folder
        The sagittal model's folder.

    Raises
    ------
    ModelError
        The file is missing, is no TOML, or an entry is missing or does not fit this software; the message names it.
    """
    path = folder / FINDINGS_NAME
    try:
        content = path.read_bytes()
        document = tomllib.loads(content.decode("utf-8"))
    except OSError:
        raise ModelError(f"Model sagittal: {FINDINGS_NAME} cannot be read; restore its folder.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise ModelError(f"Model sagittal: {FINDINGS_NAME} is not valid TOML; restore its folder.") from None
    if document.get("contract") != CONTRACT:
        raise _error("contract", f"is {document.get('contract')!r}, this software needs {CONTRACT}")
    tables = document.get("findings")
    if not isinstance(tables, Mapping):
        raise _error("findings", "is missing")
    models = SpineModels(**{name: _model(name, tables.get(name)) for name in FEATURES})
    return FindingModels(models, hashlib.sha256(content).hexdigest())


def _model(name: str, table: object) -> FindingModel:
    where = f"findings.{name}"
    if not isinstance(table, Mapping):
        raise _error(where, "is missing")
    features = FEATURES[name]
    if table.get("features") != list(features):
        raise _error(f"{where}.features", f"is {table.get('features')!r}, this software needs {list(features)!r}")
    count = len(features)
    spread = _numbers(table, where, "spread", count)
    offsets = _numbers(table, where, "offsets", STEPS_OF[name])
    if min(spread) <= 0:
        raise _error(f"{where}.spread", "must be above 0")
    if list(offsets) != sorted(offsets, reverse=True):
        raise _error(f"{where}.offsets", "must not rise")
    scale, cut = _number(table, where, "scale"), _number(table, where, "cut")
    if scale <= 0:
        raise _error(f"{where}.scale", "must be above 0")
    if not 0 < cut < 1:
        raise _error(f"{where}.cut", "must lie between 0 and 1")
    return FindingModel(
        features=features,
        centre=_numbers(table, where, "centre", count),
        spread=spread,
        weights=_numbers(table, where, "weights", count),
        offsets=offsets,
        scale=scale,
        shift=_number(table, where, "shift"),
        cut=cut,
    )


def _numbers(table: Mapping[str, Any], where: str, key: str, count: int) -> tuple[float, ...]:
    value = table.get(key)
    if not isinstance(value, list) or len(value) != count or not all(_is_number(one) for one in value):
        raise _error(f"{where}.{key}", f"must hold {count} finite numbers")
    return tuple(float(one) for one in value)


def _number(table: Mapping[str, Any], where: str, key: str) -> float:
    value = table.get(key)
    if not _is_number(value):
        raise _error(f"{where}.{key}", "must be a finite number")
    return float(value)  # type: ignore[arg-type]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _error(key: str, problem: str) -> ModelError:
    return ModelError(f"Model sagittal: {key} in {FINDINGS_NAME} {problem}.")
