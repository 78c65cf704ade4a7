"""What there is to scroll through: each series as it was analysed or stored, and its volume cut along the other axes.

Cuts follow the voxel grid, so every shown pixel is a stored one. Through slices that lie far apart they show those
slices as thick as they are (:attr:`ViewKind.THICK`), never smoothed into something that was not acquired.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from dashboard.study import Plane, Volume, plane_of
from dashboard.study.geometry import Array, voxel_spacing
from dashboard.viewing.frames import value_code
from dashboard.viewing.outlines import SAGITTAL_STRUCTURES, STRUCTURES, sagittal_outlines, slice_outlines
from dashboard.viewing.picture import Picture, plane_picture
from dashboard.viewing.stack import SCROLL, Slice, Stack, stored_slices

Labels = npt.NDArray[np.uint8]
# Steps between slices above this many pixels are drawn as thick as they are. 3-D volumes stay below it.
THICK_STEPS = 1.5
# A cut needs slices enough to show a shape, and slices stacked square to their planes: within about 2 degrees.
FEWEST_SLICES = 5
SHEAR = 0.035
EMPTY: Labels = np.zeros((0, 0), np.uint8)


class ViewKind(StrEnum):
    """How the planes of a view came about."""

    STORED = "stored"
    REFORMAT = "reformat"
    THICK = "thick"


@dataclass(frozen=True, eq=False)
class Cut:
    """Planes of a volume along its rows (`axis` 1) or columns (`axis` 2), in the order a person scrolls them.

    `labels`, of the volume's shape, are what was found in it; None where it was not analysed. `sagittal` are those of
    the sagittal model.
    """

    volume: Volume
    axis: int
    order: tuple[int, ...]
    labels: Labels | None = None
    sagittal: Labels | None = None

    def grid(self, index: int) -> tuple[Array, tuple[int, int]]:
        """As :meth:`dashboard.viewing.stack.Slice.grid`."""
        slices, rows, columns = self.volume.voxels.shape
        affine = self.volume.affine[:, [self.axis, 0, 3 - self.axis, 3]].copy()
        affine[:3, 3] += affine[:3, 0] * self.order[index]
        return affine, (slices, columns if self.axis == 1 else rows)

    def picture(self, index: int) -> Picture:
        """One plane; only it is read from a memory map."""
        pixels = np.asarray(self.volume.voxels.take(self.order[index], axis=self.axis))
        return plane_picture(pixels, self.grid(index)[0])


@dataclass(frozen=True, eq=False)
class View:
    """A series, or a cut through it, to scroll through.

    Attributes
    ----------
    id
        Place of the series counted from 1, followed by "n" for its stored slices where the analysed ones are planes
        of another direction, "r" and "c" for cuts along rows and columns.
    source
        Its planes: slices, or a cut.
    """

    id: str
    stack: Stack
    plane: Plane
    kind: ViewKind
    source: tuple[Slice, ...] | Cut

    def __len__(self) -> int:
        return len(self.source.order) if isinstance(self.source, Cut) else len(self.source)

    @property
    def code(self) -> str:
        """How its values travel, see :mod:`dashboard.viewing.frames`: one way for all its planes."""
        if isinstance(self.source, tuple) and not self.source[0].stored:
            return value_code(np.dtype(np.float32))
        return value_code(np.result_type(*(volume.voxels.dtype for volume in self.stack.series.volumes)))

    @property
    def graded(self) -> bool:
        """Whether its planes are the slices that were graded."""
        return self.source is self.stack.slices and self.stack.analysed

    @property
    def outlined(self) -> bool:
        """Whether anything may have been outlined in its planes."""
        return bool(self.structures)

    @property
    def structures(self) -> tuple[str, ...]:
        """Names of what may have been outlined in its planes."""
        axial = (*STRUCTURES, "contact") if self.graded else STRUCTURES if self.stack.labels else ()
        # A cut through another volume of the series than the one that was looked at holds none.
        cut = isinstance(self.source, Cut) and self.source.sagittal is None
        sagittal = () if not self.stack.sagittal or self.graded or cut else SAGITTAL_STRUCTURES
        return tuple(dict.fromkeys((*axial, *sagittal)))

    def outlines(self, index: int) -> dict[str, tuple[Array, ...]]:
        """Lines of one plane by structure, LPS mm (n, 3): in cuts those of the masks that are exported.

        What was found in slices that could not be graded is left out.
        """
        if self.graded or not self.outlined:
            found = self.slice(index)
            return found.outlines() if found is not None else {}
        plane, affine = self._labels(index), self._grid(index)
        # Where both models looked, the cord is the one that was graded.
        return sagittal_outlines(plane[1], affine) | slice_outlines(plane[0], affine)

    def _labels(self, index: int) -> tuple[Labels, Labels]:
        """Labels of one plane by the model of axial slices and the sagittal one; empty where it did not look."""
        if isinstance(self.source, Cut):
            place, axis = self.source.order[index], self.source.axis
            taken = [
                EMPTY if labels is None else np.asarray(labels.take(place, axis=axis), np.uint8)
                for labels in (self.source.labels, self.source.sagittal)
            ]
            return taken[0], taken[1]
        one = self.source[index]
        volume = next(place for place, volume in enumerate(self.stack.series.volumes) if volume is one.volume)
        axial = np.asarray(self.stack.labels[volume][one.slice_index]) if self.stack.labels else EMPTY
        seen = _seen(self.stack, volume)
        return axial, EMPTY if seen is None else np.asarray(seen[one.slice_index])

    def _grid(self, index: int) -> Array:
        return self.source.grid(index)[0] if isinstance(self.source, Cut) else self.source[index].grid()[0]

    def slice(self, index: int) -> Slice | None:
        """The analysed or stored slice at a place; None in a cut."""
        return None if isinstance(self.source, Cut) else self.source[index]

    def picture(self, index: int) -> Picture:
        """One plane as it is shown.

        Raises
        ------
        IndexError
            The view has no such plane.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"plane {index} of {len(self)}")
        return self.source.picture(index) if isinstance(self.source, Cut) else self.source[index].picture()

    def outline(self, index: int) -> Picture:
        """One plane with its geometry and no pixels: all of them are 0, and none is read."""
        affine, shape = self.source.grid(index) if isinstance(self.source, Cut) else self.source[index].grid()
        return plane_picture(np.broadcast_to(np.uint8(0), shape), affine)


