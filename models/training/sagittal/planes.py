"""Draws one sagittal plane of a made-up spine as a map of tissues."""

from __future__ import annotations

import itertools

import numpy as np

from models.training.sagittal.labels import PIXEL_MM, Tissue
from models.training.sagittal.spines import CERVICAL, LUMBAR, SACRAL, THORACIC, Bone, SpineShape
from models.training.sagittal.surroundings import Style, draw_skull, draw_surroundings

T = Tissue


class Plane:
    """A square patch of a plane: ``z``, ``y`` (rows, columns) mm of each pixel, and the tissue drawn so far."""

    def __init__(self, shape: SpineShape, centre: tuple[float, float], turn: float, size: int, x: float) -> None:
        axis = (np.arange(size) - (size - 1) / 2) * PIXEL_MM
        down, back = np.meshgrid(axis, axis, indexing="ij")
        self.z = centre[0] + down * np.cos(turn) - back * np.sin(turn)
        self.y = centre[1] + down * np.sin(turn) + back * np.cos(turn)
        self.shape, self.x, self.turn, self.centre, self.size = shape, x, turn, centre, size
        self.tissue = np.zeros((size, size), np.uint8)
        z = self.z
        held = np.clip(z, shape.canal_z[0], shape.canal_z[-1])
        self.tilt = np.interp(held, shape.canal_z, shape.canal_tilt)
        self.behind = (self.y - np.interp(held, shape.canal_z, shape.canal_y)) * np.cos(self.tilt)
        self.half = np.interp(held, shape.canal_z, shape.canal_half)
        self.cord = np.interp(held, shape.canal_z, shape.cord_half)
        row = [*shape.bones, *shape.sacrum]
        self.aside = x - np.interp(held, [b.z for b in row], [b.x for b in row])

    def paint(self, mask: np.ndarray, tissue: Tissue) -> None:
        """Everywhere in the patch."""
        self.tissue[mask] = tissue

    def box(self, z: float, y: float, reach: float) -> tuple[slice, slice] | None:
        """Rows and columns within ``reach`` mm of a point, or None where the patch does not go there."""
        dz, dy = z - self.centre[0], y - self.centre[1]
        down = dz * np.cos(self.turn) + dy * np.sin(self.turn)
        back = -dz * np.sin(self.turn) + dy * np.cos(self.turn)
        middle = (self.size - 1) / 2
        bounds = []
        for at in (down, back):
            low, high = (int(np.floor((at + s * reach) / PIXEL_MM + middle)) for s in (-1, 1))
            low, high = max(0, low), min(self.size, high + 2)
            if low >= high:
                return None
            bounds.append(slice(low, high))
        return bounds[0], bounds[1]


def draw_plane(rng: np.random.Generator, plane: Plane, style: Style) -> np.ndarray:
    """Tissues of a plane, uint8 (size, size), values of :class:`Tissue`."""
    shape = plane.shape
    draw_surroundings(rng, plane, style)
    draw_skull(plane, style)
    sac = _sac(plane)
    near = np.abs(plane.behind) < plane.half * 1.18 + 1.0
    plane.paint(near & (sac > -1.5), T.EPIDURAL_FAT)
    plane.paint((np.abs(plane.behind + plane.half + 0.6) < 0.9) & (np.abs(plane.aside) < 9), T.LIGAMENT)
    for bone in [*shape.bones, *shape.sacrum]:
        _processes(plane, bone, style)
    row = [*shape.bones, shape.sacrum[0]]
    for above, below in itertools.pairwise(row):
        _disc(plane, above, below, 0.0)
    for above, below in zip(shape.sacrum, shape.sacrum[1:], strict=False):
        _disc(plane, above, below, 0.0)
    for bone in [*shape.bones, *shape.sacrum]:
        _body(rng, plane, bone)
    _atlas(plane)
    _contents(plane, sac)
    for above, below in itertools.pairwise(row):
        if above.bulge > 0.6:
            _disc(plane, above, below, above.bulge)
    _tumours(plane)
    return plane.tissue


