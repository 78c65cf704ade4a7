"""A made-up spine seen from the side: its series, what would be outlined in it, and the result to match."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from dashboard.records import Records
from dashboard.study import Acquisition, FrameReference, Role, Series, Volume
from dashboard.study.phantom import (
    CODE,
    CORD_AP_MM,
    DISC_MM,
    SAC_AP_MM,
    VERTEBRA_MM,
    canal_centre,
    noisy,
    signal_of,
    tissue_at,
)
from dashboard.study.sagittal import SAGITTAL_CLASSES, SagittalPrediction
from tests.screens.site import SAGITTAL_UID, SPACE, add_result, document

SLICES, ROWS, COLUMNS, PIXEL_MM, STEP_MM = 7, 234, 150, 1.2, 4.0
# Vertebrae from head to foot; the phantom's vertebra about z = 0 is the sixth.
NAMES = ("T3", "T4", "T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12", "L1")
PITCH_MM = VERTEBRA_MM + DISC_MM
BODY_BEHIND_MM, HALF_DEPTH_MM = 22.5, 12.0
TISSUES = {"vertebra": ("marrow", "cortex"), "disc": ("disc",), "canal": ("csf",), "cord": ("cord",)}
NOTE = "level uncertain: neither C2 nor the sacrum is in view; counted from the first rib as a best guess"
BECAUSE = "not analysed: no axial T2 series was found"


def spinal_series() -> Series:
    """Sagittal slices through the phantom, head on top."""
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = (STEP_MM, 0, 0), (0, 0, -PIXEL_MM), (0, PIXEL_MM, 0)
    affine[:3, 3] = (-STEP_MM * (SLICES - 1) / 2, -115.0, 139.0)
    voxels = noisy(signal_of(_codes(affine)), PIXEL_MM, np.random.default_rng(6))
    frames = tuple(FrameReference(f"2.25.12.{index}") for index in range(SLICES))
    acquisition = Acquisition(modality="MR", series_description="T2 TSE sag")
    volume = Volume(voxels, affine, frames)
    return Series(SAGITTAL_UID, 2, acquisition, Role.SAGITTAL_T2, (volume,), "axial images are needed", (), SPACE)


def _codes(affine: np.ndarray) -> np.ndarray:
    grid = np.stack(np.meshgrid(np.arange(SLICES), np.arange(ROWS), np.arange(COLUMNS), indexing="ij"), axis=-1)
    x, y, z = np.moveaxis(grid @ affine[:3, :3].T + affine[:3, 3], -1, 0)
    return tissue_at(x, y, z, None)


def seen(series: Series) -> SagittalPrediction:
    """What a model without a fault outlines."""
    volume = series.volumes[0]
    codes = _codes(volume.affine)
    labels = np.zeros(codes.shape, np.uint8)
    for name, tissues in {
        "vertebra": ("marrow", "cortex"),
        "disc": ("disc",),
        "canal": ("csf",),
        "cord": ("cord",),
    }.items():
        labels[np.isin(codes, [CODE[tissue] for tissue in tissues])] = SAGITTAL_CLASSES.index(name)
    full = np.ones(codes.shape, bool)
    image = volume.voxels.astype(np.float32)
    return SagittalPrediction(
        series.series_instance_uid, 0, volume.affine, PIXEL_MM, image, full, labels, labels, labels
    )


def segments(names: tuple[str, ...] = NAMES) -> list[dict[str, Any]]:
    """Vertebrae and the discs between them, head to foot."""
    found = []
    for place, (name, following) in enumerate(zip(names, (*names[1:], ""), strict=True)):
        z = PITCH_MM * (5 - place)
        found.append(_segment("vertebra", name, z, VERTEBRA_MM))
        if following:
            below = following[1:] if following[0] == name[0] else following
            found.append(_segment("disc", f"{name}/{below}", z - PITCH_MM / 2, DISC_MM))
    return found


def place_of(level: str) -> list[float]:
    """Centre of a vertebra or disc, LPS mm."""
    return next(one["centre_mm"] for one in segments() if one["level"] == level)


def _segment(kind: str, level: str, z: float, height_mm: float) -> dict[str, Any]:
    x, y = (float(value) for value in canal_centre(np.array(z)))
    y -= BODY_BEHIND_MM
    corners = [
        [x, y + depth, z + up] for up in (height_mm / 2, -height_mm / 2) for depth in (-HALF_DEPTH_MM, HALF_DEPTH_MM)
    ]
    return {
        "kind": kind,
        "level": level,
        "probability": 0.98,
        "centre_mm": [x, y, z],
        "corners_mm": corners,
        "complete": True,
    }


def spine(certain: bool = True) -> dict[str, Any]:
    """The block of the result."""
    return {
        "series_instance_uid": SAGITTAL_UID,
        "volume_index": 0,
        "counted_from": "C2" if certain else "guess",
        "certain": certain,
        "note": "" if certain else NOTE,
        "alternatives": [] if certain else [{"level_of_first": "T2", "probability": 0.21}],
        "segments": segments(),
    }


def finding(level: str, kind: str, text: str, status: str = "measured", **more: Any) -> dict[str, Any]:
    """One entry of the result's findings."""
    empty = dict.fromkeys(("grade", "value", "unit", "probability", "reason", "scale"))
    place = {"series_instance_uid": SAGITTAL_UID, "position_mm": place_of(level)}
    words = {"level": level, "kind": kind, "text": text, "status": status, "source_status": "source to be confirmed"}
    return {**empty, **words, **place, **more}


