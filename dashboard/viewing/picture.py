"""A slice as it is shown: turned the radiological way, with coordinates in mm and letters at its edges.

Axial and coronal slices show the patient's right on the left of the screen, axial ones the front on top,
sagittal ones the front on the left and the head on top. Turning is by flips and a transpose only, so every shown
pixel is a stored one.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from dashboard.study import Volume, slice_affine, slice_normal

Array = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.generic]

# By the axis of the slice normal (x, y, z): the LPS axes and signs that point right and down on screen.
SCREEN_AXES = (
    ((1, 1.0), (2, -1.0)),
    ((0, 1.0), (2, -1.0)),
    ((0, 1.0), (1, 1.0)),
)
LETTERS = (("R", "L"), ("A", "P"), ("F", "H"))


@dataclass(frozen=True, eq=False)
class Picture:
    """One slice ready to be drawn.

    Attributes
    ----------
    pixels
        (rows, columns) as on screen, real-world values.
    right, down
        Unit vectors (3), LPS, of increasing column and row on screen.
    across_mm, down_mm
        Coordinates of the pixel centres along those vectors, (columns) and (rows), ascending. On slices that
        are not tilted they are LPS coordinates.
    """

    pixels: Pixels
    right: Array
    down: Array
    across_mm: Array
    down_mm: Array
    depth_mm: float

    @property
    def letters(self) -> tuple[str, str, str, str]:
        """Patient directions at the left, top, right and bottom edge."""
        return _letter(-self.right), _letter(-self.down), _letter(self.right), _letter(self.down)

    def project(self, points: Array) -> Array:
        """Screen coordinates in mm, (n, 2), of LPS points (n, 3)."""
        return np.stack([points @ self.right, points @ self.down], axis=1)

    def around(self, centre: tuple[float, float], side_mm: float) -> "Picture":
        """The part within a square of `side_mm` about a screen position in mm; the whole where none is left."""
        columns = np.flatnonzero(np.abs(self.across_mm - centre[0]) <= side_mm / 2)
        rows = np.flatnonzero(np.abs(self.down_mm - centre[1]) <= side_mm / 2)
        if not columns.size or not rows.size:
            return self
        across, down = slice(columns[0], columns[-1] + 1), slice(rows[0], rows[-1] + 1)
        return replace(
            self, pixels=self.pixels[down, across], across_mm=self.across_mm[across], down_mm=self.down_mm[down]
        )

    def thinned(self, side: int) -> "Picture":
        """Every n-th pixel, so that neither side exceeds `side`: values stay stored ones."""
        step = max(1, -(-max(self.pixels.shape) // side))
        return replace(
            self,
            pixels=self.pixels[::step, ::step],
            across_mm=self.across_mm[::step],
            down_mm=self.down_mm[::step],
        )


def picture_of(volume: Volume, index: int) -> Picture:
    """Slice `index` of a volume; only that slice is read from a memory map.

    Raises
    ------
    IndexError
        The volume has no such slice.
    """
    if not 0 <= index < volume.voxels.shape[0]:
        raise IndexError(f"slice {index} of {volume.voxels.shape[0]}")
    return plane_picture(np.asarray(volume.voxels[index]), slice_affine(volume.affine, index))


def plane_picture(pixels: Pixels, affine: Array) -> Picture:
    """Any plane as it is shown, given its affine (4, 4): (0, row, column, 1) to LPS mm."""
    across, down, origin = affine[:3, 2], affine[:3, 1], affine[:3, 3]
    right_axis, down_axis = SCREEN_AXES[int(np.abs(slice_normal(affine)).argmax())]
    if _along(across, right_axis) + _along(down, down_axis) < _along(down, right_axis) + _along(across, down_axis):
        pixels, across, down = pixels.T, down, across
    if across[right_axis[0]] * right_axis[1] < 0:
        origin, across, pixels = origin + across * (pixels.shape[1] - 1), -across, pixels[:, ::-1]
    if down[down_axis[0]] * down_axis[1] < 0:
        origin, down, pixels = origin + down * (pixels.shape[0] - 1), -down, pixels[::-1]
    right_step, down_step = float(np.linalg.norm(across)), float(np.linalg.norm(down))
    right, downward = across / right_step, down / down_step
    return Picture(
        pixels,
        right,
        downward,
        float(origin @ right) + right_step * np.arange(pixels.shape[1], dtype=np.float64),
        float(origin @ downward) + down_step * np.arange(pixels.shape[0], dtype=np.float64),
        float(origin @ np.cross(right, downward)),
    )


def resampled_picture(volume: Volume, affine: Array, shape: tuple[int, int]) -> Picture:
    """A plane through a volume that need not follow its slices, by linear interpolation; 0 outside.

    `affine` (4, 4) maps (0, row, column, 1) of the new plane to LPS mm, `shape` is its (rows, columns).
    """
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float64)
    grid = np.stack([np.zeros(rows.size), rows.ravel(), columns.ravel(), np.ones(rows.size)])
    index = (np.linalg.inv(volume.affine) @ affine @ grid)[:3]
    low = np.clip(np.floor(index.min(axis=1)).astype(int) - 1, 0, None)
    high = np.ceil(index.max(axis=1)).astype(int) + 2
    block = np.asarray(volume.voxels[low[0] : high[0], low[1] : high[1], low[2] : high[2]], dtype=np.float32)
    if 0 in block.shape:
        return plane_picture(np.zeros(shape, np.float32), affine)
    values = ndimage.map_coordinates(block, index - low[:, None], order=1, mode="constant", cval=0.0)
    return plane_picture(values.reshape(shape), affine)


def _along(vector: Array, axis: tuple[int, float]) -> float:
    return float(abs(vector[axis[0]]) / np.linalg.norm(vector))


def _letter(direction: Array) -> str:
    axis = int(np.abs(direction).argmax())
    return LETTERS[axis][int(direction[axis] > 0)]