def _local(plane: Plane, bone: Bone, box: tuple[slice, slice]) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates along the body's axis (down) and across it (back), mm."""
    dz, dy = plane.z[box] - bone.z, plane.y[box] - bone.y
    return dz * np.cos(bone.tilt) + dy * np.sin(bone.tilt), dy * np.cos(bone.tilt) - dz * np.sin(bone.tilt)


def _width_left(bone: Bone, x: float) -> float:
    """Share of the depth that a plane ``x`` mm beside the middle still meets."""
    share = abs(x) / (bone.width / 2)
    return float((1 - share**3) ** (1 / 3)) if share < 1 else 0.0


def _body(rng: np.random.Generator, plane: Plane, bone: Bone) -> None:
    box = plane.box(bone.z, bone.y, 0.75 * max(bone.height, bone.depth) + 6)
    left = _width_left(bone, plane.x - bone.x)
    if box is None or left < 0.3:
        return
    u, v = _local(plane, bone, box)
    # The back wall stays where it is; the front recedes to the sides.
    depth = bone.depth * left
    v = v - (bone.depth - depth) / 2
    half = depth / 2 - 0.06 * bone.height * np.clip(1 - (2 * u / bone.height) ** 2, 0, 1)
    tall = bone.height / 2 * (1 + bone.wedge * np.clip(2 * v / depth, -1, 1))
    tall = np.maximum(tall - bone.concave * np.clip(1 - (2 * v / depth) ** 2, 0, 1), 1.5)
    power = 8.0 if bone.region != CERVICAL else 6.0
    inside = np.abs(u / tall) ** power + np.abs(v / half) ** power
    marrow, cortex = {
        SACRAL: (T.SACRAL_MARROW, T.SACRAL_CORTEX),
    }.get(bone.region, (T.C2_MARROW, T.C2_CORTEX) if bone.name == "C2" else (T.MARROW, T.CORTEX))
    part = plane.tissue[box]
    rim = 1.1
    solid = inside < 1
    core = (np.abs(u / np.maximum(tall - rim, 0.8)) ** power + np.abs(v / np.maximum(half - rim, 0.8)) ** power) < 1
    part[solid] = cortex
    part[core] = marrow
    if bone.lesion and bone.region != SACRAL and bone.name != "C2":
        centre = rng.uniform(-0.5, 0.5, 2)
        spot = ((u / tall - centre[0]) ** 2 + (v / half - centre[1]) ** 2) < bone.lesion**2
        part[core & spot] = T.LESION
    if bone.name == "C2":
        _dens(plane, bone)


def _dens(plane: Plane, bone: Bone) -> None:
    aside = abs(plane.x - bone.x)
    if aside > 6:
        return
    box = plane.box(bone.z, bone.y, bone.height + 14)
    if box is None:
        return
    u, v = _local(plane, bone, box)
    tall, deep = 0.62 * bone.height + 6, 0.37 * bone.depth * np.sqrt(max(0.05, 1 - (aside / 6.5) ** 2))
    at = u + bone.height / 2 + tall / 2 - 4
    inside = np.abs(at / tall * 1.6) ** 4 + np.abs((v + 0.02 * bone.depth) / deep) ** 3
    part = plane.tissue[box]
    part[inside < 1] = T.C2_CORTEX
    part[inside < 0.55] = T.C2_MARROW


def _atlas(plane: Plane) -> None:
    bone = plane.shape.bones[0]
    aside = abs(plane.x - bone.x)
    for back, tall, deep in ((-0.62 * bone.depth, 5.5, 3.2), (bone.depth / 2 + bone.canal + 6, 4.5, 3.5)):
        box = plane.box(bone.z, bone.y, 3.0 * bone.height)
        if box is None:
            return
        u, v = _local(plane, bone, box)
        if aside > 9:
            if back > 0 or aside > 22:
                continue
            # The lateral mass.
            tall, deep, back = 8.0, 8.0, 2.0
        inside = ((u + bone.height * 0.98) / tall) ** 2 + ((v - back) / deep) ** 2
        part = plane.tissue[box]
        part[inside < 1] = T.C1_CORTEX
        part[inside < 0.5] = T.C1


