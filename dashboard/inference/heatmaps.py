"""Heat of the canal localiser over a whole plane, in tiles where its field is wider than one picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from dashboard.inference.manifest import CANAL
from dashboard.inference.orientation import crop_affine
from dashboard.inference.planes import CutPlane
from dashboard.inference.preprocessing import Window
from dashboard.inference.resampling import Image, Mask
from dashboard.inference.sessions import Session, spread
from dashboard.study.geometry import Array

TILE_MM = CANAL.pixel_mm * CANAL.size_px
# A canal whose centre lies this near to the field's edge shows half of itself: not worth a tile of its own.
IDLE_MARGIN_MM = 16.0
# Neighbouring tiles share this much, so that one of them sees the canal with its surroundings.
OVERLAP_MM = 64.0
# Wide fields are tiled on planes this far apart; those between look where their neighbours found the canal.
ANCHOR_STEP_MM = 12.0


@dataclass(frozen=True, eq=False)
class Tile:
    """Heat (size, size) of one picture, its affine, and where it is inside the field of view."""

    affine: Array
    heat: Image
    inside: Mask

    def position_mm(self, row: float, column: float) -> Array:
        """LPS mm (3) of a pixel."""
        return np.asarray((self.affine @ np.array([0.0, row, column, 1.0]))[:3])


@dataclass(frozen=True, eq=False)
class PlaneHeat:
    """A plane and the tiles that were looked at in it."""

    plane: CutPlane
    tiles: tuple[Tile, ...]

    def heat_near(self, position_mm: Array, radius_mm: float) -> float:
        """Largest heat within a distance of a point, 0 where nothing was looked at."""
        best = 0.0
        for tile in self.tiles:
            offset = position_mm - tile.affine[:3, 3]
            row, column = (float(offset @ tile.affine[:3, k]) / CANAL.pixel_mm**2 for k in (1, 2))
            grid = np.arange(CANAL.size_px)
            distance = np.hypot(grid[:, None] - row, grid[None, :] - column) * CANAL.pixel_mm
            near = (distance <= radius_mm) & tile.inside
            best = max(best, float(tile.heat[near].max(initial=0.0)))
        return best

    def clamp(self, position_mm: Array) -> Array:
        """The point of the field of view nearest to a point, in the plane."""
        plane, moved = self.plane, self.plane.centre_mm.copy()
        for axis, extent in zip((plane.axes.rows, plane.axes.columns), plane.extent_mm, strict=True):
            shift = float((position_mm - plane.centre_mm) @ axis)
            moved += axis * float(np.clip(shift, -extent / 2, extent / 2))
        return moved


def tile_centres(plane: CutPlane) -> list[Array]:
    """Middles (LPS mm) of the pictures that together cover a plane's field; one where the field fits."""
    shifts = [_shifts(extent) for extent in plane.extent_mm]
    return [plane.centre_mm + plane.axes.rows * r + plane.axes.columns * c for r, c in product(*shifts)]


def _shifts(extent_mm: float) -> Array:
    wanted = extent_mm - 2 * IDLE_MARGIN_MM
    if wanted <= TILE_MM:
        return np.zeros(1)
    count = int(np.ceil((wanted - TILE_MM) / (TILE_MM - OVERLAP_MM))) + 1
    return np.linspace(-(wanted - TILE_MM) / 2, (wanted - TILE_MM) / 2, count)


def look(
    planes: Sequence[CutPlane], centres: Sequence[Sequence[Array]], window: Window, session: Session, threads: int
) -> list[PlaneHeat]:
    """Heat of each plane in pictures around the given centres."""

    def one(item: tuple[CutPlane, Sequence[Array]]) -> PlaneHeat:
        plane, middles = item
        affines = [crop_affine(m, plane.axes, CANAL.size_px, CANAL.pixel_mm) for m in middles]
        cuts = [plane.cut(affine, CANAL.size_px) for affine in affines]
        pictures = np.stack([window.apply(image, inside) for image, inside in cuts])[:, None]
        seen = np.array([picture.any() for picture in pictures])
        # What a model makes of an empty picture is not heat.
        heats = session.run(pictures)["heatmap"][:, 0] * seen[:, None, None]
        tiles = [Tile(a, heat, inside) for a, heat, (_, inside) in zip(affines, heats, cuts, strict=True)]
        return PlaneHeat(plane, tuple(tiles))

    return spread(one, zip(planes, centres, strict=True), threads)


def is_wide(planes: Sequence[CutPlane]) -> bool:
    """True when some plane needs more than one picture."""
    return any(len(tile_centres(plane)) > 1 for plane in planes)


def anchors(planes: Sequence[CutPlane]) -> list[int]:
    """Indices of planes, first and last among them, about :data:`ANCHOR_STEP_MM` apart from head to foot."""
    chosen = [0]
    for index in range(1, len(planes)):
        step = planes[index].centre_mm - planes[chosen[-1]].centre_mm
        same = planes[index].volume_index == planes[chosen[-1]].volume_index
        if not same or index == len(planes) - 1 or np.linalg.norm(step) >= ANCHOR_STEP_MM:
            chosen.append(index)
    return chosen
