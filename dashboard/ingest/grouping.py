"""Which images belong together: by geometry, never by file name, UID order or InstanceNumber alone.

A series of the archive may hold several stacks: three planes of a localiser, echoes, phases of a contrast run, water
and fat, blocks of slices at each disc, stations of a whole spine. Frames are parted by what they show (kind), then by
plane and grid, then by repetition at one place, then at gaps; what is left are stacks of evenly spaced slices.

Slices run from head to foot in axial stacks, from the patient's right to left in sagittal ones and from front to back
in coronal ones, whichever way they were scanned. The affine keeps the true directions, so nothing is mirrored.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from dashboard.errors import GeometryRefused
from dashboard.ingest.gaps import absent_slices, at_gaps, counted
from dashboard.ingest.instance import Instance
from dashboard.ingest.stacks import (
    FrameSource,
    Kind,
    Stack,
    frame_affine,
    frame_order,
    none_last,
    number_order,
    slice_corners,
    slice_depths,
    stack_order,
)
from dashboard.study.geometry import Array

# Directions of one stack agree to rounding; 0.01 is 0.6 degrees, well below the angle between blocks at two discs.
ORIENTATION_TOLERANCE = 0.01
SPACING_TOLERANCE = 0.005
# Scanners write positions with 0.01 mm or better; nearer than this is the same place seen again.
SAME_PLACE_MM = 0.05
# The corner of a slice may move this far against its neighbours without starting another stack (a sheared stack moves
# steadily and is one stack at any angle).
CORNER_TOLERANCE_MM = 1.0


@dataclass(frozen=True, eq=False)
class SeriesGroup:
    """The files of one series, the stacks they form, and what a reader should know about them.

    `unplaced` counts frames without a usable place, `absent` slices that gaps and numbering say were lost.
    """

    instances: tuple[Instance, ...]
    stacks: tuple[Stack, ...]
    warnings: tuple[str, ...]
    unplaced: int = 0
    absent: int = 0


@dataclass(frozen=True, eq=False)
class StudyGroup:
    """The series of one study of one patient, in an order that no UID decides."""

    study_instance_uid: str
    patient_key: str
    series: tuple[SeriesGroup, ...]


def group_studies(instances: Iterable[Instance]) -> tuple[StudyGroup, ...]:
    """Group files into studies and series, and their frames into stacks.

    Two patients under one StudyInstanceUID are two studies. The result does not depend on the order of `instances`.
    """
    parted: dict[tuple[str, str], dict[str, list[Instance]]] = defaultdict(lambda: defaultdict(list))
    for instance in instances:
        study = parted[instance.patient_key, instance.study_instance_uid]
        study[instance.series_instance_uid].append(instance)
    studies = []
    for (patient_key, study_instance_uid), series in parted.items():
        groups = sorted((group_series(files) for files in series.values()), key=_series_order)
        studies.append(StudyGroup(study_instance_uid, patient_key, tuple(groups)))
    return tuple(sorted(studies, key=_study_order))


def group_series(instances: Iterable[Instance]) -> SeriesGroup:
    """Form the stacks of one series. Files without a place in the patient stay in `instances` only."""
    files = tuple(sorted(instances, key=_file_order))
    sources = [
        FrameSource(instance, plane)
        for instance in files
        if not instance.not_analysed
        for plane in instance.frame_planes
    ]
    usable, unusable = _with_geometry(sources)
    warnings = [warning for instance in files for warning in instance.warnings]
    if unusable:
        warnings.append(f"{counted(unusable, 'image')} without a usable position or orientation left out.")
    stacks: list[Stack] = []
    absent = 0
    for kind, frames in _by_kind(usable):
        for grid in _by_grid(frames):
            for repetition, layer in enumerate(_by_repetition(grid)):
                told = Kind(kind.frame_type, kind.echo_time_ms, kind.diffusion_b_value, repetition)
                made, found = at_gaps(told, layer)
                stacks += made
                warnings += found
                absent += absent_slices(made)
    warnings += _size_warnings(stacks)
    ordered = tuple(sorted(stacks, key=stack_order))
    return SeriesGroup(files, ordered, tuple(dict.fromkeys(warnings)), unusable, absent)


def _with_geometry(sources: Sequence[FrameSource]) -> tuple[list[FrameSource], int]:
    """Frames whose headers describe a plane, in an order that depends on geometry and content, and how many do not."""
    usable = []
    for source in sources:
        try:
            frame_affine(source)
        except GeometryRefused:
            continue
        usable.append(source)
    return sorted(usable, key=frame_order), len(sources) - len(usable)


def _by_kind(sources: Sequence[FrameSource]) -> list[tuple[Kind, list[FrameSource]]]:
    """Part frames by what they show; frames of two frames of reference never share a stack."""
    parted: dict[tuple[Kind, str, str], list[FrameSource]] = defaultdict(list)
    for source in sources:
        plane = source.plane
        echo = None if plane.echo_time_ms is None else round(plane.echo_time_ms, 1)
        kind = Kind(plane.frame_type, echo, plane.diffusion_b_value)
        parted[kind, plane.stack_id, source.instance.frame_of_reference_uid].append(source)
    return [(key[0], frames) for key, frames in parted.items()]


def _by_grid(sources: Sequence[FrameSource]) -> list[list[FrameSource]]:
    """Part frames by size, direction, pixel spacing and the line their corners lie on."""
    features = [
        (
            source.instance.rows,
            source.instance.columns,
            *source.plane.image_orientation_patient,
            *np.log(source.plane.pixel_spacing),
        )
        for source in sources
    ]
    tolerances = (0, 0, *[ORIENTATION_TOLERANCE] * 6, *[SPACING_TOLERANCE] * 2)
    grids = ([sources[index] for index in grid] for grid in _alike(np.array(features), np.array(tolerances)))
    return [line for grid in grids for line in _by_corner(grid)]


def _by_corner(grid: list[FrameSource]) -> list[list[FrameSource]]:
    """Part parallel frames that are stacked at different places, as the stations of a whole spine are."""
    depth, corners = slice_depths(grid), slice_corners(grid)
    if np.ptp(corners, axis=0).max() <= CORNER_TOLERANCE_MM or _is_sheared_stack(depth, corners):
        return [grid]
    return [[grid[index] for index in line] for line in _alike(corners, np.full(2, CORNER_TOLERANCE_MM))]


def _alike(features: Array, tolerances: Array) -> list[list[int]]:
    """Part rows of `features` (rows, features): each joins the first group whose first row it resembles."""
    groups: list[list[int]] = []
    firsts = np.empty_like(features, dtype=np.float64)
    for index, row in enumerate(features):
        near = np.all(np.abs(firsts[: len(groups)] - row) <= tolerances, axis=1)
        if near.any():
            groups[int(near.argmax())].append(index)
        else:
            firsts[len(groups)] = row
            groups.append([index])
    return groups


def _is_sheared_stack(depth: Array, corners: Array) -> bool:
    """Whether corners move steadily with depth, no place being taken twice."""
    if len(depth) < 3 or np.diff(np.sort(depth)).min() <= SAME_PLACE_MM:
        return False
    line = np.stack([depth - depth.mean(), np.ones_like(depth)], axis=1)
    rest = corners - line @ np.linalg.lstsq(line, corners, rcond=None)[0]
    return bool(np.abs(rest).max() <= CORNER_TOLERANCE_MM / 2)


def _by_repetition(grid: Sequence[FrameSource]) -> list[list[FrameSource]]:
    """Part frames that show the same place again: by time, by acquisition, else in the order they were numbered."""
    if not _repeats(grid):
        return [list(grid)]
    discriminators: tuple[Callable[[FrameSource], Hashable], ...] = (
        lambda source: source.plane.temporal_position,
        lambda source: source.plane.acquisition_number,
    )
    for discriminator in discriminators:
        parted: dict[Hashable, list[FrameSource]] = defaultdict(list)
        for source in grid:
            parted[discriminator(source)].append(source)
        if None not in parted and not any(_repeats(part) for part in parted.values()):
            return [parted[value] for value in sorted(parted, key=lambda value: (str(type(value)), value))]
    return _layers(grid)


def _layers(grid: Sequence[FrameSource]) -> list[list[FrameSource]]:
    """The first frame at each place, then the second at each, and so on."""
    depth = slice_depths(grid)
    places: list[list[int]] = []
    for index in sorted(range(len(grid)), key=lambda at: depth[at]):
        if not places or depth[index] - depth[places[-1][0]] > SAME_PLACE_MM:
            places.append([])
        places[-1].append(index)
    layers: list[list[FrameSource]] = [[] for _ in range(max(map(len, places)))]
    for place in places:
        for layer, index in enumerate(sorted(place, key=lambda at: number_order(grid[at]))):
            layers[layer].append(grid[index])
    return layers


def _repeats(grid: Sequence[FrameSource]) -> bool:
    return len(grid) > 1 and bool(np.diff(np.sort(slice_depths(grid))).min() <= SAME_PLACE_MM)


def _size_warnings(stacks: Sequence[Stack]) -> list[str]:
    if len({stack.shape[1:] for stack in stacks}) > 1:
        return ["The series holds images of different sizes; each size is a separate stack."]
    return []


def _file_order(instance: Instance) -> tuple[object, ...]:
    first = instance.frame_planes[0].image_position_patient if instance.frame_planes else ()
    return (none_last(instance.instance_number), first, instance.sha256)


def _series_order(series: SeriesGroup) -> tuple[object, ...]:
    numbers = sorted(none_last(instance.series_number) for instance in series.instances)
    acquisition = series.instances[0].acquisition
    return (
        numbers[0],
        acquisition.series_description,
        repr(acquisition),
        tuple(frame_order(stack.frames[0]) for stack in series.stacks),
        min(instance.sha256 for instance in series.instances),
    )


def _study_order(study: StudyGroup) -> tuple[object, ...]:
    instances = [instance for series in study.series for instance in series.instances]
    return (min((item.study_date, item.study_time) for item in instances), min(item.sha256 for item in instances))
