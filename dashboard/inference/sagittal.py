"""What the sagittal model sees in a series: vertebrae, discs, canal and cord, plane by plane.

Sagittal stacks are read in their own planes; 3-D volumes, whatever plane they are stored in, in planes a few
millimetres apart about the canal. Each plane is shown to the model between its neighbours about 4 mm to either side.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dashboard.inference.manifest import SAGITTAL
from dashboard.inference.preprocessing import Window, nonzero_window, padding
from dashboard.inference.registry import Models
from dashboard.inference.resampling import Image, Mask
from dashboard.inference.segmentation import most_probable
from dashboard.inference.sessions import Session, spread
from dashboard.inference.uprights import Grid, Upright, grid_over, upright
from dashboard.study import Role, Series, Volume
from dashboard.study.masks import window_of
from dashboard.study.sagittal import SAGITTAL_CLASSES, SagittalPrediction

# Beside the plane, as the model was taught: the nearest to 4 mm away that is no nearer than 3 and no farther than 5.
NEIGHBOUR_MM, NEIGHBOUR_REACH_MM = 4.0, (3.0, 5.0)
# More planes than a stack across a body is wide add nothing but time.
MAX_PLANES = 40
# Planes of a 3-D volume: as many as span a vertebra and a bent spine. Between two of them outlines are interpolated,
# which from planes 3 mm apart lost 0.003 of Dice in five people of SPIDER, and from planes 2 mm apart nothing.
FINE_STEP_MM, FINE_PLANES = 2.0, 46
# Where a 3-D volume is wider than that, the canal is first looked for in planes this far apart.
SEARCH_STEP_MM = 15.0
# A few planes are looked at whole, this far apart; of the others no more columns than held the spine in those, with as
# much before and behind as the model needs to tell where it is. A bent spine leaves planes, but not columns.
SCOUT_STEP_MM, AROUND_SPINE_MM = 16.0, 26.0
# A canal shows in a plane when it is this large there.
CANAL_SHOWS_MM2 = 200.0
# Nobody is longer or deeper than this; a header that says so lies, and the picture would not fit into memory.
LARGEST_FIELD_MM = 1200.0
NEVER = frozenset({Role.CT, Role.PET, Role.DWI, Role.ADC, Role.BRAIN_FLAIR, Role.BRAIN_T2, Role.BRAIN_DWI})
# A series without a known purpose is looked at when it has as many planes as a spine stack; localisers have fewer.
LEAST_PLANES_OF_OTHER = 7
KNOWN = frozenset({Role.SAGITTAL_T2, Role.SAGITTAL_T1, Role.SAGITTAL_STIR, Role.VOLUME_T2})
CANAL_CLASSES = (SAGITTAL_CLASSES.index("canal"), SAGITTAL_CLASSES.index("cord"))

Labels = npt.NDArray[np.uint8]
Box = tuple[slice, slice]


@dataclass(frozen=True, eq=False)
class _Look:
    """What the model says of one plane; `classes` are its probabilities in `box`, beyond which it saw nothing."""

    image: Image
    inside: Mask
    labels: Labels
    certainty: Labels
    classes: Image
    box: Box


def shows_sagittal(series: Series) -> bool:
    """Whether a series has planes for the sagittal model, by geometry; what its header calls it hardly matters."""
    if series.role in NEVER or series.acquisition.modality not in ("MR", ""):
        return False
    planes = [len(seen.view(v.voxels)) for v in series.volumes if (seen := upright(v)) is not None and _fits(v)]
    return bool(planes) and (series.role in KNOWN or max(planes) >= LEAST_PLANES_OF_OTHER)


def analyse_sagittal(series: Series, models: Models) -> tuple[SagittalPrediction, ...]:
    """Segment vertebrae, discs, canal and cord in every volume of a series that shows the spine from the side.

    Parameters
    ----------
    series
        Any series; volumes of thick slices in another plane are passed over.
    models
        From :func:`load_models`; without a sagittal model there is nothing to see.

    Returns
    -------
    tuple of SagittalPrediction
        One a volume that could be looked at; the same bytes for any number of threads.

    Raises
    ------
    ModelError
        The model gave something that is not a number.
    """
    if models.sagittal is None or not shows_sagittal(series):
        return ()
    window = nonzero_window([volume.voxels for volume in series.volumes], *SAGITTAL.percentiles)
    found = []
    for index, volume in enumerate(series.volumes):
        seen = upright(volume)
        if seen is not None and _fits(volume):
            viewer = _Viewer(volume, seen, window, models.sagittal, models.threads)
            found.append(viewer.prediction(series.series_instance_uid, index))
    return tuple(found)


def _fits(volume: Volume) -> bool:
    sides = np.linalg.norm(volume.affine[:3, :3], axis=0) * volume.voxels.shape
    return bool(sides.max() <= LARGEST_FIELD_MM)


class _Viewer:
    """One volume, looked at from the side."""

    def __init__(self, volume: Volume, seen: Upright, window: Window, session: Session, threads: int) -> None:
        self.volume, self.seen, self.window, self.session, self.threads = volume, seen, window, session, threads
        self.voxels = seen.view(volume.voxels)
        rows, columns = self.voxels.shape[1:]
        self.grid: Grid = grid_over(seen, (rows, columns), SAGITTAL.pixel_mm, SAGITTAL.multiple_px)
        self.field = self.grid.field
        self.beside = neighbour_step(seen.step_mm)

    def prediction(self, uid: str, volume_index: int) -> SagittalPrediction:
        """Everything seen in the planes that are worth it."""
        stride, planes = self._planes()
        looks = self._look_about_spine(planes, stride * self.seen.step_mm)
        affine = self.grid.affine.copy()
        affine[:3, 3] += affine[:3, 0] * planes[0]
        affine[:3, 0] *= stride
        return SagittalPrediction(
            series_instance_uid=uid,
            volume_index=volume_index,
            affine=affine,
            pixel_mm=SAGITTAL.pixel_mm,
            image=np.stack([look.image for look in looks]),
            inside=np.stack([look.inside for look in looks]),
            labels=np.stack([look.labels for look in looks]),
            certainty=np.stack([look.certainty for look in looks]),
            native_labels=self._native(planes, looks),
        )

    def _planes(self) -> tuple[int, list[int]]:
        """Step between the native planes that are looked at, and their indices."""
        count = len(self.voxels)
        if self.seen.step_mm > FINE_STEP_MM / 2:
            stride = -(-count // MAX_PLANES)
            return stride, list(range((count - 1) % stride // 2, count, stride))
        stride = max(1, round(FINE_STEP_MM / self.seen.step_mm))
        planes = list(range((count - 1) % stride // 2, count, stride))
        if len(planes) <= FINE_PLANES:
            return stride, planes
        middle = self._canal_plane(planes)
        first = int(np.clip(middle - FINE_PLANES // 2, 0, len(planes) - FINE_PLANES))
        return stride, planes[first : first + FINE_PLANES]

    def _canal_plane(self, planes: Sequence[int]) -> int:
        """Place among `planes` about which the canal lies; the middle where none was found."""
        every = max(1, round(SEARCH_STEP_MM / FINE_STEP_MM))
        tried = list(range(len(planes) % every // 2, len(planes), every))
        looks = self._look([planes[k] for k in tried], self._everything)
        areas = [np.isin(look.labels, CANAL_CLASSES).sum() * SAGITTAL.pixel_mm**2 for look in looks]
        showing = [k for k, area in zip(tried, areas, strict=True) if area >= CANAL_SHOWS_MM2]
        return round((showing[0] + showing[-1]) / 2) if showing else len(planes) // 2

    def _look_about_spine(self, planes: Sequence[int], step_mm: float) -> list[_Look]:
        """Every plane; after a few of them, no more columns of each than hold the spine."""
        every = max(1, round(SCOUT_STEP_MM / step_mm))
        scouts = planes[(len(planes) - 1) % every // 2 :: every]
        looks = dict(zip(scouts, self._look(scouts, self._everything), strict=True))
        window = self._around(list(looks.values()))
        showing = [plane for plane in scouts if looks[plane].labels.any()] or scouts
        # Beyond the first of those that shows nothing there is no spine; with none that shows any, all are looked at.
        first = max((plane for plane in scouts if plane < showing[0]), default=-1)
        last = min((plane for plane in scouts if plane > showing[-1]), default=len(self.voxels))
        rest = [plane for plane in planes if plane not in looks and first < plane < last]
        looks.update(zip(rest, self._look(rest, window), strict=True))
        return [looks[plane] if plane in looks else self._unseen(plane) for plane in planes]

    def _unseen(self, plane: int) -> _Look:
        """A plane beside the spine."""
        image, inside = self._cut(plane)
        nothing = np.zeros(inside.shape, np.uint8)
        box = _box(nothing)
        return _Look(
            image, inside, nothing, nothing + np.uint8(255), np.zeros((len(SAGITTAL_CLASSES), 0, 0), np.float32), box
        )

    @property
    def _everything(self) -> Box:
        rows, columns = self.grid.shape
        return slice(0, rows), slice(0, columns)

    def _around(self, looks: Sequence[_Look]) -> Box:
        """What to look at of the planes between: the whole where none of these shows a spine."""
        shown = _box(np.any([look.labels > 0 for look in looks], axis=0))
        if not shown[0].stop:
            return self._everything
        margin = round(AROUND_SPINE_MM / SAGITTAL.pixel_mm)
        columns = _widened(shown[1], margin, SAGITTAL.multiple_px, self.grid.shape[1])
        return self._everything[0], columns

    def _look(self, planes: Sequence[int], window: Box) -> list[_Look]:
        last = len(self.voxels) - 1
        beside = {k: [k + d if 0 <= k + d <= last else k for d in (-self.beside, 0, self.beside)] for k in planes}
        needed = sorted({index for three in beside.values() for index in three})
        cut = dict(zip(needed, spread(self._cut, needed, self.threads), strict=True))

        def one(plane: int) -> _Look:
            return self._answer(np.stack([cut[index][0] for index in beside[plane]]), cut[plane][1], window)

        return spread(one, planes, self.threads)

    def _cut(self, plane: int) -> tuple[Image, Mask]:
        pixels = self.grid.cut(self.voxels[plane])
        inside = self.field & ~padding(pixels, self.field)
        return self.window.apply(pixels, inside), inside

    def _answer(self, slices: Image, inside: Mask, window: Box) -> _Look:
        classes = self.session.run(np.ascontiguousarray(slices[None, :, *window]))["segmentation"][0]
        labels = np.zeros(inside.shape, np.uint8)
        certainty = np.full(inside.shape, 255, np.uint8)
        # What lies outside the field is nothing that was seen.
        labels[window] = most_probable(classes) * inside[window]
        certainty[window] = np.round(255 * np.clip(classes.max(axis=0), 0, 1)).astype(np.uint8)
        rows, columns = _box(labels[window])
        box = tuple(slice(a.start + b.start, a.stop + b.start) for a, b in ((rows, window[0]), (columns, window[1])))
        return _Look(slices[1], inside, labels, certainty, classes[:, rows, columns].copy(), (box[0], box[1]))

    def _native(self, planes: Sequence[int], looks: Sequence[_Look]) -> Labels:
        """Labels in the grid of the volume; between two planes that were looked at, the mean of both by nearness."""
        labels = np.zeros(self.volume.voxels.shape, np.uint8)
        box = _box(np.any([look.labels > 0 for look in looks], axis=0))
        if not box[0].stop:
            return labels
        view = self.seen.view(labels)
        reach = planes[1] - planes[0] if len(planes) > 1 else 1
        wanted = [k for k in range(len(view)) if planes[0] - reach < k < planes[-1] + reach]

        def one(plane: int) -> None:
            after = int(np.searchsorted(planes, plane))
            pair = [min(after, len(planes) - 1), max(after - 1, 0)]
            share = np.float32(np.clip((planes[pair[0]] - plane) / reach, 0, 1)) if after else np.float32(0)
            classes = _within(looks[pair[0]], box)
            if share:
                classes = classes * (1 - share) + _within(looks[pair[1]], box) * share
            painted, window = self.grid.back(classes, box)
            if painted.size:
                view[plane][window] = most_probable(painted)

        spread(one, wanted, self.threads)
        return labels


def neighbour_step(step_mm: float) -> int:
    """How many planes away the neighbour lies that the model is shown; 0 where none is about as far as it was taught.

    Parameters
    ----------
    step_mm
        Distance between neighbouring planes.
    """
    nearest = max(1, round(NEIGHBOUR_MM / step_mm))
    steps = [k for k in (nearest - 1, nearest, nearest + 1) if k and _reaches(k * step_mm)]
    return min(steps, key=lambda k: abs(k * step_mm - NEIGHBOUR_MM), default=0)


def _reaches(distance_mm: float) -> bool:
    # Spacings are rounded in headers: 2.9996 is 3.
    return NEIGHBOUR_REACH_MM[0] - 0.01 <= distance_mm <= NEIGHBOUR_REACH_MM[1] + 0.01


def _box(seen: npt.NDArray[np.generic]) -> Box:
    """Rows and columns of the grid that hold all that is not 0, with two pixels round them; empty where all is."""
    return window_of(seen != 0, 2) if seen.any() else (slice(0, 0), slice(0, 0))


def _widened(part: slice, margin: int, multiple: int, side: int) -> slice:
    """A stretch with a margin, its length a multiple that the model takes, within a side that is one itself."""
    length = min(side, -(-(part.stop - part.start + 2 * margin) // multiple) * multiple)
    start = (part.start + part.stop - length) // 2
    start = min(max(0, start), side - length)
    return slice(start, start + length)


def _within(look: _Look, box: Box) -> Image:
    """Probabilities of a plane in a box that holds its own."""
    classes = np.zeros((len(SAGITTAL_CLASSES), *(part.stop - part.start for part in box)), np.float32)
    classes[0] = 1.0
    rows, columns = (
        slice(own.start - part.start, own.stop - part.start) for own, part in zip(look.box, box, strict=True)
    )
    if look.classes.size:
        classes[:, rows, columns] = look.classes
    return classes
