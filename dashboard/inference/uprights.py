"""A volume seen from the side: sagittal planes from right to left, rows from head to foot, columns from front to back.

Which stored axis is which, and which way it runs, is read off the affine alone. Oblique planes stay as they were
acquired; only axes are swapped and reversed, and within its plane a picture is turned where it stands more askew than
the model was taught.
"""

from dataclasses import dataclass
from itertools import permutations

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse

from dashboard.inference.orientation import HEAD, LEFT, MAX_TURN_DEG
from dashboard.inference.resampling import Image, Mask, axis_matrix, finite
from dashboard.study import Volume
from dashboard.study.geometry import Array

FOOT, BACK = -HEAD, np.array([0.0, 1.0, 0.0])
# Planes whose normal lies within 45 degrees of the patient's left-right axis show the spine from the side.
SAGITTAL_COSINE = 0.7071
# Every side of a voxel of a 3-D volume, as for cuts across the canal, and how thick a slab of it must be.
FINE_MM, FINE_EXTENT_MM = 1.3, 15.0


@dataclass(frozen=True, eq=False)
class Upright:
    """How a volume's axes are swapped (`order`) and reversed (`flips`); `affine` is that of the view."""

    order: tuple[int, int, int]
    flips: tuple[bool, bool, bool]
    affine: Array

    def view(self, stored: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """The same voxels (planes, rows, columns), not copied; what is written to it is written to `stored`."""
        steps = tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)
        return np.transpose(stored, self.order)[steps]

    @property
    def normal(self) -> Array:
        """Unit normal (3) of the planes, to the patient's left."""
        normal = np.cross(self.affine[:3, 1], self.affine[:3, 2])
        unit = normal / np.linalg.norm(normal)
        return np.asarray(unit if unit @ LEFT >= 0 else -unit)

    @property
    def step_mm(self) -> float:
        """Distance between neighbouring planes, across them."""
        return abs(float(self.affine[:3, 0] @ self.normal))


def upright(volume: Volume) -> Upright | None:
    """How a volume is seen from the side; None for one that cannot be: thick slices in another plane."""
    fine = _is_fine(volume)
    units = volume.affine[:3, :3] / np.linalg.norm(volume.affine[:3, :3], axis=0)
    wanted = np.stack([LEFT, FOOT, BACK])
    cosines = wanted @ units
    orders = [order for order in permutations(range(3)) if fine or order[0] == 0]
    order = max(orders, key=lambda one: sum(abs(float(cosines[k, axis])) for k, axis in enumerate(one)))
    flips = tuple(bool(cosines[k, axis] < 0) for k, axis in enumerate(order))
    affine = volume.affine[:, [*order, 3]].copy()
    for axis, flip in enumerate(flips):
        if flip:
            affine[:3, 3] += affine[:3, axis] * (volume.voxels.shape[order[axis]] - 1)
            affine[:3, axis] *= -1
    seen = Upright((order[0], order[1], order[2]), (flips[0], flips[1], flips[2]), affine)
    return seen if abs(float(seen.normal @ LEFT)) >= SAGITTAL_COSINE else None


def _is_fine(volume: Volume) -> bool:
    spacing = np.linalg.norm(volume.affine[:3, :3], axis=0)
    extent = spacing * np.array(volume.voxels.shape)
    return bool(spacing.max() <= FINE_MM and extent.min() >= FINE_EXTENT_MM)


