"""From native pixels to a model's grid and back: separable, anti-aliased, zero outside the field of view.

Only sparse products and fixed interpolation are used, no threaded linear algebra, so that the same pixels give the
same bytes whatever the number of threads. numpy and scipy only; training imports this module too.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse

from dashboard.study.geometry import Array

Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

# Two directions are the same when their cosine misses 1 by less: 0.2 degrees, below half a pixel over 96.
PARALLEL_TOLERANCE = 6e-6
# A turned picture is cut from an upright one this much larger, so that its corners are filled.
TURN_MARGIN = 1.5


# Slices of a stack are cut alike.
@lru_cache(maxsize=64)
def axis_matrix(source_px: int, target_px: int, start: float, step: float) -> sparse.csr_array:
    """Weights (target, source) that sample a row of `source_px` pixels at ``start + step * k``, in pixels.

    The kernel is a triangle as wide as the larger of a source and a target pixel: linear interpolation where the
    target is finer, an average where it is coarser. Weights of a target sum to 1 inside the row and to 0 where its
    centre lies more than half a pixel outside.
    """
    positions = start + step * np.arange(target_px)
    width = max(1.0, abs(step))
    reach = int(np.ceil(width))
    columns = np.floor(positions + 0.5).astype(np.int32)[:, None] + np.arange(-reach, reach + 1, dtype=np.int32)
    weights = np.maximum(0.0, 1.0 - np.abs(columns - positions[:, None]) / width)
    weights *= (columns >= 0) & (columns < source_px) & inside_axis(source_px, target_px, start, step)[:, None]
    # A target inside has a source centre within half a pixel, so an empty sum is one outside.
    total = weights.sum(axis=1, keepdims=True)
    weights /= total + (total == 0)
    ends = np.arange(0, columns.size + 1, columns.shape[1], dtype=np.int32)
    taps = np.clip(columns, 0, source_px - 1).ravel()
    return sparse.csr_array((weights.ravel().astype(np.float32), taps, ends), shape=(target_px, source_px))


def inside_axis(source_px: int, target_px: int, start: float, step: float) -> Mask:
    """(target) True where a target centre lies within the outer edges of the source pixels."""
    positions = start + step * np.arange(target_px)
    return np.asarray((positions >= -0.5) & (positions <= source_px - 0.5))


def sample_slice(
    pixels: npt.NDArray[np.generic], slice_affine: Array, crop_affine: Array, size_px: int
) -> tuple[Image, Mask]:
    """Cut a square picture out of a native slice, along the plane of the slice.

    Parameters
    ----------
    pixels
        (rows, columns), any number type; NaN and infinities count as 0.
    slice_affine, crop_affine
        (4, 4), (0, row, column, 1) to LPS mm. The part of the crop's position across the plane is ignored.
    size_px
        Rows and columns of the picture.

    Returns
    -------
    tuple
        float32 (size, size), 0 outside the slice, and bool (size, size), True inside.
    """
    start, rows, columns = _in_plane(slice_affine, crop_affine)
    if abs(rows[1]) + abs(columns[0]) < np.sqrt(2 * PARALLEL_TOLERANCE) * (abs(rows[0]) + abs(columns[1])):
        return _separable(pixels, start, (rows[0], columns[1]), size_px)
    if abs(rows[0]) + abs(columns[1]) < np.sqrt(2 * PARALLEL_TOLERANCE) * (abs(rows[1]) + abs(columns[0])):
        image, inside = _separable(pixels, start, (columns[0], rows[1]), size_px)
        return np.ascontiguousarray(image.T), np.ascontiguousarray(inside.T)
    return _turned(pixels, slice_affine, crop_affine, size_px)


def sample_volume(
    voxels: npt.NDArray[np.generic], volume_affine: Array, crop_affine: Array, size_px: int
) -> tuple[Image, Mask]:
    """Cut a square picture out of a volume in any plane, trilinear, 0 outside.

    Parameters are as for :func:`sample_slice`, `voxels` being (slices, rows, columns), finite. Voxels finer than
    the picture's pixels are not averaged: shrink the volume first where that matters.
    """
    to_index = np.linalg.inv(volume_affine) @ crop_affine
    grid = np.arange(size_px, dtype=np.float64)
    index = (
        to_index[:3, 3, None, None]
        + to_index[:3, 1, None, None] * grid[:, None]
        + to_index[:3, 2, None, None] * grid[None, :]
    )
    limits = np.array(voxels.shape, dtype=np.float64)[:, None, None] - 0.5
    inside = np.all((index >= -0.5) & (index <= limits), axis=0)
    image = ndimage.map_coordinates(voxels, index, output=np.float32, order=1, mode="nearest")
    return image * inside, inside


def shrink(voxels: npt.NDArray[np.generic], volume_affine: Array, target_mm: float) -> tuple[Image, Array]:
    """Average whole voxels into blocks no wider than `target_mm`; returns the volume and its affine.

    A remainder that fills no block is dropped at the far end. NaN and infinities count as 0.
    """
    spacing = np.linalg.norm(volume_affine[:3, :3], axis=0)
    factors = [max(1, min(int(target_mm / s + 1e-6), n)) for s, n in zip(spacing, voxels.shape, strict=True)]
    shape = [n // f for n, f in zip(voxels.shape, factors, strict=True)]
    small = np.zeros(shape, dtype=np.float32)
    for k in range(shape[0] * factors[0]):
        plane = finite(voxels[k, : shape[1] * factors[1], : shape[2] * factors[2]])
        for i in range(factors[1]):
            for j in range(factors[2]):
                small[k // factors[0]] += plane[i :: factors[1], j :: factors[2]]
    small /= np.float32(np.prod(factors))
    affine = np.array(volume_affine, dtype=np.float64)
    affine[:3, 3] += affine[:3, :3] @ ((np.array(factors) - 1) / 2)
    affine[:3, :3] *= factors
    return small, affine


def finite(pixels: npt.NDArray[np.generic]) -> Image:
    """float32 copy in which NaN and infinities are 0."""
    with np.errstate(over="ignore"):
        image = np.array(pixels, dtype=np.float32)
    if pixels.dtype.kind == "f" and not np.isfinite(image).all():
        np.nan_to_num(image, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    return image


def paint_slice(
    classes: Image, crop_affine: Array, slice_affine: Array, shape: tuple[int, int]
) -> tuple[Image, tuple[slice, slice]]:
    """Class probabilities of a crop at the native pixel centres it covers.

    Parameters
    ----------
    classes
        (classes, size, size) probabilities on the crop's grid.
    crop_affine, slice_affine
        (4, 4), (0, row, column, 1) to LPS mm, of planes that are parallel.
    shape
        Rows and columns of the native slice.

    Returns
    -------
    tuple
        float32 (classes, rows, columns) of the native window the crop touches, all 0 at pixels outside the crop,
        and that window as a pair of slices.
    """
    size = classes.shape[1]
    to_native = np.linalg.inv(slice_affine) @ crop_affine
    corners = np.array([[0, r, c, 1] for r in (-0.5, size - 0.5) for c in (-0.5, size - 0.5)]).T
    reached = (to_native @ corners)[1:3]
    low = np.clip(np.floor(reached.min(axis=1)).astype(int), 0, shape)
    high = np.clip(np.ceil(reached.max(axis=1)).astype(int) + 1, 0, shape)
    window = (slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1])))
    rows, columns = int(high[0] - low[0]), int(high[1] - low[1])
    if rows <= 0 or columns <= 0:
        return np.zeros((len(classes), 0, 0), np.float32), (slice(0, 0), slice(0, 0))
    start, down, along = _in_plane(crop_affine, slice_affine)
    start = start + down * low[0] + along * low[1]
    if abs(down[1]) + abs(along[0]) < 1e-6 * (abs(down[0]) + abs(along[1])):
        take_rows = axis_matrix(size, rows, float(start[0]), float(down[0]))
        take_columns = axis_matrix(size, columns, float(start[1]), float(along[1]))
        return _apply(take_rows, take_columns, classes), window
    grid = np.mgrid[0:rows, 0:columns]
    index = start[:, None, None] + down[:, None, None] * grid[0] + along[:, None, None] * grid[1]
    within = np.all((index >= -0.5) & (index <= size - 0.5), axis=0)
    painted = [ndimage.map_coordinates(plane, index, order=1, mode="nearest") * within for plane in classes]
    return np.stack(painted).astype(np.float32), window


def _in_plane(source_affine: Array, target_affine: Array) -> tuple[Array, Array, Array]:
    """Source (row, column) of the target's first pixel, and its step down a target row and along a target column."""
    axes = source_affine[:3, 1:3]
    (a, b), (_, d) = axes.T @ axes
    basis = np.array([[d, -b], [-b, a]]) @ axes.T / (a * d - b * b)
    start = basis @ (target_affine[:3, 3] - source_affine[:3, 3])
    return start, basis @ target_affine[:3, 1], basis @ target_affine[:3, 2]