def _disc(plane: Plane, above: Bone, below: Bone, bulge: float) -> None:
    """The disc, or with ``bulge`` (mm) only what of it stands out into the canal."""
    left = min(_width_left(above, plane.x - above.x), _width_left(below, plane.x - below.x))
    if left < 0.3:
        return
    tilt = (above.tilt + below.tilt) / 2
    low = np.array([above.z + above.height / 2 * np.cos(above.tilt), above.y + above.height / 2 * np.sin(above.tilt)])
    high = np.array([below.z - below.height / 2 * np.cos(below.tilt), below.y - below.height / 2 * np.sin(below.tilt)])
    middle = (low + high) / 2
    full = (above.depth + below.depth) / 2 if below.region != SACRAL or above.region == SACRAL else above.depth * 0.98
    depth = full * left
    box = plane.box(middle[0], middle[1], 0.75 * full + 8)
    if box is None:
        return
    dz, dy = plane.z[box] - middle[0], plane.y[box] - middle[1]
    u, v = dz * np.cos(tilt) + dy * np.sin(tilt), dy * np.cos(tilt) - dz * np.sin(tilt)
    v = v - (full - depth) / 2
    part = plane.tissue[box]
    if above.region == SACRAL:
        nucleus, annulus = T.SACRAL_DISC, T.SACRAL_CORTEX
    elif below.region == SACRAL:
        nucleus, annulus = T.L5S1_NUCLEUS, T.L5S1_ANNULUS
    else:
        nucleus, annulus = T.NUCLEUS, T.ANNULUS
    gap = np.linalg.norm(high - low)
    if bulge:
        spread = np.exp(-((plane.x - above.x) ** 2) / (2 * 8.0**2))
        reach = bulge * spread
        out = ((u / (0.5 * gap + 1.0 + 0.35 * reach)) ** 2 + ((v - depth / 2 + 1.5) / (reach + 1.5)) ** 2) < 1
        # Only from the disc's own back edge outwards, never over bone.
        part[out & (v > depth / 2 - 2) & (part != T.MARROW) & (part != T.CORTEX) & (part != T.CORD)] = annulus
        return
    tall = gap / 2 + 0.5 + (above.concave + below.concave) / 2 * np.clip(1 - (2 * v / depth) ** 2, 0, 1)
    inside = np.abs(u / (tall + 0.8)) ** 4 + np.abs(v / (depth / 2 * 1.01)) ** 6
    part[inside < 1] = annulus
    core = (u / np.maximum(0.75 * tall, 0.5)) ** 2 + ((v + 0.02 * depth) / (0.34 * depth)) ** 2
    part[core < 1] = nucleus
    if above.degeneration < 0.6 and gap > 5:
        part[(core < 0.7) & (np.abs(u) < 0.6)] = annulus


def _processes(plane: Plane, bone: Bone, style: Style) -> None:
    """Arch, joints and spinous process."""
    aside = abs(plane.x - bone.x)
    box = plane.box(bone.z, bone.y, bone.depth / 2 + bone.canal + bone.process + 22)
    if box is None:
        return
    u, v = _local(plane, bone, box)
    part = plane.tissue[box]
    marrow, cortex = (T.SACRAL_MARROW, T.SACRAL_CORTEX) if bone.region == SACRAL else (T.MARROW, T.CORTEX)
    if bone.name == "C2":
        marrow, cortex = T.C2_MARROW, T.C2_CORTEX
    inner = bone.canal * (0.62 if bone.region == THORACIC else 0.78)
    wall = bone.depth / 2 + bone.canal * 1.02 + 1.8
    tall = bone.height + bone.disc

    def oval(du: np.ndarray, dv: np.ndarray, a: float, b: float, power: float = 4.0) -> None:
        inside = np.abs(du / a) ** power + np.abs(dv / b) ** power
        part[inside < 1] = cortex
        part[(np.abs(du / max(a - 1.0, 0.5)) ** power + np.abs(dv / max(b - 1.0, 0.5)) ** power) < 1] = marrow

    if aside < inner:
        # Lamina: a slanting oval behind the sac; ligament and fat between one and the next.
        slope = 0.35 if bone.region != SACRAL else 0.1
        du, dv = u - 0.2 * bone.height, v - wall - 2.0
        part[(np.abs(du - 0.5 * tall) < 0.42 * tall) & (np.abs(dv + 0.5) < 2.0)] = T.LIGAMENT
        oval(du * np.cos(slope) + dv * np.sin(slope), dv * np.cos(slope) - du * np.sin(slope), 0.36 * tall, 3.2)
        if aside < style.spinous_half:
            length = bone.process * (1 - 0.3 * (aside / style.spinous_half) ** 2)
            du, dv = u - 0.25 * bone.height, v - wall
            along = dv * np.cos(bone.slope) + du * np.sin(bone.slope)
            across = du * np.cos(bone.slope) - dv * np.sin(bone.slope)
            high = (
                {CERVICAL: 4.5, THORACIC: 5.0, LUMBAR: 9.5, SACRAL: 5.0}[bone.region]
                * bone.height
                / (13.0 if bone.region == CERVICAL else 25.0)
                * (1.0 if bone.region != THORACIC else 1.25)
            )
            oval(across, along - length / 2, high, length / 2 + 2)
    elif aside < inner + max(7.0, 0.2 * bone.width):
        # Pedicle, and the pillar of joints behind it.
        oval(u + 0.22 * bone.height, v - bone.depth / 2 - 0.35 * bone.canal, 0.27 * bone.height, 0.55 * bone.canal + 3)
        pillar = bone.depth / 2 + bone.canal * (0.55 if bone.region == CERVICAL else 0.95) + 3
        lean = 0.7 if bone.region == CERVICAL else 0.25
        du, dv = u - 0.12 * tall, v - pillar
        oval(du * np.cos(lean) + dv * np.sin(lean), dv * np.cos(lean) - du * np.sin(lean), 0.53 * tall, 4.5)