def findings() -> list[dict[str, Any]]:
    """Findings of every status, head to foot."""
    pfirrmann, loss = {"scale": "Pfirrmann 2001"}, {"scale": "Genant SQ", "value": 24.0, "unit": "%"}
    bulge = {"value": 4.2, "unit": "mm", "scale": "Fardon 2014"}
    yes, no = "suspected", "not_flagged"
    return [
        finding("T4/5", "disc_height", "disc height index", value=0.31, unit="ratio"),
        finding("T6", "height_loss", "height loss, wedge", yes, grade="1", probability=0.81, **loss),
        finding("T7/8", "pfirrmann", "disc degeneration", yes, grade="IV", probability=0.9, **pfirrmann),
        finding("T8/9", "pfirrmann", "disc degeneration", no, grade="II", probability=0.12, **pfirrmann),
        finding("T10/11", "herniation", "herniation", yes, probability=0.77, **bulge),
        finding("T12/L1", "listhesis", "slip", value=2.0, unit="%", scale="Meyerding"),
        finding("L1", "marrow", "marrow signal", "not_analysed", reason="the field of view cuts this vertebra"),
    ]


def suspicion(level: str = "T8") -> dict[str, Any]:
    """The block of a study in which sagittal images alone raise suspicion."""
    canal = [
        {
            "level": name,
            "position_mm": place_of(name),
            "cord_diameter_AP_mm": 2 * CORD_AP_MM,
            "canal_diameter_AP_mm": 2 * SAC_AP_MM,
            "mscc_percent": 41.0 if name == level else 2.0,
            "mcc_percent": 38.0 if name == level else 1.0,
            "norm_z": -1.0,
            "canal_norm_z": None,
        }
        for name in NAMES
    ]
    block = {
        "series_instance_uid": SAGITTAL_UID,
        "suspected": True,
        "probability": 0.87,
        "level": level,
        "canal": canal,
    }
    return block | {"needs": "axial images", "worst": next(one for one in canal if one["level"] == level)}


def graded(certain: bool = True) -> dict[str, Any]:
    """Changes to a result with a grade: levels on its slices, and everything a sagittal series adds."""
    slices = document("3")["slices"]
    for one in slices:
        z = one["position_mm"][2]
        level = NAMES[round(5 - z / PITCH_MM)] if z > -5 or one["number"] < 12 else None
        one.update(level=level if one["number"] > 1 else None, level_certain=certain and one["number"] > 1)
    levels = [{"level": slices[7]["level"], "grade": "3"}]
    return {"slices": slices, "levels": levels, "spine": spine(certain), "findings": findings(), "sagittal": None}


def sagittal_only(certain: bool = True) -> dict[str, Any]:
    """Changes to a result without a grade: axial images are needed."""
    suspected = suspicion()
    words = "compression suspected on sagittal images: axial images needed"
    urgency = {"tier": "urgent", "score": 70.0, "reasons": [words, BECAUSE]}
    return {"urgency": urgency, "spine": spine(certain), "findings": findings(), "sagittal": suspected}


def add_spine(
    site: Records, grade: str | None, certain: bool = True, suspected: Mapping[str, Any] | None = None, **more: Any
) -> str:
    """Add a study with a sagittal series in which levels were counted; return its id.

    `suspected` is what differs in the block of a suspicion on sagittal images alone.
    """
    series = spinal_series()
    changes = graded(certain) if grade else sagittal_only(certain)
    if suspected:
        changes = changes | {"sagittal": changes["sagittal"] | suspected}
    reasons = {} if grade else {"reasons": (BECAUSE,)}
    masks = {series.series_instance_uid: (seen(series),)}
    return add_result(site, grade, changes=changes, sagittal=series, masks=masks, **reasons, **more)
