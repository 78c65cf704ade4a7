"""One series in, everything the models see in it out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dashboard.inference import calibration
from dashboard.inference.localisation import CanalPoint, localise
from dashboard.inference.manifest import COMPRESSION
from dashboard.inference.native import Labels, Segmented, paint_reformats, paint_stack
from dashboard.inference.orientation import crop_affine, head_to_foot, is_axial
from dashboard.inference.planes import CutPlane, stack_plane
from dashboard.inference.preprocessing import Window, crops_window, nonzero_window, padding, slow_gain
from dashboard.inference.reformat import reformat_volume
from dashboard.inference.registry import Models
from dashboard.inference.resampling import Image, Mask
from dashboard.inference.segmentation import CORD, MIN_CORD_MM2, clean, cord_centre, most_probable
from dashboard.inference.sessions import spread
from dashboard.inference.voids import signal_void
from dashboard.study import SCENES, Role, Series, SeriesPrediction, SlicePrediction
from dashboard.study.geometry import Array

# A crop this near to the cord is not cut a second time: it would add 0.002 to the Dice and half to the time.
RECENTRE_MM = 2.0
# A "cord" farther from the localised canal than a canal is wide is something else: the centre stays.
MAX_RECENTRE_MM = 12.0
# Below this localiser score no segmentation is painted, unless the canal model's manifest states its own.
CANAL_MIN = 0.3
# Half the width of a sac that a cord lies in the middle of.
CANAL_RADIUS_MM = 8.0
# Contours in a brain, or in a series on its side, mislead; those in another contrast can be right. Headers lie for a
# whole series: a slice that looks turned between others that do not is outlined, the skull base at an end is not.
MAX_STRANGE = 0.5
NOT_SPINE, WRONG_GEOMETRY = SCENES.index("not_spine"), SCENES.index("wrong_geometry")


@dataclass(frozen=True, eq=False)
class _Crop:
    """Native grey values of one picture, not yet normalised."""

    plane: CutPlane
    score: float
    affine: Array
    pixels: Image
    inside: Mask
    gain: float = 1.0

    @property
    def lifted(self) -> Image:
        """Grey values as they would be nearer to the coil."""
        return self.pixels * np.float32(self.gain)


@dataclass(frozen=True, eq=False)
class _Answer:
    """What the compression model says about one crop."""

    crop: _Crop
    image: Image
    classes: Image
    labels: Labels
    ordinal: Image
    scene: Image


def analyse_series(series: Series, models: Models) -> SeriesPrediction:
    """Find the canal in every slice of a series, segment it and grade it.

    Axial stacks are read in their own planes, 3-D volumes (role ``volume_t2``) in planes cut across the canal.
    Every plane gets a prediction; where no canal was found its `canal_score` is low. Volumes stored in other planes
    give none, and labels of 0.

    Parameters
    ----------
    series
        Any series; whether its contrast may be graded is not judged here but left to its role and the scene
        probabilities.
    models
        From :func:`load_models`.

    Returns
    -------
    SeriesPrediction
        Slices from head to foot; the same bytes for any number of threads.

    Raises
    ------
    ModelError
        A model gave something that is not a number.
    """
    window = nonzero_window([volume.voxels for volume in series.volumes], *models.canal.manifest.contract.percentiles)
    found = _planes(series, window, models)
    crops = spread(lambda item: _cut(item[0], item[1].centre_mm, item[1].score), found, models.threads)
    low, high = models.compression.manifest.contract.percentiles
    insides = [crop.inside for crop in crops]
    gains = slow_gain([point.centre_mm[2] for _, point in found], [crop.pixels for crop in crops], insides)
    crops = [replace(crop, gain=float(gain)) for crop, gain in zip(crops, gains, strict=True)]
    grey = crops_window([crop.lifted for crop in crops], insides, low, high)
    answers = spread(lambda crop: _recentred(_ask(crop, grey, models), grey, models), crops, models.threads)
    return SeriesPrediction(
        series_instance_uid=series.series_instance_uid,
        slices=tuple(_prediction(answer, models) for answer in answers if not answer.crop.plane.between),
        native_labels=_native_labels(series, answers, models),
    )


def _planes(series: Series, window: Window, models: Models) -> list[tuple[CutPlane, CanalPoint]]:
    """All planes to look at, head to foot, with the canal's centre in each."""
    if series.role is Role.VOLUME_T2:
        found = []
        for index, volume in enumerate(series.volumes):
            found += reformat_volume(volume, index, window, models.canal, models.threads)
        return sorted(found, key=lambda item: -float(item[1].centre_mm[2]))
    axial = [is_axial(volume) for volume in series.volumes]
    order = [(v, k) for v, k in head_to_foot(series.volumes) if axial[v] and series.volumes[v].frames[k].arrived]
    planes = [stack_plane(series.volumes[v], v, k) for v, k in order]
    return list(zip(planes, localise(planes, window, models.canal, models.threads), strict=True))


