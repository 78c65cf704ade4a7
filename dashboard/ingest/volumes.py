"""From grouped files to studies whose voxels lie on disk, one slice at a time, never a whole series in memory."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dashboard.errors import InputRefused, RecordsError
from dashboard.ingest.grouping import SAME_PLACE_MM, SeriesGroup, StudyGroup, group_series, group_studies
from dashboard.ingest.instance import Drop, Instance, study_moment
from dashboard.ingest.pixels import decode_frame, decode_frames
from dashboard.ingest.roles import Judgement, judge, looks_like_localiser
from dashboard.ingest.stacks import Kind, Stack
from dashboard.study import Acquisition, FrameReference, Plane, Rejection, Role, Series, Study, Volume, plane_of
from dashboard.study.geometry import Array

# Of several kinds of image in one series, the one to analyse. Lower is better.
PREFERENCE = {Role.AXIAL_T2: 0, Role.VOLUME_T2: 1, Role.AXIAL_T2STAR: 2}
# Echo time nearest to which T2 contrast of cord against CSF is what the model learned, ms.
BEST_ECHO_TIME_MS = 100.0
BLANK = "The images are blank: every pixel has the same value."
# Dixon water images are fat-suppressed; in-phase images look like any T2.
WATER_ONLY = frozenset({"W", "WATER"})


@dataclass(frozen=True, eq=False)
class Chosen:
    """The stacks of a series that will be its volumes, and what they are."""

    stacks: tuple[Stack, ...]
    acquisition: Acquisition
    judgement: Judgement
    left_out: int


def build_studies(drop: Drop, volumes_dir: Path) -> tuple[Study, ...]:
    """Decode a drop into studies.

    Voxels are written to `volumes_dir` as one ``.npy`` a volume and opened read-only as memory maps: whole numbers
    of 16 bits where rescale keeps them whole, float32 otherwise. A file whose pixels cannot be decoded becomes a
    rejection of its study, and its place in the series a gap.

    Raises
    ------
    RecordsError
        `volumes_dir` cannot be written.
    """
    try:
        volumes_dir.mkdir(parents=True, exist_ok=True)
        return tuple(
            _study(group, drop, volumes_dir / f"{number:03d}")
            for number, group in enumerate(group_studies(drop.instances))
        )
    except OSError as error:
        raise RecordsError(
            f"Volumes cannot be written ({error.strerror}); free some disk space and try again."
        ) from None


def _study(group: StudyGroup, drop: Drop, folder: Path) -> Study:
    folder.mkdir(exist_ok=True)
    arrived = {item.sop_instance_uid for files in group.series for item in files.instances}
    rejected: list[Rejection] = [
        # An image that came again, whole, is not missing.
        replace(one, series_instance_uid="", sop_instance_uid="") if one.sop_instance_uid in arrived else one
        for one in drop.rejections
        if one.study_instance_uid in ("", group.study_instance_uid)
    ]
    series = []
    for number, files in enumerate(group.series):
        built, failed = _series(files, folder, f"{number:03d}")
        rejected += failed
        if built is not None:
            series.append(built)
    date, time = study_moment(item for files in group.series for item in files.instances)
    return Study(group.study_instance_uid, tuple(series), date, time, tuple(rejected))


def _series(group: SeriesGroup, folder: Path, name: str) -> tuple[Series | None, list[Rejection]]:
    """Build one series, leaving out files that fail to decode and grouping anew without them."""
    rejected: list[Rejection] = []
    while group.instances:
        chosen = _choose(group)
        paths = [folder / f"{name}-{index:02d}.npy" for index in range(len(chosen.stacks))]
        failed = _write(chosen.stacks, paths)
        if not failed:
            return _assemble(group, chosen, paths), rejected
        rejected += [
            Rejection(
                instance.name,
                reason,
                series_instance_uid=instance.series_instance_uid,
                sop_instance_uid=instance.sop_instance_uid,
            )
            for instance, reason in failed
        ]
        lost = {id(instance) for instance, _ in failed}
        group = group_series(instance for instance in group.instances if id(instance) not in lost)
    return None, rejected


def _assemble(group: SeriesGroup, chosen: Chosen, paths: Sequence[Path]) -> Series:
    judgement, first = chosen.judgement, group.instances[0]
    stated = [_sentence(instance.not_analysed) for instance in group.instances if instance.not_analysed]
    warnings = [*group.warnings, *judgement.warnings]
    if chosen.left_out:
        warnings.append(
            f"{_images(chosen.left_out, 'further ')} not analysed: another plane, echo, phase, fat or repetition of "
            "what was."
        )
    if stated and chosen.stacks:
        warnings.append(f"{_images(len(stated))} not analysed: {stated[0]}")
    volumes = []
    for stack, path in zip(chosen.stacks, paths, strict=True):
        frames = [FrameReference("")] * stack.shape[0]
        for place, source in zip(stack.slices, stack.frames, strict=True):
            frames[place] = FrameReference(source.instance.sop_instance_uid, source.plane.frame)
        volumes.append(Volume(np.load(path, mmap_mode="r"), stack.affine, tuple(frames)))
    reason = judgement.reason
    if stated and not volumes and judgement.role is Role.OTHER:
        reason = stated[0]
    elif reason is None and all(_is_blank(volume) for volume in volumes):
        reason = BLANK
    return Series(
        series_instance_uid=first.series_instance_uid,
        series_number=first.series_number,
        acquisition=chosen.acquisition,
        role=judgement.role,
        volumes=tuple(volumes),
        reason=reason,
        warnings=tuple(dict.fromkeys(warnings)),
        frame_of_reference_uid=chosen.stacks[0].frames[0].instance.frame_of_reference_uid if chosen.stacks else "",
        unusable=group.unplaced + sum(one.number_of_frames for one in group.instances if one.not_analysed),
        absent=group.absent,
        may_be_axial_t2=_may_be_axial_t2(judgement, bool(stated or group.unplaced), bool(volumes)),
    )


def _may_be_axial_t2(judgement: Judgement, images_kept_out: bool, shown: bool) -> bool:
    """Whether a series that is named as axial T2 is kept out, and no image of it says that it is something else."""
    kept_out = judgement.role is Role.OTHER and images_kept_out and not shown
    return judgement.named_axial_t2 and (kept_out or judgement.disputed)


def _images(count: int, which: str = "") -> str:
    return f"1 {which}image of this series was" if count == 1 else f"{count} {which}images of this series were"


def _is_blank(volume: Volume) -> bool:
    """Whether every voxel has the same value; one slice settles it for a real image."""
    first = volume.voxels[0, 0, 0]
    return all(bool(np.all(plane == first)) for plane in volume.voxels)


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:] + ("" if words.endswith(".") else ".")


def _choose(group: SeriesGroup) -> Chosen:
    """Judge each kind of image in the series and take the best; all kinds stay when none can be analysed.

    Images of another kind, echo time say, that can be analysed as well and show other places are taken beside it: the
    lower block of a spine, as like as not.
    """
    kinds: dict[Kind, list[Stack]] = defaultdict(list)
    for stack in group.stacks:
        kinds[replace(stack.kind, repetition=0)].append(stack)
    if not kinds:
        first = group.instances[0]
        return Chosen((), first.acquisition, judge(first.acquisition, first.sop_class_uid, ()), 0)
    judged = [_judged(kind, part) for kind, stacks in kinds.items() for part in _parts(stacks)]
    best = min(judged, key=_rank)
    if best.judgement.reason is not None:
        return replace(best, stacks=group.stacks)
    kept = [stack for stack in best.stacks if stack.kind.repetition == 0]
    alike = [one for one in judged if one.judgement.reason is None and one.judgement.role is best.judgement.role]
    for stack in [stack for one in sorted(alike, key=_rank) for stack in one.stacks]:
        kept += _elsewhere(stack, kept)
    total = sum(len(stack.frames) for stack in group.stacks)
    return replace(best, stacks=tuple(kept), left_out=total - sum(len(stack.frames) for stack in kept))


def _elsewhere(stack: Stack, kept: Sequence[Stack]) -> list[Stack]:
    """What of a stack shows other places than those kept do: runs of its slices whose middles lie in none of them."""
    count, rows, columns = stack.shape
    middles = np.array([[k, (rows - 1) / 2, (columns - 1) / 2, 1.0] for k in range(count)]) @ stack.affine.T
    shown = np.any([_holds(one, middles) for one in kept], axis=0)
    if stack.places:
        # One that misses slices is taken whole or not at all.
        return [] if shown.any() else [stack]
    runs = [list(run) for seen, run in groupby(range(count), key=lambda k: bool(shown[k])) if not seen]
    return [_part(stack, run[0], run[-1] + 1) for run in runs]


def _holds(stack: Stack, points: Array) -> npt.NDArray[np.bool_]:
    """Which of some points (n, 4), LPS mm and 1, a stack shows: in its box, to half a voxel, and within a slice.

    Where slices are thinner than the steps between them, another kind of image may lie in the gaps.
    """
    places = (points @ np.linalg.inv(stack.affine).T)[:, :3]
    boxed = np.all((places > -0.5) & (places < np.array(stack.shape) - 0.5), axis=1)
    away_mm = np.abs(places[:, 0] - np.rint(places[:, 0])) * np.linalg.norm(stack.affine[:3, 0])
    thickest_mm = max(source.plane.slice_thickness_mm or np.inf for source in stack.frames)
    return np.asarray(boxed & (away_mm <= thickest_mm / 2 + SAME_PLACE_MM))


def _part(stack: Stack, start: int, stop: int) -> Stack:
    """Some slices of a stack in a row."""
    affine = stack.affine.copy()
    affine[:3, 3] += start * affine[:3, 0]
    return replace(stack, frames=stack.frames[start:stop], affine=affine)


def _parts(stacks: Sequence[Stack]) -> list[Sequence[Stack]]:
    """All stacks of one kind and, where they lie in several planes without being a localiser, each plane."""
    if looks_like_localiser(stacks):
        return [stacks]
    planes: dict[Plane, list[Stack]] = defaultdict(list)
    for stack in stacks:
        planes[plane_of(stack.affine)].append(stack)
    return [stacks, *planes.values()] if len(planes) > 1 else [stacks]


def _judged(kind: Kind, stacks: Sequence[Stack]) -> Chosen:
    source = max(stacks, key=lambda stack: len(stack.frames)).frames[0]
    acquisition = source.instance.acquisition
    acquisition = replace(
        acquisition,
        echo_time_ms=acquisition.echo_time_ms if kind.echo_time_ms is None else kind.echo_time_ms,
        diffusion_b_value=acquisition.diffusion_b_value if kind.diffusion_b_value is None else kind.diffusion_b_value,
        image_type=kind.frame_type or acquisition.image_type,
    )
    return Chosen(tuple(stacks), acquisition, judge(acquisition, source.instance.sop_class_uid, stacks), 0)


def _rank(chosen: Chosen) -> tuple[object, ...]:
    """Smaller for what should rather be analysed; ties fall to the order of stacks, which no UID decides."""
    acquisition = chosen.acquisition
    echo = acquisition.echo_time_ms
    return (
        chosen.judgement.reason is not None,
        PREFERENCE.get(chosen.judgement.role, len(PREFERENCE)),
        not WATER_ONLY.isdisjoint(acquisition.image_type),
        abs((BEST_ECHO_TIME_MS if echo is None else echo) - BEST_ECHO_TIME_MS),
        -sum(len(stack.frames) for stack in chosen.stacks),
    )


def _write(stacks: Sequence[Stack], paths: Sequence[Path]) -> list[tuple[Instance, str]]:
    """Decode every frame into its slot; returns the files that could not be decoded and why."""
    failed = []
    files = [_VolumeFile(path, stack) for path, stack in zip(paths, stacks, strict=True)]
    for instance, wanted in _slots(stacks):
        try:
            for frame, pixels in _decoded(instance, wanted):
                stack, position = wanted[frame]
                files[stack].write(position, pixels)
        except InputRefused as error:
            failed.append((instance, str(error)))
    for file, one in zip(files, stacks, strict=True):
        for missing in one.missing:
            file.bridge(missing)
    return failed


def _slots(stacks: Sequence[Stack]) -> Iterator[tuple[Instance, dict[int, tuple[int, int]]]]:
    """For each file the frames wanted of it: {frame: (stack, slice)}."""
    found: dict[int, tuple[Instance, dict[int, tuple[int, int]]]] = {}
    for number, stack in enumerate(stacks):
        for position, source in zip(stack.slices, stack.frames, strict=True):
            _, wanted = found.setdefault(id(source.instance), (source.instance, {}))
            wanted[source.plane.frame] = (number, position)
    yield from found.values()


def _decoded(instance: Instance, wanted: Iterable[int]) -> Iterator[tuple[int, npt.NDArray[np.generic]]]:
    """The wanted frames of a file, counted from 1; a single one is fetched without reading the others."""
    numbers = sorted(wanted)
    if len(numbers) == 1:
        yield numbers[0], decode_frame(instance.path, numbers[0] - 1)
        return
    chosen = set(numbers)
    for number, pixels in enumerate(decode_frames(instance.path), start=1):
        if number in chosen:
            yield number, pixels


class _VolumeFile:
    """A ``.npy`` file filled slice by slice, in any order, by plain writes: these report a full disk, a map does not.

    It is open only while a slice is written, since one series may hold more stacks than a process may open files.
    """

    def __init__(self, path: Path, stack: Stack) -> None:
        self._path = path
        self._voxel = _voxel_type(stack)
        self._slice_bytes = stack.shape[1] * stack.shape[2] * self._voxel.itemsize
        header = {"descr": np.lib.format.dtype_to_descr(self._voxel), "fortran_order": False, "shape": stack.shape}
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            self._start = file.tell()
            file.truncate(self._start + stack.shape[0] * self._slice_bytes)

    def write(self, position: int, pixels: npt.NDArray[np.generic]) -> None:
        """Write one slice to its place."""
        with self._path.open("r+b") as file:
            file.seek(self._start + position * self._slice_bytes)
            file.write(np.ascontiguousarray(pixels, dtype=self._voxel).data)

    def bridge(self, position: int) -> None:
        """Make one slice from the two beside it: their mean."""
        voxels = np.load(self._path, mmap_mode="r")
        mean = (voxels[position - 1].astype(np.float64) + voxels[position + 1]) / 2
        self.write(position, mean if self._voxel.kind == "f" else np.rint(mean))


def _voxel_type(stack: Stack) -> np.dtype[np.generic]:
    """Smallest of int16, uint16 and float32 that holds every value the headers allow."""
    low, high = 0.0, 0.0
    for source in stack.frames:
        instance, slope, intercept = source.instance, source.plane.rescale_slope, source.plane.rescale_intercept
        if not slope.is_integer() or not intercept.is_integer():
            return np.dtype(np.float32)
        span = 2.0**instance.bits_stored
        ends = (-span / 2, span / 2 - 1) if instance.pixel_representation else (0.0, span - 1)
        scaled = [end * slope + intercept for end in ends]
        low, high = min(low, *scaled), max(high, *scaled)
    for kind in (np.int16, np.uint16):
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return np.dtype(kind)
    return np.dtype(np.float32)
