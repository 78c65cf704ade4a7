"""Real series with a cord, ready to be implanted into: images at 0.5 mm with masks, by person and purpose.

The masked cervical volumes are never trained on. Two of them (``TUNING_CORDS``) were looked at while the recipe was
tuned and serve calibration; the others, and the people of ``TEST_SPIDER``, are only ever tested.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from dashboard.grading.quality import LEAST_CANAL_INSIDE
from models.training.implanter import TestSlice
from models.training.labels import COMPRESSION_PIXEL_MM
from models.training.volumes import WIDE_PX, RealSlice, spider_slices

T2_CORDS = ("sct_t2",)
T2STAR_CORDS = ("gm_sub-9418", "gm_sub-10062Ses1", "gm_sub-9604", "gm_sub-9709Ses1")
OTHER_CORDS = ("sct_t1",)
TUNING_CORDS = ("sct_t2", "gm_sub-9418")
CERVICAL, LOWER_THORACIC = "cervical", "lower thoracic"
_SPIDER = "spider-"
_FIELD_STEP = 2
_CANAL_RADIUS_MM = 8.0


@dataclass(frozen=True, slots=True)
class SeriesCase:
    """An axial series of one person.

    ``images`` float32 (slices, rows, columns) raw at 0.5 mm; ``inside`` bool likewise; ``windows`` first row and column
    of the 64 mm square about the cord of each slice; ``sacs`` and ``cords`` masks of these squares (slices, 128, 128).
    """

    person: str
    kind: str
    images: np.ndarray
    inside: np.ndarray
    windows: list[tuple[int, int]]
    sacs: np.ndarray
    cords: np.ndarray
    spacing_mm: float

    @property
    def region(self) -> str:
        """Where along the spine the series lies."""
        return LOWER_THORACIC if self.person.startswith(_SPIDER) else CERVICAL

    def slice(self, index: int) -> TestSlice:
        """One slice's square, to implant into."""
        r, c = self.windows[index]
        square = (slice(r, r + WIDE_PX), slice(c, c + WIDE_PX))
        return TestSlice(self.images[index][square], self.inside[index][square], self.sacs[index], self.cords[index])


def canonical(path: Path) -> tuple[np.ndarray, tuple[float, float, float]]:
    """A volume as (slice head to foot, row front to back, column right to left) with its spacing in mm."""
    import nibabel

    image = nibabel.as_closest_canonical(nibabel.load(path))
    array = np.asarray(image.dataobj, np.float32)
    sx, sy, sz = (float(v) for v in image.header.get_zooms()[:3])
    return np.ascontiguousarray(array[::-1, ::-1, ::-1].transpose(2, 1, 0)), (sz, sy, sx)


def image_path(folder: Path, name: str) -> Path:
    """The picture beside ``cord.nii.gz``."""
    return next(p for p in sorted((folder / "cord" / name).glob("*.nii.gz")) if p.name != "cord.nii.gz")