def _cut(plane: CutPlane, centre_mm: Array, score: float) -> _Crop:
    affine = crop_affine(centre_mm, plane.axes, COMPRESSION.size_px, COMPRESSION.pixel_mm)
    pixels, inside = plane.cut(affine, COMPRESSION.size_px)
    return _Crop(plane, score, affine, pixels, inside & ~padding(pixels, inside))


def _ask(crop: _Crop, grey: Window, models: Models) -> _Answer:
    image = grey.apply(crop.lifted, crop.inside)
    outputs = models.compression.run(image[None, None])
    classes = clean(outputs["segmentation"][0], COMPRESSION.pixel_mm)
    return _Answer(crop, image, classes, most_probable(classes), outputs["ordinal"][0], outputs["scene"][0])


def _recentred(answer: _Answer, grey: Window, models: Models) -> _Answer:
    """The answer for a crop around the segmented cord, where that lies off the first crop's middle."""
    crop = answer.crop
    middle = crop.affine @ np.array([0.0, *[(COMPRESSION.size_px - 1) / 2] * 2, 1.0])
    cord = cord_centre(answer.labels, crop.affine, MIN_CORD_MM2, COMPRESSION.pixel_mm)
    if cord is None or not RECENTRE_MM < float(np.linalg.norm(cord - middle[:3])) <= MAX_RECENTRE_MM:
        return answer
    return _ask(replace(_cut(crop.plane, cord, crop.score), gain=crop.gain), grey, models)


def _prediction(answer: _Answer, models: Models) -> SlicePrediction:
    crop, calibrated = answer.crop, models.compression.manifest.calibration
    return SlicePrediction(
        volume_index=crop.plane.volume_index,
        slice_index=crop.plane.slice_index,
        frame=crop.plane.frame,
        affine=crop.affine,
        pixel_mm=COMPRESSION.pixel_mm,
        image=answer.image,
        labels=answer.labels,
        at_least=calibration.at_least(answer.ordinal, calibrated),
        scene=calibration.scene(answer.scene, calibrated),
        canal_score=crop.score,
        inside=float(crop.inside.mean()),
        canal_inside=_canal_inside(answer),
        signal_void=signal_void(answer.image, crop.inside, COMPRESSION.pixel_mm),
    )


def _canal_inside(answer: _Answer) -> float:
    """Fraction of the disc around the cord, or around the middle, that lies within the field of view."""
    rows, columns = np.nonzero(answer.labels == CORD)
    middle = (COMPRESSION.size_px - 1) / 2
    row, column = (rows.mean(), columns.mean()) if rows.size else (middle, middle)
    grid = np.arange(COMPRESSION.size_px)
    distance = np.hypot(grid[:, None] - row, grid[None, :] - column) * COMPRESSION.pixel_mm
    return float(answer.crop.inside[distance <= CANAL_RADIUS_MM].mean())


def _native_labels(series: Series, answers: Sequence[_Answer], models: Models) -> tuple[Labels, ...]:
    paint = paint_reformats if series.role is Role.VOLUME_T2 else paint_stack
    scenes = [calibration.scene(answer.scene, models.compression.manifest.calibration) for answer in answers]
    upright = [index for index, scene in enumerate(scenes) if float(scene[WRONG_GEOMETRY]) < MAX_STRANGE]
    if len(upright) * 2 <= len(scenes):
        upright = []
    within = range(upright[0], upright[-1] + 1) if upright else range(0)
    painted = []
    for index, volume in enumerate(series.volumes):
        crops = [
            Segmented(answer.crop.plane.slice_index, answer.crop.affine, answer.classes)
            for place, (answer, scene) in enumerate(zip(answers, scenes, strict=True))
            if answer.crop.plane.volume_index == index and place in within and _is_painted(answer, scene, models)
        ]
        painted.append(paint(volume, crops, models.threads))
    return tuple(painted)


def _is_painted(answer: _Answer, scene: Array, models: Models) -> bool:
    """Whether a canal was found here and the picture is that of a spine."""
    on_spine = float(scene[NOT_SPINE]) < MAX_STRANGE
    return on_spine and answer.crop.score >= models.canal.manifest.threshold("canal_min", CANAL_MIN)