def _apply(rows: sparse.csr_array, columns: sparse.csr_array, images: Image) -> Image:
    """``rows @ image @ columns.T`` of each of (n, rows, columns) images, side by side in one product an axis."""
    for matrix in (rows, columns):
        count, length, other = images.shape
        beside = np.ascontiguousarray(images.transpose(1, 0, 2)).reshape(length, count * other)
        images = (matrix @ beside).reshape(-1, count, other).transpose(1, 2, 0)
    return np.ascontiguousarray(images)


def _separable(
    pixels: npt.NDArray[np.generic], start: Array, steps: tuple[float, float], size: int
) -> tuple[Image, Mask]:
    """Sample along the native axes, reading only the rows and columns that count."""
    matrices, windows, insides = [], [], []
    for source, first, step in zip(pixels.shape, start, steps, strict=True):
        reach = np.sort([first, first + step * (size - 1)]) + np.array([-1, 1]) * (max(1.0, abs(step)) + 1)
        low, high = (int(v) for v in np.clip([np.floor(reach[0]), np.ceil(reach[1]) + 1], 0, source))
        insides.append(inside_axis(source, size, float(first), float(step)))
        if high <= low:
            return np.zeros((size, size), np.float32), np.zeros((size, size), np.bool_)
        matrices.append(axis_matrix(high - low, size, float(first) - low, float(step)))
        windows.append(slice(low, high))
    image = _apply(matrices[0], matrices[1], finite(pixels[windows[0], windows[1]])[None])[0]
    return image, insides[0][:, None] & insides[1][None, :]