@dataclass(frozen=True, eq=False)
class Grid:
    """The model's grid over one upright view: pictures of `shape` pixels, the same for every plane.

    `affine` maps (native plane, row, column, 1) to LPS mm.
    """

    affine: Array
    shape: tuple[int, int]
    native_shape: tuple[int, int]
    pixel_mm: float
    # (3, 3), grid (row, column, 1) to native, and whether that needs no turning.
    to_native: Array
    aligned: bool

    def cut(self, plane: npt.NDArray[np.generic]) -> Image:
        """Picture (rows, columns) of one native plane, averaged where it is finer, 0 outside."""
        start, steps = self.to_native[:2, 2], (self.to_native[0, 0], self.to_native[1, 1])
        if self.aligned:
            return _product(*_matrices(self.native_shape, start, steps, self.shape), finite(plane))
        # Averaged to the grid's pixel along the native axes, then turned by linear interpolation.
        scale = np.linalg.norm(self.to_native[:2, :2], axis=1)
        small = tuple(int(np.ceil(n / s)) for n, s in zip(self.native_shape, scale, strict=True))
        first = np.asarray((scale - 1) / 2, dtype=np.float64)
        averaging = _matrices(self.native_shape, first, (scale[0], scale[1]), (small[0], small[1]))
        image = _product(*averaging, finite(plane))
        matrix = self.to_native[:2, :2] / scale[:, None]
        turned = ndimage.affine_transform(
            image, matrix, (start - first) / scale, output_shape=self.shape, order=1, mode="constant"
        )
        return np.asarray(turned, dtype=np.float32)

    @property
    def field(self) -> Mask:
        """(rows, columns) where the stored picture reaches."""
        rows, columns = (np.arange(n, dtype=np.float64) for n in self.shape)
        inside = np.ones(self.shape, np.bool_)
        for axis, length in enumerate(self.native_shape):
            down, along, start = self.to_native[axis]
            index = start + down * rows[:, None] + along * columns[None, :]
            inside &= (index >= -0.5) & (index <= length - 0.5)
        return inside

    def back(self, classes: Image, box: tuple[slice, slice]) -> tuple[Image, tuple[slice, slice]]:
        """Probabilities at the native pixels that a box of the grid covers.

        Parameters
        ----------
        classes
            (classes, rows, columns) in the box.
        box
            Rows and columns of the grid.

        Returns
        -------
        tuple
            (classes, rows, columns) of a window of the native plane, and that window.
        """
        ends = np.array([[r, c, 1] for r in (box[0].start, box[0].stop - 1) for c in (box[1].start, box[1].stop - 1)])
        reached = (self.to_native @ ends.T)[:2]
        low = np.clip(np.ceil(reached.min(axis=1)).astype(int), 0, self.native_shape)
        high = np.clip(np.floor(reached.max(axis=1)).astype(int) + 1, low, self.native_shape)
        window = (slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1])))
        shape = (int(high[0] - low[0]), int(high[1] - low[1]))
        if 0 in shape:
            return np.zeros((len(classes), *shape), np.float32), window
        to_box = np.linalg.inv(self.to_native)
        to_box[:2, 2] += to_box[:2, :2] @ low - (box[0].start, box[1].start)
        if self.aligned:
            source = (classes.shape[1], classes.shape[2])
            matrices = _matrices(source, np.asarray(to_box[:2, 2], np.float64), (to_box[0, 0], to_box[1, 1]), shape)
            return np.stack([_product(*matrices, plane) for plane in classes]), window
        turned = [
            ndimage.affine_transform(
                plane, to_box[:2, :2], to_box[:2, 2], output_shape=shape, order=1, mode="nearest", output=np.float32
            )
            for plane in classes
        ]
        return np.stack(turned), window


def grid_over(seen: Upright, native_shape: tuple[int, int], pixel_mm: float, multiple_px: int) -> Grid:
    """The smallest grid about the middle of the field that covers it, in multiples of `multiple_px`.

    Parameters
    ----------
    seen
        The view.
    native_shape
        Rows and columns of its planes.
    """
    rows, columns = _in_plane_axes(seen)
    native = seen.affine[:3, 1:3]
    corners = np.array([[r, c] for r in (-0.5, native_shape[0] - 0.5) for c in (-0.5, native_shape[1] - 0.5)])
    points = corners @ native.T
    shape, middle = [], np.zeros(3)
    for axis in (rows, columns):
        along = points @ axis
        shape.append(max(1, int(np.ceil(float(np.ptp(along)) / pixel_mm / multiple_px - 1e-9))) * multiple_px)
        middle += axis * (along.min() + along.max()) / 2
    affine = seen.affine.copy()
    affine[:3, 1], affine[:3, 2] = rows * pixel_mm, columns * pixel_mm
    affine[:3, 3] += middle - affine[:3, 1] * (shape[0] - 1) / 2 - affine[:3, 2] * (shape[1] - 1) / 2
    return _grid(seen, affine, (shape[0], shape[1]), native_shape, pixel_mm)


def _grid(seen: Upright, affine: Array, shape: tuple[int, int], native_shape: tuple[int, int], pixel_mm: float) -> Grid:
    index = np.linalg.inv(seen.affine) @ affine
    to_native = np.eye(3)
    to_native[:2, :2], to_native[:2, 2] = index[1:3, 1:3], index[1:3, 3]
    askew = np.abs(to_native[:2, :2][[0, 1], [1, 0]]).max()
    aligned = bool(askew < 1e-6 * np.abs(np.diag(to_native[:2, :2])).max())
    return Grid(affine, shape, native_shape, pixel_mm, to_native, aligned)


def _in_plane_axes(seen: Upright) -> tuple[Array, Array]:
    """Directions of rows and columns: the stored ones where they are nearly upright, else the patient's."""
    rows, columns = (seen.affine[:3, k] / np.linalg.norm(seen.affine[:3, k]) for k in (1, 2))
    normal = seen.normal
    down = FOOT - (FOOT @ normal) * normal
    down /= np.linalg.norm(down)
    if float(rows @ down) >= np.cos(np.radians(MAX_TURN_DEG)):
        return rows, columns
    back = np.cross(down, normal)
    return np.asarray(down), np.asarray(back if back @ BACK >= 0 else -back)


def _matrices(
    source: tuple[int, int], start: Array, steps: tuple[float, float], target: tuple[int, int]
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Weights along rows and along columns."""
    rows, columns = (axis_matrix(source[k], target[k], float(start[k]), float(steps[k])) for k in (0, 1))
    return rows, columns


def _product(rows: sparse.csr_array, columns: sparse.csr_array, image: Image) -> Image:
    narrow = np.ascontiguousarray((rows @ image).T)
    return np.ascontiguousarray((columns @ narrow).T)
