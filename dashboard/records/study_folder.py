"""A finding's folder: the study as it was analysed and what the model saw in it, opened without decoding again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dashboard.errors import RecordsError
from dashboard.records.files import make_private_dir, plain_os_errors
from dashboard.records.plain import from_plain, to_plain
from dashboard.study import (
    Acquisition,
    FrameReference,
    Role,
    Series,
    SeriesPrediction,
    SlicePrediction,
    Study,
    Volume,
)
from dashboard.study.sagittal import SagittalMasks, SagittalPrediction

STUDY_FILE = "study.json"


@dataclass(frozen=True)
class _VolumeEntry:
    file: str
    affine: tuple[tuple[float, ...], ...]
    frames: tuple[FrameReference, ...]


@dataclass(frozen=True)
class _SliceEntry:
    volume_index: int
    slice_index: int
    frame: FrameReference | None
    affine: tuple[tuple[float, ...], ...]
    pixel_mm: float
    at_least: tuple[float, ...]
    scene: tuple[float, ...]
    canal_score: float
    inside: float
    canal_inside: float
    signal_void: bool = False


@dataclass(frozen=True)
class _SeriesEntry:
    series_instance_uid: str
    series_number: int | None
    acquisition: Acquisition
    role: Role
    volumes: tuple[_VolumeEntry, ...]
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    frame_of_reference_uid: str = ""
    masks: tuple[str, ...] = ()
    slices: tuple[_SliceEntry, ...] = ()
    crops: str = ""
    # Of a sagittal series: labels, and the volumes they are of.
    sagittal_masks: tuple[str, ...] = ()
    sagittal_volumes: tuple[int, ...] = ()


@dataclass(frozen=True)
class _StudyEntry:
    study_instance_uid: str
    series: tuple[_SeriesEntry, ...] = field(default=())
    study_date: str = ""
    study_time: str = ""


def write_study(
    folder: Path,
    study: Study,
    predictions: Mapping[str, SeriesPrediction],
    sagittal: Mapping[str, Sequence[SagittalPrediction]] | None = None,
) -> None:
    """Write `study` and what the models saw into `folder`; of sagittal series only the labels in their own grid.

    Volumes that are memory maps of files below `folder` stay where they are; others are written out. Rejected
    files are left to the finding's document, whose names are tokens.
    """
    with plain_os_errors("The store"):
        make_private_dir(folder / "masks")
        make_private_dir(folder / "volumes")
        series = tuple(
            _with_sagittal(
                _series_entry(folder, number, item, predictions.get(item.series_instance_uid)),
                (sagittal or {}).get(item.series_instance_uid, ()),
                folder,
                f"masks/{number:03d}-sagittal",
            )
            for number, item in enumerate(study.series)
        )
        entry = _StudyEntry(study.study_instance_uid, series, study.study_date, study.study_time)
        (folder / STUDY_FILE).write_text(json.dumps(to_plain(entry)), encoding="utf-8")


def read_study(folder: Path) -> Study:
    """Open a study; voxels are read-only memory maps.

    Raises
    ------
    RecordsError
        The folder is gone or damaged.
    """
    entry = _read_entry(folder)
    series = tuple(_series(folder, item) for item in entry.series)
    return Study(entry.study_instance_uid, series, entry.study_date, entry.study_time)


def read_predictions(folder: Path) -> dict[str, SeriesPrediction]:
    """Open what the model saw, by series_instance_uid of the analysed series.

    Raises
    ------
    RecordsError
        The folder is gone or damaged.
    """
    entry = _read_entry(folder)
    return {item.series_instance_uid: _prediction(folder, item) for item in entry.series if item.crops}


def read_masks(folder: Path) -> dict[str, tuple[npt.NDArray[np.uint8], ...]]:
    """Open the labels in the grid of each volume, by series_instance_uid of the analysed series."""
    entry = _read_entry(folder)
    return {
        item.series_instance_uid: tuple(_open(folder / name) for name in item.masks)
        for item in entry.series
        if item.crops
    }


def read_sagittal_masks(folder: Path) -> dict[str, tuple[SagittalMasks, ...]]:
    """Open the labels of the sagittal series that were looked at, by series_instance_uid, one a volume."""
    return {
        item.series_instance_uid: tuple(
            SagittalMasks(volume, _open(folder / name))
            for volume, name in zip(item.sagittal_volumes, item.sagittal_masks, strict=True)
        )
        for item in _read_entry(folder).series
        if item.sagittal_masks
    }


def _with_sagittal(entry: _SeriesEntry, seen: Sequence[SagittalPrediction], folder: Path, name: str) -> _SeriesEntry:
    names = tuple(f"{name}-{one.volume_index:03d}.npy" for one in seen)
    for path, one in zip(names, seen, strict=True):
        np.save(folder / path, one.native_labels)
    return replace(entry, sagittal_masks=names, sagittal_volumes=tuple(one.volume_index for one in seen))


def _read_entry(folder: Path) -> _StudyEntry:
    with plain_os_errors("A stored study"):
        text = (folder / STUDY_FILE).read_text(encoding="utf-8")
    try:
        return from_plain(_StudyEntry, json.loads(text))
    except ValueError as error:
        raise RecordsError("A stored study is damaged; drop it again.") from error


def _series_entry(folder: Path, number: int, series: Series, prediction: SeriesPrediction | None) -> _SeriesEntry:
    volumes = tuple(
        _VolumeEntry(_keep_volume(folder, f"{number:03d}-{index:03d}.npy", volume), _rows(volume.affine), volume.frames)
        for index, volume in enumerate(series.volumes)
    )
    masks: list[str] = []
    crops = ""
    if prediction is not None:
        for index, labels in enumerate(prediction.native_labels):
            masks.append(f"masks/{number:03d}-{index:03d}.npy")
            np.save(folder / masks[-1], labels)
        crops = f"masks/{number:03d}"
        if prediction.slices:
            np.save(folder / f"{crops}-image.npy", np.stack([item.image for item in prediction.slices]))
            np.save(folder / f"{crops}-labels.npy", np.stack([item.labels for item in prediction.slices]))
    return _SeriesEntry(
        series_instance_uid=series.series_instance_uid,
        series_number=series.series_number,
        acquisition=series.acquisition,
        role=series.role,
        volumes=volumes,
        reason=series.reason,
        warnings=series.warnings,
        frame_of_reference_uid=series.frame_of_reference_uid,
        masks=tuple(masks),
        slices=tuple(_slice_entry(item) for item in prediction.slices) if prediction else (),
        crops=crops,
    )


def _slice_entry(item: SlicePrediction) -> _SliceEntry:
    return _SliceEntry(
        volume_index=item.volume_index,
        slice_index=item.slice_index,
        frame=item.frame,
        affine=_rows(item.affine),
        pixel_mm=float(item.pixel_mm),
        at_least=tuple(float(value) for value in item.at_least),
        scene=tuple(float(value) for value in item.scene),
        canal_score=float(item.canal_score),
        inside=float(item.inside),
        canal_inside=float(item.canal_inside),
        signal_void=item.signal_void,
    )


def _keep_volume(folder: Path, name: str, volume: Volume) -> str:
    """Path of the volume's file below `folder`, writing it where it has none of its own yet."""
    voxels = volume.voxels
    source = Path(str(voxels.filename)) if isinstance(voxels, np.memmap) and voxels.filename else None
    if source is not None and source.is_relative_to(folder):
        stored = _open(source)
        if stored.shape == voxels.shape and stored.dtype == voxels.dtype and stored.strides == voxels.strides:
            return str(source.relative_to(folder))
    np.save(folder / "volumes" / f"kept-{name}", voxels)
    return f"volumes/kept-{name}"