def cord_case(folder: Path, name: str) -> SeriesCase:
    """A masked volume of ``cord/``; slices without a cord mask are left out."""
    images, spacing = canonical(image_path(folder, name))
    masks, _ = canonical(folder / "cord" / name / "cord.nii.gz")
    step = max(1, round(_FIELD_STEP / spacing[0]))
    picks = [i for i in range(0, len(images), step) if masks[i].sum() * spacing[1] * spacing[2] > 25]
    zoom = (spacing[1] / COMPRESSION_PIXEL_MM, spacing[2] / COMPRESSION_PIXEL_MM)
    pictures = np.stack([_pad(ndimage.zoom(images[i], zoom, order=1, grid_mode=True, mode="nearest")) for i in picks])
    cords = np.stack([_pad(ndimage.zoom(masks[i], zoom, order=1, grid_mode=True, mode="nearest")) for i in picks]) > 0.5
    inside = np.stack(
        [_pad(np.ones_like(ndimage.zoom(masks[i], zoom, order=0, grid_mode=True, mode="nearest"))) > 0 for i in picks]
    )
    windows, sacs, squares = [], [], []
    for picture, cord in zip(pictures, cords, strict=True):
        r, c = (round(v) - WIDE_PX // 2 for v in ndimage.center_of_mass(cord))
        r, c = (int(np.clip(v, 0, n - WIDE_PX)) for v, n in zip((r, c), picture.shape, strict=True))
        square = (slice(r, r + WIDE_PX), slice(c, c + WIDE_PX))
        windows.append((r, c))
        squares.append(cord[square])
        sacs.append(sac_about(picture[square], cord[square]))
    kind = "t2" if name in T2_CORDS else "t2star" if name in T2STAR_CORDS else "other"
    return SeriesCase(name, kind, pictures, inside, windows, np.stack(sacs), np.stack(squares), step * spacing[0])


def _pad(picture: np.ndarray) -> np.ndarray:
    """Zeros about a picture smaller than the square."""
    short = [max(0, WIDE_PX - n) for n in picture.shape]
    return np.pad(picture, [(s // 2, s - s // 2) for s in short])


def sac_about(picture: np.ndarray, cord: np.ndarray) -> np.ndarray:
    """The bright ring about a cord mask, smoothed, with the cord."""
    smooth = ndimage.gaussian_filter(picture, 0.8)
    distance = ndimage.distance_transform_edt(~cord) * COMPRESSION_PIXEL_MM
    ring = (distance > 0.5) & (distance < 4)
    bright = np.percentile(smooth[ring], 85)
    threshold = 0.5 * (bright + np.median(smooth[cord]))
    fluid = (smooth > threshold) & (distance < 6.5)
    fluid = ndimage.binary_opening(fluid, iterations=1)
    parts, _ = ndimage.label(fluid | (distance <= 0.75))
    joined = parts == parts[cord][0] if cord.any() else fluid
    closed = ndimage.binary_closing(joined | cord, iterations=4)
    return ndimage.binary_opening(ndimage.binary_fill_holes(closed), iterations=3) | (distance <= 0.75)


def spider_case(folder: Path, person: str, step_mm: float = 2.0) -> SeriesCase | None:
    """Reformats of a lumbar volume that show a cord and the whole canal; None where fewer than three do."""
    return _case(person, [s for s in _with_cord(folder, person, step_mm) if not is_cut(s)], step_mm)


def cut_case(folder: Path, person: str, step_mm: float = 2.0) -> SeriesCase | None:
    """Those whose canal is cut by the edge of the slab, which nobody could grade; None where fewer than three are."""
    return _case(person, [s for s in _with_cord(folder, person, step_mm) if is_cut(s)], step_mm)


def is_cut(real: RealSlice) -> bool:
    """Whether the edge of the field runs through the canal: too little of the 8 mm about the cord was acquired."""
    row, column = ndimage.center_of_mass(real.cord)
    rows, columns = np.indices(real.cord.shape)
    near = np.hypot(rows - row, columns - column) * COMPRESSION_PIXEL_MM <= _CANAL_RADIUS_MM
    return float(real.inside[near].mean()) < LEAST_CANAL_INSIDE


def _with_cord(folder: Path, person: str, step_mm: float) -> list[RealSlice]:
    return [s for s in spider_slices(folder, person, step_mm) if s.has_cord and s.cord.sum() > 72]


def _case(person: str, slices: list[RealSlice], step_mm: float) -> SeriesCase | None:
    if len(slices) < 3:
        return None
    return SeriesCase(
        f"{_SPIDER}{person}",
        "t2",
        np.stack([s.image for s in slices]),
        np.stack([s.inside for s in slices]),
        [(0, 0)] * len(slices),
        np.stack([s.sac | s.cord for s in slices]),
        np.stack([s.cord for s in slices]),
        step_mm,
    )
