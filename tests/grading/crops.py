"""Label crops of known shape and known grade, and predictions made of them.

Ellipses for cord and sac, tumour fronts that are circles or straight edges pushed in from any side. The grade is known
by construction: how far the front goes is chosen against the shapes as they were before it came.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from dashboard.study import (
    GRADES,
    LABELS,
    Acquisition,
    FrameReference,
    Role,
    Series,
    SeriesPrediction,
    SlicePrediction,
    Study,
    Volume,
)

SIZE, PIXEL_MM = 96, 0.5
CSF, CORD, TUMOUR = LABELS.index("csf"), LABELS.index("cord"), LABELS.index("tumour")
GRADABLE = (0.96, 0.01, 0.01, 0.01, 0.01)
Labels = npt.NDArray[np.uint8]


def ellipse(ap_mm: float, rl_mm: float, centre_mm: tuple[float, float] = (0.0, 0.0), turn: float = 0.0) -> Labels:
    """Boolean crop of a filled ellipse; centre (row, column) from the middle of the crop."""
    half = (SIZE - 1) / 2 * PIXEL_MM
    axis = np.arange(SIZE) * PIXEL_MM - half
    rows, columns = axis[:, None] - centre_mm[0], axis[None, :] - centre_mm[1]
    along_rows = rows * np.cos(turn) - columns * np.sin(turn)
    along_columns = rows * np.sin(turn) + columns * np.cos(turn)
    return (along_rows / (ap_mm / 2)) ** 2 + (along_columns / (rl_mm / 2)) ** 2 <= 1


@dataclass(frozen=True)
class Anatomy:
    """A healthy slice: sizes in mm, the cord's place within the sac as (row, column)."""

    cord_ap: float = 7.0
    cord_rl: float = 9.5
    sac_ap: float = 13.0
    sac_rl: float = 15.0
    cord_at: tuple[float, float] = (0.0, 0.0)

    @property
    def cord(self) -> Labels:
        return ellipse(self.cord_ap, self.cord_rl, self.cord_at)

    @property
    def sac(self) -> Labels:
        return ellipse(self.sac_ap, self.sac_rl)


def paint(sac: Labels, cord: Labels, tumour: Labels | None = None) -> Labels:
    """Labels of the masks; tumour wins over CSF, the cord over both."""
    labels = np.zeros((SIZE, SIZE), np.uint8)
    labels[sac] = CSF
    if tumour is not None:
        labels[tumour] = TUMOUR
    labels[cord] = CORD
    return labels


def front_depth_mm(direction: float, radius_mm: float, anatomy: Anatomy) -> npt.NDArray[np.float64]:
    """(rows, columns): how far in from the sac's edge each pixel lies along the front's way, mm; below 0 outside.

    The front is a circle of `radius_mm` (straight when infinite) that comes in `direction` (radians, 0 from the front).
    """
    half = (SIZE - 1) / 2 * PIXEL_MM
    axis = np.arange(SIZE) * PIXEL_MM - half
    rows, columns = np.meshgrid(axis, axis, indexing="ij")
    along = rows * np.cos(direction) + columns * np.sin(direction)
    across = -rows * np.sin(direction) + columns * np.cos(direction)
    bulge = 0.0 if np.isinf(radius_mm) else radius_mm - np.sqrt(np.maximum(radius_mm**2 - across**2, 0.0))
    height = along + bulge
    return height - float(height[anatomy.sac].min())


