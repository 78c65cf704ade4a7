"""Cord Dice in the native grid, whole slice in, and how far the localiser's centre lies from the canal's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from dashboard.inference import Models
from dashboard.inference.localisation import localise
from dashboard.inference.planes import stack_plane
from dashboard.inference.preprocessing import nonzero_window
from dashboard.study import LABELS
from models.training.cases import CERVICAL, OTHER_CORDS, T2_CORDS, T2STAR_CORDS, TUNING_CORDS, canonical, image_path
from models.training.evaluation.series import as_series, predict
from models.training.labels import CANAL_PERCENTILES
from models.training.statistics import bootstrap, dice, entry
from models.training.volumes import CANAL_VALUE, spider_split

_CORD = LABELS.index("cord")
_LEAST_CORD_MM2 = 25.0
_FAR_MM = 8.0


def cord_figures(folder: Path, models: Models) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """Dice a masked volume, and the localiser's distances (mm) by volume."""
    rng = np.random.default_rng(3)
    figures, distances = [], {}
    for name in T2_CORDS + T2STAR_CORDS + OTHER_CORDS:
        images, spacing = canonical(image_path(folder, name))
        truth = canonical(folder / "cord" / name / "cord.nii.gz")[0] > 0.5
        found = predict(models, images, spacing).native_labels[0] == _CORD
        area = truth.sum((1, 2)) * spacing[1] * spacing[2]
        rows = np.flatnonzero(area > _LEAST_CORD_MM2)
        by_slice = np.array([dice(truth[i], found[i]) for i in rows])
        split = "tuning" if name in TUNING_CORDS else "test"
        contrast = "T1" if name in OTHER_CORDS else "T2" if name in T2_CORDS else "T2*"
        counts = {
            "truth": truth[rows].sum((1, 2)),
            "found": found[rows].sum((1, 2)),
            "both": (truth & found)[rows].sum((1, 2)),
        }
        value, ci = bootstrap(
            counts, rows, lambda t: float(2 * t["both"].sum() / max(1, (t["truth"] + t["found"]).sum())), rng
        )
        extra = {
            "volume": name,
            "contrast": contrast,
            "ci_unit": "slices",
            "whole_volume": round(dice(truth, found), 4),
        }
        figures.append(entry("cord_dice_3d", split, len(rows), 1, value, ci, **extra))
        figures.append(_whole_volume(truth, found, split, name, contrast))
        worst = float(by_slice.min())
        figures.append(
            entry("cord_dice_worst_slice", split, len(rows), 1, worst, [None, None], volume=name, contrast=contrast)
        )
        distances[name] = _distances(models, images, spacing, truth, rows)
    return figures, distances


def _whole_volume(truth: np.ndarray, found: np.ndarray, split: str, name: str, contrast: str) -> dict[str, Any]:
    """Dice over every slice of a volume, those without a cord in truth too; what was outlined there counts against."""
    counts = {"truth": truth.sum((1, 2)), "found": found.sum((1, 2)), "both": (truth & found).sum((1, 2))}
    value, ci = bootstrap(
        counts,
        np.arange(len(truth)),
        lambda t: float(2 * t["both"].sum() / max(1, (t["truth"] + t["found"]).sum())),
        np.random.default_rng(4),
    )
    about = {"volume": name, "contrast": contrast, "region": CERVICAL, "ci_unit": "slices"}
    return entry("cord_dice_whole_volume", split, len(truth), 1, value, ci, **about)


def _distances(
    models: Models, images: np.ndarray, spacing: tuple[float, float, float], truth: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    """In-plane distance of the localiser's centre from the mask's, mm, of the given slices."""
    volume = as_series(images, spacing).volumes[0]
    planes = [stack_plane(volume, 0, i) for i in range(len(images))]
    points = localise(planes, nonzero_window([images], *CANAL_PERCENTILES), models.canal, 1)
    out = []
    for i in rows:
        row, column = ndimage.center_of_mass(truth[i])
        out.append(np.hypot(points[i].centre_mm[1] - row * spacing[1], points[i].centre_mm[0] - column * spacing[2]))
    return np.array(out)


def localisation_figures(
    folder: Path, models: Models, distances: dict[str, np.ndarray], rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Error of the canal's centre in mm: to the cord's centre (cervical) and the canal's (lumbar test people)."""
    figures = []
    for name, values in distances.items():
        split = "tuning" if name in TUNING_CORDS else "test"
        figures += _error(values, np.arange(len(values)), split, f"cord/{name}", 1, rng)
    found_by_person: list[np.ndarray] = []
    people: list[str] = []
    for person in spider_split(folder)["test"]:
        images, spacing = canonical(folder / "spider" / f"{person}_t2.nii.gz")
        mask, _ = canonical(folder / "spider" / f"{person}_mask.nii.gz")
        step = round(4.0 / spacing[0])
        images, mask = images[::step], mask[::step] == CANAL_VALUE
        rows = np.flatnonzero(mask.sum((1, 2)) * spacing[1] * spacing[2] > 40)
        found = _distances(models, images, (spacing[0] * step, *spacing[1:]), mask, rows)
        found_by_person.append(found)
        people += [person] * len(found)
    figures += _error(
        np.concatenate(found_by_person),
        np.array(people),
        "test",
        "lumbar axial reformats, 23 mm wide",
        len(found_by_person),
        rng,
    )
    return figures


def _error(
    values: np.ndarray, units: np.ndarray, split: str, where: str, people: int, rng: np.random.Generator
) -> list[dict[str, Any]]:
    table = {"mm": values}
    median, ci = bootstrap(table, units, lambda t: float(np.median(t["mm"])), rng)
    far, far_ci = bootstrap(table, units, lambda t: float((t["mm"] > _FAR_MM).mean()), rng)
    extra = {"where": where, "ci_unit": "people" if people > 1 else "slices"}
    return [
        entry("localisation_error_median_mm", split, len(values), people, median, ci, **extra),
        entry("localisation_farther_than_8_mm", split, len(values), people, far, far_ci, **extra),
    ]