def _turned(pixels: npt.NDArray[np.generic], slice_affine: Array, crop_affine: Array, size: int) -> tuple[Image, Mask]:
    """Sample turned axes: first upright at the picture's pixel size, then turned by linear interpolation."""
    pixel_mm = float(np.linalg.norm(crop_affine[:3, 1]))
    upright = np.array(slice_affine, dtype=np.float64)
    for axis in (1, 2):
        upright[:3, axis] *= pixel_mm / np.linalg.norm(upright[:3, axis])
    larger = int(np.ceil(size * TURN_MARGIN))
    middle = crop_affine[:3, 3] + (crop_affine[:3, 1] + crop_affine[:3, 2]) * (size - 1) / 2
    upright[:3, 3] = middle - (upright[:3, 1] + upright[:3, 2]) * (larger - 1) / 2
    image, _ = sample_slice(pixels, slice_affine, upright, larger)
    start, rows, columns = _in_plane(upright, crop_affine)
    matrix = np.stack([rows, columns], axis=1)
    turned = ndimage.affine_transform(image, matrix, start, output_shape=(size, size), order=1, mode="constant")
    native_start, native_rows, native_columns = _in_plane(slice_affine, crop_affine)
    grid = np.arange(size)
    inside = np.ones((size, size), np.bool_)
    for axis in (0, 1):
        index = native_start[axis] + native_rows[axis] * grid[:, None] + native_columns[axis] * grid[None, :]
        inside &= (index >= -0.5) & (index <= pixels.shape[axis] - 0.5)
    return turned * inside, inside