def _sac(plane: Plane) -> np.ndarray:
    """Positive within the sac, mm from its edge; it tapers out in the sacrum."""
    wide = plane.half * 1.45
    share = np.clip(1 - (plane.aside / np.maximum(wide, 1)) ** 2, 0, 1)
    end = np.clip((plane.shape.sac_end_z - plane.z) / 25.0, 0, 1) ** 0.5
    return plane.half * np.sqrt(share) * end - np.abs(plane.behind) - (share == 0) * 99


def _contents(plane: Plane, sac: np.ndarray) -> None:
    shape = plane.shape
    top = shape.bones[0].z - 1.55 * shape.bones[0].height - 6
    inside = (sac > 0) & (plane.z > top)
    outer = (sac > 0) & (plane.z <= top)
    plane.paint(inside, T.CSF)
    plane.paint(outer, T.OUTER_CSF)
    taper = np.clip((shape.conus_z - plane.z) / 18.0, 0, 1) ** 0.6
    share = np.clip(1 - (plane.aside / (plane.cord * 1.75 + 0.1)) ** 2, 0, 1)
    lean = 0.12 * plane.half * np.sign(np.sin(plane.z / 90.0))
    cord = (np.abs(plane.behind - lean) < plane.cord * np.sqrt(share) * taper) & (share > 0)
    cord &= np.abs(plane.behind) < plane.half * 0.97
    plane.paint(inside & cord, T.CORD)
    plane.paint(outer & cord, T.BRAIN)
    # The roots of the cauda equina lie in the back of the sac.
    below = plane.z > shape.conus_z - 15
    strands = (np.sin(plane.behind * 2.1 + plane.z * 0.02 + plane.x) > 0.1) & (plane.behind > -0.1 * plane.half)
    plane.paint(inside & below & ~cord & strands & (sac > 1.0), T.ROOTS)


def _tumours(plane: Plane) -> None:
    for z, depth, half, behind in plane.shape.tumours:
        side = 1 if behind else -1
        front = plane.half + 1.2 - depth * np.exp(-0.5 * ((plane.z - z) / half) ** 2)
        zone = (np.abs(plane.z - z) < 2.5 * half) & (np.abs(plane.behind) < plane.half + 1.2)
        mass = zone & (side * plane.behind > front)
        # The cord gives way, and what is left of it keeps its label.
        pushed = mass & (plane.tissue == T.CORD) & (depth < 1.4 * plane.half)
        plane.paint(
            mass & ~pushed & np.isin(plane.tissue, (T.CSF, T.ROOTS, T.EPIDURAL_FAT, T.LIGAMENT, T.CORD)), T.TUMOUR
        )