def crop_of_grade(grade: str, rng: np.random.Generator) -> Labels | None:
    """A crop of the grade, or None where this draw leaves no room for it."""
    scale = rng.uniform(0.85, 1.15)
    anatomy = Anatomy(
        cord_ap=scale * rng.uniform(5.8, 8.0),
        cord_rl=scale * rng.uniform(8.0, 12.5),
        sac_ap=scale * rng.uniform(11.5, 15.0),
        sac_rl=scale * rng.uniform(14.0, 18.0),
        cord_at=(rng.uniform(-1, 1), rng.uniform(-0.7, 0.7)),
    )
    if grade == "0":
        return paint(anatomy.sac, anatomy.cord)
    direction = rng.choice([rng.normal(0, 0.6), rng.uniform(-np.pi, np.pi)])
    depth = front_depth_mm(direction, rng.choice([6.0, 9.0, 14.0, np.inf]), anatomy)
    canal = ndimage.binary_dilation(anatomy.sac, iterations=5)
    to_cord = float(depth[anatomy.cord].min())
    through_cord = float(depth[anatomy.cord].max()) - to_cord
    if grade in ("1a", "1b", "1c"):
        return _not_compressed(grade, anatomy, depth, canal, to_cord, rng)
    cord = anatomy.cord & (depth > to_cord + rng.uniform(1.3, max(1.4, 0.5 * through_cord)))
    if cord.sum() < 60:
        return None
    tumour = canal & (depth <= float(depth[cord].min())) & ~cord
    if grade == "2":
        left = anatomy.sac & ~tumour & ~cord
        opened = ndimage.binary_opening(left, np.ones((2, 2))).sum() * PIXEL_MM**2
        return paint(anatomy.sac & ~tumour, cord, tumour) if opened >= 9 else None
    if rng.random() < 0.5:
        return paint(cord, cord, canal & ~cord)
    return paint(cord, cord, tumour)


def _not_compressed(grade, anatomy, depth, canal, to_cord, rng) -> Labels | None:
    if grade == "1a":
        tumour = canal & (depth <= rng.uniform(-0.8, 0.1)) & ~anatomy.sac
        return paint(anatomy.sac, anatomy.cord, tumour) if tumour.sum() * PIXEL_MM**2 >= 3 else None
    if grade == "1b":
        if to_cord < 2.2:
            return None
        level = rng.uniform(1.0, to_cord - 1.2)
    else:
        if to_cord < 1.0:
            return None
        level = to_cord + rng.uniform(-0.2, 0.2)
    tumour = canal & (depth <= level) & ~anatomy.cord
    return paint(anatomy.sac & ~tumour, anatomy.cord, tumour)


def prediction(
    at_least: Sequence[float] = (0.01, 0.005, 0.002, 0.001, 0.0005),
    z_mm: float = 0.0,
    labels: Labels | None = None,
    scene: Sequence[float] = GRADABLE,
    index: int = 0,
    volume: int = 0,
    canal_score: float = 0.9,
    inside: float = 1.0,
    canal_inside: float = 1.0,
    signal_void: bool = False,
) -> SlicePrediction:
    """A slice at height `z_mm`; a healthy cord unless labels are given."""
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = (0, 0, 1), (0, PIXEL_MM, 0), (PIXEL_MM, 0, 0)
    affine[:3, 3] = (-23.75, -23.75, z_mm)
    return SlicePrediction(
        volume_index=volume,
        slice_index=index,
        frame=FrameReference(f"2.25.{1000 + index}"),
        affine=affine,
        pixel_mm=PIXEL_MM,
        image=np.zeros((SIZE, SIZE), np.float32),
        labels=paint(Anatomy().sac, Anatomy().cord) if labels is None else labels,
        at_least=np.asarray(at_least, np.float64),
        scene=np.asarray(scene, np.float64),
        canal_score=canal_score,
        inside=inside,
        canal_inside=canal_inside,
        signal_void=signal_void,
    )


def stack(slices: Sequence[SlicePrediction], uid: str = "2.25.7") -> SeriesPrediction:
    """A series of the given slices, head to foot."""
    return SeriesPrediction(uid, tuple(slices), ())


def axial_series(
    count: int, uid: str = "2.25.7", role: Role = Role.AXIAL_T2, reason: str | None = None, frame: str = "2.25.9"
) -> Series:
    """A series that could have given such a stack."""
    frames = tuple(FrameReference(f"2.25.{1000 + index}") for index in range(count))
    volume = Volume(np.zeros((count, 2, 2), np.int16), np.eye(4), frames)
    acquisition = Acquisition(modality="MR", series_description="AX T2")
    return Series(uid, 1, acquisition, role, (volume,), reason, (), frame)


def study_of(*series: Series, uid: str = "2.25.5") -> Study:
    """A study of these series."""
    return Study(uid, tuple(series))


def sure(grade: str, doubt: float = 0.03) -> tuple[float, ...]:
    """P(>= k) of a head that is nearly sure of a grade."""
    rank = GRADES.index(grade)
    return tuple(1 - doubt * (k + 1) / 6 if k < rank else doubt * (5 - k) / 6 for k in range(5))