def _series(folder: Path, entry: _SeriesEntry) -> Series:
    volumes = tuple(Volume(_open(folder / item.file), np.array(item.affine), item.frames) for item in entry.volumes)
    return Series(
        series_instance_uid=entry.series_instance_uid,
        series_number=entry.series_number,
        acquisition=entry.acquisition,
        role=entry.role,
        volumes=volumes,
        reason=entry.reason,
        warnings=entry.warnings,
        frame_of_reference_uid=entry.frame_of_reference_uid,
    )


def _prediction(folder: Path, entry: _SeriesEntry) -> SeriesPrediction:
    slices: list[SlicePrediction] = []
    if entry.slices:
        images, labels = _open(folder / f"{entry.crops}-image.npy"), _open(folder / f"{entry.crops}-labels.npy")
        slices = [_slice(item, images[at], labels[at]) for at, item in enumerate(entry.slices)]
    native = tuple(_open(folder / name) for name in entry.masks)
    return SeriesPrediction(entry.series_instance_uid, tuple(slices), native)


def _slice(entry: _SliceEntry, image: npt.NDArray[np.float32], labels: npt.NDArray[np.uint8]) -> SlicePrediction:
    return SlicePrediction(
        volume_index=entry.volume_index,
        slice_index=entry.slice_index,
        frame=entry.frame,
        affine=np.array(entry.affine),
        pixel_mm=entry.pixel_mm,
        image=image,
        labels=labels,
        at_least=np.array(entry.at_least),
        scene=np.array(entry.scene),
        canal_score=entry.canal_score,
        inside=entry.inside,
        canal_inside=entry.canal_inside,
        signal_void=entry.signal_void,
    )


def _open(path: Path) -> npt.NDArray[Any]:
    with plain_os_errors("A stored study"):
        try:
            return np.load(path, mmap_mode="r")  # type: ignore[no-any-return]
        except ValueError as error:
            raise RecordsError("A stored study is damaged; drop it again.") from error


def _rows(affine: npt.NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(value) for value in row) for row in affine)
