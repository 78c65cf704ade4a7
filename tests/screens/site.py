"""Sites with hand-made studies: result documents of the published schema, volumes and predictions to match."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from dashboard.ingest import Identity
from dashboard.records import (
    JobKind,
    Records,
    add_finding,
    add_job,
    add_study,
    claim_job,
    keep_identity,
    new_id,
    open_records,
    write_study,
)
from dashboard.settings import load_settings
from dashboard.study import (
    GRADES,
    Acquisition,
    FrameReference,
    Role,
    Series,
    SeriesPrediction,
    SlicePrediction,
    Study,
    Volume,
)
from dashboard.study.sagittal import SagittalPrediction

SLICES, SIDE, SPACING = 12, 128, 0.6
TIER_OF_GRADE = {"0": "routine", "1a": "routine", "1b": "soon", "1c": "soon", "2": "urgent", "3": "immediate"}
BAND_OF_GRADE = {"0": "low", "1a": "low", "1b": "low", "1c": "watch", "2": "high", "3": "high"}
FINDING = "suspected tumour touches 20 % of the cord's outline, cord dented 1.8 mm, CSF 12 mm2 left"
AXIAL_UID, SAGITTAL_UID, SPACE = "2.25.11", "2.25.12", "2.25.13"


def open_site(folder: Path) -> Records:
    """Records of an empty site in `folder`."""
    return open_records(load_settings({"TRIAGE_DATA_DIR": str(folder)}))


def disc(shape: tuple[int, int], centre: tuple[float, float], radius: float) -> np.ndarray:
    """Mask of a disc, in pixels."""
    rows, columns = np.indices(shape)
    return np.hypot(rows - centre[0], columns - centre[1]) <= radius


def axial_series() -> Series:
    """A bright sac with a grey cord in it, slices head first."""
    step = -4.0
    affine = np.array([[0, 0, SPACING, -38.0], [0, SPACING, 0, -38.0], [step, 0, 0, 40.0], [0, 0, 0, 1]])
    plane = np.full((SIDE, SIDE), 200, np.uint16)
    plane[disc((SIDE, SIDE), (64, 64), 14)] = 900
    plane[disc((SIDE, SIDE), (64, 64), 7)] = 450
    voxels = np.repeat(plane[None], SLICES, axis=0)
    frames = tuple(FrameReference(f"2.25.11.{index}") for index in range(SLICES))
    acquisition = Acquisition(modality="MR", series_description="T2 TSE tra")
    return Series(
        AXIAL_UID, 3, acquisition, Role.AXIAL_T2, (Volume(voxels, affine, frames),), frame_of_reference_uid=SPACE
    )


def sagittal_series() -> Series:
    """A few sagittal slices through the same place."""
    affine = np.array([[4.0, 0, 0, -8.0], [0, 0, SPACING, -38.0], [0, -SPACING, 0, 45.0], [0, 0, 0, 1]])
    plane = np.full((SIDE, SIDE), 150, np.uint16)
    plane[:, 54:74] = 800
    voxels = np.repeat(plane[None], 5, axis=0)
    frames = tuple(FrameReference(f"2.25.12.{index}") for index in range(5))
    acquisition = Acquisition(modality="MR", series_description="T2 TSE sag")
    reason = "a sagittal series is not graded yet: axial images are needed"
    return Series(SAGITTAL_UID, 2, acquisition, Role.SAGITTAL_T2, (Volume(voxels, affine, frames),), reason, (), SPACE)


def prediction(series: Series, index: int) -> SlicePrediction:
    """Labels of cord, CSF and a tumour behind them, in a 48 mm crop."""
    affine = np.eye(4)
    affine[:3, :3] = [[0, 0, 0.5], [0, 0.5, 0], [-1, 0, 0]]
    affine[:3, 3] = [-23.75, -23.75, 40.0 - 4.0 * index]
    labels = np.zeros((96, 96), np.uint8)
    labels[disc((96, 96), (48, 48), 16)] = 1
    labels[disc((96, 96), (48, 48), 8)] = 2
    labels[disc((96, 96), (70, 48), 9)] = 3
    image = np.where(labels == 1, 1.0, 0.4).astype(np.float32)
    frame = series.volumes[0].frames[index]
    steps = np.array([0.9, 0.8, 0.6, 0.4, 0.2])
    return SlicePrediction(0, index, frame, affine, 0.5, image, labels, steps, np.array([1.0, 0, 0, 0, 0]), 0.9, 1.0)


def slice_document(index: int, grade: str | None) -> dict[str, Any]:
    """Entry of one slice."""
    chances = dict.fromkeys(GRADES, 0.02) | ({grade: 0.9} if grade else {})
    measures = {
        "cord_area_mm2": 50.3 - index,
        "cord_diameter_AP_mm": 7.5,
        "cord_diameter_RL_mm": 9.1,
        "canal_area_mm2": 201.0,
        "csf_fraction": 0.75,
        "tumour_area_mm2": 63.6,
        "cord_solidity": 0.97,
        "compression_ratio": 0.82,
        "contact_fraction": 0.2,
        "cord_gap_mm": 0.0,
        "cord_indentation_mm": 1.83,
        "sac_indentation_mm": 4.12,
        "visible_csf_mm2": 12.3,
    }
    return {
        "series_instance_uid": AXIAL_UID,
        "sop_instance_uid": f"2.25.11.{index}",
        "frame": 1,
        "number": index + 1,
        "volume_index": 0,
        "slice_index": index,
        "position_mm": [0.0, 0.0, 40.0 - 4.0 * index],
        "along_canal_mm": 4.0 * index,
        "level": None,
        "grade": grade,
        "band": BAND_OF_GRADE[grade] if grade else None,
        "probabilities": chances if grade else None,
        "status": "analysed" if grade else "not_analysed",
        "reasons": [] if grade else ["no cord is seen in this slice"],
        "measures": measures if grade else None,
        "supported_grade": grade,
        "explanation": [FINDING, f"slice {index} agrees: {grade}"] if grade else [],
    }


def document(grade: str | None, reasons: tuple[str, ...] = (), count: int = SLICES) -> dict[str, Any]:
    """Result document of a study of `count` slices whose slice 8 is the worst; without a grade it was not analysed."""
    worst = 7
    slices = [slice_document(index, None if index == 11 else "0") for index in range(count)] if grade else []
    if grade:
        slices[worst] = slice_document(worst, grade)
    urgency = {
        "tier": TIER_OF_GRADE[grade] if grade else "not analysed",
        "score": 50.0,
        "reasons": list(reasons) or [f"suspected grade {grade} in slice 8, its neighbours agree"],
    }
    return {
        "schema": "spine-triage/1",
        "study_instance_uid": "2.25.1",
        "status": "graded" if grade else "not_analysed",
        "reasons": list(reasons),
        "grade": grade,
        "band": BAND_OF_GRADE[grade] if grade else None,
        "probability_high": 0.92 if grade in ("2", "3") else 0.03 if grade else None,
        "probability_1c_or_worse": 0.94 if grade else None,
        "urgency": urgency,
        "worst_slice": {key: slices[worst][key] for key in _PLACE} if grade else None,
        "levels": [],
        "series": [
            _series_document(AXIAL_UID, "T2 TSE tra", "axial", "axial_t2", count, None if grade else "no cord seen"),
            _series_document(SAGITTAL_UID, "T2 TSE sag", "sagittal", "sagittal_t2", 5, "axial images are needed"),
        ],
        "slices": slices,
        "rejected": [{"name": "file 0123456789ab", "reason": "this is not a DICOM file"}],
        "timings_s": {"read": 0.5, "inference": 0.8, "grading": 0.1, "total": 1.4},
        "model": [{"name": "compression", "version": "1", "sha256": "ab" * 32}],
    }


_PLACE = ("series_instance_uid", "sop_instance_uid", "frame", "number", "volume_index", "slice_index", "position_mm")


def _series_document(uid: str, description: str, plane: str, role: str, frames: int, reason: str | None) -> Any:
    return {
        "series_instance_uid": uid,
        "description": description,
        "modality": "MR",
        "plane": plane,
        "role": role,
        "frames": frames,
        "analysed": reason is None,
        "reason": reason,
        "orientation_ok": True,
        "warnings": [],
    }


def add_result(
    site: Records,
    grade: str | None,
    person: Identity | None = None,
    waiting: timedelta = timedelta(minutes=4),
    reasons: tuple[str, ...] = (),
    changes: Mapping[str, Any] | None = None,
    synthetic: bool = False,
    axial: Series | None = None,
    sagittal: Series | None = None,
    masks: Mapping[str, tuple[SagittalPrediction, ...]] | None = None,
) -> str:
    """Add a study with its finding; return the study's id.

    `axial` stands for :func:`axial_series`, of any size, and `sagittal` for :func:`sagittal_series`; `masks` are what
    was outlined in it.
    """
    now = datetime.now(UTC)
    series, sagittal = axial or axial_series(), sagittal or sagittal_series()
    count = len(series.volumes[0].frames)
    seen: dict[str, SeriesPrediction] = {}
    if grade:
        slices = tuple(prediction(series, index) for index in range(count))
        native = np.zeros(series.volumes[0].voxels.shape, np.uint8)
        seen[AXIAL_UID] = SeriesPrediction(AXIAL_UID, slices, (native,))
    uid = f"2.25.{int(new_id(), 16)}"
    with site.writing() as session:
        acquired = (now - waiting - timedelta(hours=1)).astimezone()
        record = add_study(
            session,
            uid,
            uid,
            now - waiting,
            study_date=acquired.strftime("%Y%m%d"),
            study_time=acquired.strftime("%H%M%S"),
            synthetic=synthetic,
        )
        keep_identity(session, site.keys, record.id, person, {}, {"file 0123456789ab": "DISC1/notes.pdf"})
        add_job(session, JobKind.TRIAGE_STUDY, record.id, now)
        job = claim_job(session, "test", now)
    assert job is not None
    finding_id = new_id()
    folder = site.store.fresh_dir(site.store.finding_dir(record.id, finding_id))
    write_study(folder, Study(uid, (sagittal, series)), seen, masks)
    with site.writing() as session:
        add_finding(session, finding_id, job, document(grade, reasons, count) | dict(changes or {}), "0.1.0", now)
    return record.id
