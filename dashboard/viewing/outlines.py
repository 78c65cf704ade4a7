"""Labels of a slice -> outlines in patient coordinates, drawn as lines."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from dashboard.study import LABELS
from dashboard.study.contact import touched
from dashboard.study.masks import slice_masks
from dashboard.study.sagittal import SAGITTAL_CLASSES

Array = npt.NDArray[np.float64]

# What each outline runs round. The thecal sac holds the cord.
STRUCTURES: Mapping[str, tuple[str, ...]] = {"cord": ("cord",), "sac": ("csf", "cord"), "tumour": ("tumour",)}
SAGITTAL_STRUCTURES: Mapping[str, tuple[str, ...]] = {
    "vertebra": ("vertebra", "c2"),
    "disc": ("disc", "lumbosacral_disc"),
    "canal": ("canal", "cord"),
    "cord": ("cord",),
}
# Edge midpoints of a 2 x 2 cell in half pixels from its first corner (row, column): top, right, bottom, left.
TOP, RIGHT, BOTTOM, LEFT = (0, 1), (1, 2), (2, 1), (1, 0)
# Corner bits: top left 8, top right 4, bottom right 2, bottom left 1. Lines keep the inside on their right.
CELL_LINES = {
    1: ((LEFT, BOTTOM),),
    2: ((BOTTOM, RIGHT),),
    3: ((LEFT, RIGHT),),
    4: ((RIGHT, TOP),),
    5: ((RIGHT, TOP), (LEFT, BOTTOM)),
    6: ((BOTTOM, TOP),),
    7: ((LEFT, TOP),),
    8: ((TOP, LEFT),),
    9: ((TOP, BOTTOM),),
    10: ((TOP, LEFT), (BOTTOM, RIGHT)),
    11: ((TOP, RIGHT),),
    12: ((RIGHT, LEFT),),
    13: ((RIGHT, BOTTOM),),
    14: ((BOTTOM, LEFT),),
}


def slice_outlines(labels: npt.NDArray[np.uint8], affine: Array) -> dict[str, tuple[Array, ...]]:
    """Closed outlines, LPS mm (n, 3), of each of :data:`STRUCTURES` present in a slice.

    Parameters
    ----------
    labels
        (rows, columns), values index :data:`dashboard.study.LABELS`.
    affine
        (4, 4), (0, row, column, 1) to LPS mm.
    """
    return _outlined(labels, affine, STRUCTURES, LABELS)


def sagittal_outlines(labels: npt.NDArray[np.uint8], affine: Array) -> dict[str, tuple[Array, ...]]:
    """Closed outlines, LPS mm (n, 3), of each of :data:`SAGITTAL_STRUCTURES` present in a plane.

    Parameters
    ----------
    labels
        (rows, columns), values index :data:`dashboard.study.sagittal.SAGITTAL_CLASSES`.
    affine
        (4, 4), (0, row, column, 1) to LPS mm.
    """
    return _outlined(labels, affine, SAGITTAL_STRUCTURES, SAGITTAL_CLASSES)


def _outlined(
    labels: npt.NDArray[np.uint8], affine: Array, structures: Mapping[str, tuple[str, ...]], order: tuple[str, ...]
) -> dict[str, tuple[Array, ...]]:
    found = {}
    for name, parts in structures.items():
        loops = mask_outlines(np.isin(labels, [order.index(part) for part in parts]))
        if loops:
            found[name] = tuple(_to_patient(loop, affine) for loop in loops)
    return found


def contact_arcs(labels: npt.NDArray[np.uint8], affine: Array, pixel_mm: float) -> tuple[Array, ...]:
    """The parts of the cord's outline that suspected tumour touches, as lines, LPS mm (n, 3).

    They run along exactly the pixels that grading counts as touched: their share of the outline's pixels is the
    measured contact fraction. `labels` and `affine` as in :func:`slice_outlines`; `pixel_mm` is the side of a pixel.
    """
    masks = slice_masks(labels, pixel_mm)
    return tuple(_to_patient(arc, affine) for arc in outline_arcs(masks.cord, touched(masks)))


def outline_arcs(mask: npt.NDArray[np.bool_], marked: npt.NDArray[np.bool_]) -> list[Array]:
    """The parts of a mask's outline that belong to marked pixels, (n, 2) in (row, column).

    A part ends half way to the first point of the next pixel; where all of a loop is marked it is the closed loop.
    """
    arcs = []
    for loop in mask_outlines(mask):
        points = loop[:-1]
        on = marked[tuple(_pixels_inside(points, mask).T)]
        if on.all():
            arcs.append(loop)
            continue
        # From an unmarked point on, no run is cut by the place where the loop happens to begin.
        turn = int(np.flatnonzero(~on)[0])
        points, on = np.roll(points, -turn, axis=0), np.roll(on, -turn)
        edges = np.diff(on.astype(np.int8), append=0)
        for first, last in zip(np.flatnonzero(edges == 1) + 1, np.flatnonzero(edges == -1), strict=True):
            after = points[(last + 1) % len(points)]
            ends = (points[first - 1] + points[first]) / 2, (points[last] + after) / 2
            arcs.append(np.vstack([ends[0], points[first : last + 1], ends[1]]))
    return arcs


def mask_outlines(mask: npt.NDArray[np.bool_]) -> list[Array]:
    """Closed lines (n, 2), in (row, column), half way between the pixels in and out of a mask (marching squares)."""
    padded = np.pad(mask, 1).astype(np.uint8)
    corners = padded[:-1, :-1] * 8 + padded[:-1, 1:] * 4 + padded[1:, 1:] * 2 + padded[1:, :-1]
    following: dict[tuple[int, int], tuple[int, int]] = {}
    for row, column in np.argwhere((corners > 0) & (corners < 15)).tolist():
        for start, end in CELL_LINES[int(corners[row, column])]:
            following[2 * row + start[0], 2 * column + start[1]] = (2 * row + end[0], 2 * column + end[1])
    loops = []
    while following:
        point = next(iter(following))
        loop = [point]
        while point in following:
            point = following.pop(point)
            loop.append(point)
        loops.append(np.array(loop, dtype=np.float64) / 2 - 1)
    return loops


def _pixels_inside(points: Array, mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int_]:
    """Of the two pixels whose border each point of an outline halves, the one in the mask, (n, 2)."""
    low, high = np.floor(points).astype(int), np.ceil(points).astype(int)
    # One of the two may lie off the grid, where nothing is in the mask.
    padded = np.pad(mask, 1)
    return np.where(padded[tuple((low + 1).T)][:, None], low, high)


def _to_patient(loop: Array, affine: Array) -> Array:
    grid = np.column_stack([np.zeros(len(loop)), loop, np.ones(len(loop))])
    return np.asarray((grid @ affine.T)[:, :3])