def views_of(stacks: Sequence[Stack]) -> tuple[View, ...]:
    """Every view of a study, series by series in the order of `stacks`."""
    return tuple(view for number, stack in enumerate(stacks, start=1) for view in _views(str(number), stack))


def _views(number: str, stack: Stack) -> list[View]:
    cut_already = not all(one.stored for one in stack.slices)
    plane = plane_of(stack.slices[len(stack.slices) // 2].grid()[0])
    views = [View(number, stack, plane, ViewKind.REFORMAT if cut_already else ViewKind.STORED, stack.slices)]
    if cut_already:
        views.append(View(f"{number}n", stack, stack.series.plane, ViewKind.STORED, stored_slices(stack.series)))
    chosen, volume = max(enumerate(stack.series.volumes), key=lambda one: len(one[1].frames))
    labels = stack.labels[chosen] if stack.labels else None
    sagittal = _seen(stack, chosen)
    if len(volume.frames) >= FEWEST_SLICES and _square(volume.affine):
        views += [
            _cut(
                f"{number}{letter}", stack, Cut(volume, axis, tuple(range(volume.voxels.shape[axis])), labels, sagittal)
            )
            for letter, axis in (("r", 1), ("c", 2))
        ]
    return views


def _seen(stack: Stack, volume: int) -> Labels | None:
    """What the sagittal model found in a volume of a series."""
    return next((one.labels for one in stack.sagittal if one.volume_index == volume), None)


def _cut(view_id: str, stack: Stack, cut: Cut) -> View:
    volume, axis = cut.volume, cut.axis
    plane = plane_of(cut.grid(0)[0])
    along, sign = SCROLL[plane]
    if volume.affine[along, axis] * sign < 0:
        cut = replace(cut, order=tuple(reversed(cut.order)))
    step, pixel = voxel_spacing(volume.affine)[[0, 3 - axis]]
    kind = ViewKind.THICK if step > THICK_STEPS * pixel else ViewKind.REFORMAT
    return View(view_id, stack, plane, kind, cut)


def _square(affine: Array) -> bool:
    """Whether the slices are stacked along their own normal."""
    step, rows, columns = (vector / np.linalg.norm(vector) for vector in affine[:3, :3].T)
    return bool(abs(step @ rows) < SHEAR and abs(step @ columns) < SHEAR)
