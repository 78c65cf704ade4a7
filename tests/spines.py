"""A made-up whole spine, C2 to the sacrum: tissues, signal and true labels of any plane. Numbers only, no patient.

Bodies, discs, arches and the canal are closed-form shapes about one curve with a cervical lordosis, a thoracic kyphosis
and a lumbar lordosis, bent sideways on demand. Sizes are those of an adult to a millimetre or two; none is a norm.
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from dashboard.exchange.demonstration import write_series
from dashboard.study.phantom import CODE, noisy, signal_of
from dashboard.study.sagittal import SAGITTAL_CLASSES

OTHER, VERTEBRA, DISC, CANAL, CORD, LUMBOSACRAL, C2 = range(len(SAGITTAL_CLASSES))
STEP_MM = 0.4
CANAL_AP_MM, CANAL_RL_MM, CORD_AP_MM = 14.0, 18.0, 7.0
# Tangent of the canal at places along the row, degrees backwards on the way down.
LEAN = {"C2": -14, "C5": 0, "C7": 20, "T1": 24, "T4": 16, "T7": 0, "T10": -14, "T12": -18, "L2": -8, "L4": 12, "L5": 24}
PRESACRAL = tuple([f"C{k}" for k in range(2, 8)] + [f"T{k}" for k in range(1, 13)] + [f"L{k}" for k in range(1, 6)])


def _size(place: float, cervical: tuple[float, float], thoracic: tuple[float, float], lumbar: tuple[float, float]):
    """A length that runs on lines within each region; `place` counts vertebrae from C2."""
    return float(np.interp(place, [0, 5, 6, 17, 18, 22], [*cervical, *thoracic, *lumbar]))


@dataclass(frozen=True)
class Whole:
    """One spine.

    Attributes
    ----------
    vertebrae
        Names from C2 down; one more or fewer than usual makes an anomaly.
    sway_mm, sway_length_mm
        How far a scoliosis carries the canal sideways, and the length of its wave.
    scale
        1 for an adult of usual size.
    fused
        Names of vertebrae whose disc below is missing.
    unseen
        Names of vertebrae that have no label.
    thin
        Names of vertebrae whose disc below is rudimentary: low and short.
    cord_end
        The vertebra in whose middle the cord ends.
    """

    vertebrae: tuple[str, ...] = PRESACRAL
    sway_mm: float = 0.0
    sway_length_mm: float = 400.0
    scale: float = 1.0
    fused: frozenset[str] = frozenset()
    unseen: frozenset[str] = frozenset()
    thin: frozenset[str] = frozenset()
    cord_end: str = "L1"
    seed: int = field(default=5)

    def place(self, number: int) -> float:
        """Place among 23 vertebrae that sizes are looked up by."""
        return number * 22 / max(22, len(self.vertebrae) - 1)

    def body_mm(self, number: int) -> float:
        return self.scale * (20.0 if number == 0 else _size(self.place(number), (14, 13), (16, 24), (26, 28)))

    def disc_mm(self, number: int) -> float:
        usual = _size(self.place(number), (5, 5), (4, 5.5), (8, 10.5))
        return self.scale * usual * (0.35 if self.vertebrae[number] in self.thin else 1.0)

    def depth_mm(self, number: int) -> float:
        return self.scale * _size(self.place(number), (15, 16), (17, 30), (32, 34))

    @cached_property
    def bounds(self):
        """Top and bottom of each body along the canal, mm from the top of C2's body."""
        top, found = 0.0, []
        for number in range(len(self.vertebrae)):
            found.append((top, top + self.body_mm(number)))
            top = found[-1][1] + self.disc_mm(number)
        return found

    @cached_property
    def curve(self):
        """Samples of the canal: way along it (n), and LPS y and z (n, 2); z is 0 at the top of C2's body."""
        last = self.bounds[-1][1]
        way = np.arange(-60.0, last + 110.0, STEP_MM)
        middles = {name: sum(self.bounds[k]) / 2 for k, name in enumerate(self.vertebrae)}
        known = {middles[name]: angle for name, angle in LEAN.items() if name in middles}
        known |= {last + 15: 40.0, last + 110: 25.0}
        lean = np.radians(np.interp(way, sorted(known), [known[k] for k in sorted(known)]))
        lean = gaussian_filter(lean, 8 / STEP_MM)
        start = np.searchsorted(way, 0.0)
        points = np.cumsum(np.stack([np.sin(lean), -np.cos(lean)], axis=1) * STEP_MM, axis=0)
        return way, points - points[start]

    def middle_x(self, z):
        """Sideways place of the canal at heights z."""
        return self.sway_mm * np.sin(2 * np.pi * z / self.sway_length_mm)

    def centre_mm(self, name: str):
        """LPS of the canal's middle at a vertebra's middle, or at the disc below for ``C2/3``."""
        way, points = self.curve
        number = next(k for k, one in enumerate(self.vertebrae) if one == name.split("/")[0])
        top, bottom = self.bounds[number]
        wanted = (top + bottom) / 2 if "/" not in name else bottom + self.disc_mm(number) / 2
        y, z = points[np.searchsorted(way, wanted)]
        return np.array([self.middle_x(z), y, z])

    def sample(self, affine, shape):
        """Tissue codes and labels (slices, rows, columns) at the voxel centres of a grid."""
        tissue, labels = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
        rows, columns = np.meshgrid(np.arange(shape[1]), np.arange(shape[2]), indexing="ij")
        for k in range(shape[0]):
            index = np.stack([np.full(rows.shape, k), rows, columns, np.ones(rows.shape)])
            x, y, z, _ = np.tensordot(affine, index, axes=1)
            tissue[k], labels[k] = self.at(x, y, z)
        return tissue, labels

    def at(self, x, y, z):
        """Tissue code and label of points that share one shape."""
        if np.ptp(y, axis=1).max() == 0 and np.ptp(z, axis=1).max() == 0:
            # Planes across the patient: one answer a row.
            along, back = (np.broadcast_to(one, y.shape) for one in self._frame(y[:, :1], z[:, :1]))
        else:
            along, back = self._frame(y, z)
        return self._paint(along, back, x - self.middle_x(z))

    def _frame(self, y, z):
        """Way along the canal, and distance behind it, of points of the patient's middle plane."""
        key = (y.tobytes(), z.tobytes())
        if key not in self._frames:
            way, points = self.curve
            at = np.stack([y.ravel(), z.ravel()], axis=1)
            _, nearest = self._tree.query(at)
            step = np.gradient(points, axis=0)[nearest]
            offset = at - points[nearest]
            back = (offset[:, 0] * -step[:, 1] + offset[:, 1] * step[:, 0]) / np.linalg.norm(step, axis=1)
            self._frames.clear()
            self._frames[key] = way[nearest].reshape(y.shape), back.reshape(y.shape)
        return self._frames[key]

    @cached_property
    def _frames(self):
        return {}

    @cached_property
    def _tree(self):
        return cKDTree(self.curve[1])

    def _paint(self, along, back, side):
        tissue = np.full(along.shape, CODE["air"], np.uint8)
        labels = np.zeros(along.shape, np.uint8)

        def paint(where, name, label=OTHER):
            tissue[where], labels[where] = CODE[name], label

        paint((back > -130) & (back < 75), "skin_fat")
        paint((back > -115) & (back < 60), "muscle")
        last = self.bounds[-1][1]
        paint((back > -CANAL_AP_MM / 2 - 2) & (back < 11) & (np.abs(side) < 12) & (along < last + 60), "epidural_fat")
        for number, name in enumerate(self.vertebrae):
            top, bottom = self.bounds[number]
            # Only what lies about a level is asked about it.
            near = np.nonzero((along > top - 5) & (along < bottom + self.disc_mm(number) + 5) & (np.abs(back) < 60))

            def paint_near(where, kind, label=OTHER, near=near):
                index = tuple(axis[where] for axis in near)
                tissue[index], labels[index] = CODE[kind], label

            self._paint_level(paint_near, number, name, along[near], back[near], side[near])
        self._paint_sacrum(paint, along, back, side)
        self._paint_top(paint, along, back, side)
        canal = (back / (CANAL_AP_MM / 2)) ** 2 + (side / (CANAL_RL_MM / 2)) ** 2 < 1
        canal &= along < last + self.disc_mm(len(self.vertebrae) - 1) + 35
        paint(canal, "csf", CANAL)
        top, bottom = self.bounds[self.vertebrae.index(self.cord_end)]
        width = CORD_AP_MM / 2 * np.clip(((top + bottom) / 2 - along) / 25, 0, 1) ** 0.5
        paint(canal & (back**2 + (side / 1.3) ** 2 < width**2), "cord", CORD)
        return tissue, labels

    def _paint_level(self, paint, number, name, along, back, side):
        top, bottom = self.bounds[number]
        depth, wide = self.depth_mm(number), 1.35 * self.depth_mm(number)
        front = back + CANAL_AP_MM / 2 + 2 + depth / 2
        label = OTHER if name in self.unseen else C2 if number == 0 else VERTEBRA
        waist = 1 - 0.08 * np.clip(1 - np.abs((along - (top + bottom) / 2) / ((bottom - top) / 2)), 0, 1)
        column = (2 * front / depth / waist) ** 4 + (2 * side / wide / waist) ** 4 < 1
        disc_bottom = bottom + self.disc_mm(number)
        inner = (along > top + 1) & (along < bottom - 1)
        paint(column & (along >= top) & (along < bottom), "cortex", label)
        paint(column & inner, "marrow", label)
        arch = (np.abs(along - (top + bottom) / 2) < 0.32 * (bottom - top)) & (back > -CANAL_AP_MM / 2)
        ring = (back / 12) ** 2 + (side / 16) ** 2 < 1
        paint(arch & ring & (np.abs(side) > CANAL_RL_MM / 2), "marrow", label)
        spinous = (np.abs(side) < 3.5) & (back > 9) & (back < 9 + 0.9 * depth)
        lower = np.abs(along - 0.25 * top - 0.75 * bottom) < 0.32 * (bottom - top)
        paint(spinous & lower, "marrow", label)
        if name in self.fused:
            paint(column & (along >= bottom) & (along < disc_bottom), "marrow", label)
            return
        short = 0.55 if name in self.thin else 1.0
        lens = (2 * front / depth / short / 0.98) ** 4 + (2 * side / wide) ** 4 < 1
        own = LUMBOSACRAL if number == len(self.vertebrae) - 1 else DISC
        paint(lens & (along >= bottom) & (along < disc_bottom), "disc", own)

    def _paint_sacrum(self, paint, along, back, side):
        last = len(self.vertebrae) - 1
        top = self.bounds[-1][1] + self.disc_mm(last)
        depth = self.depth_mm(last)
        thick = depth * np.clip(1 - (along - top) / 120, 0.2, 1)
        front = back + CANAL_AP_MM / 2 + 2 + thick / 2
        body = (np.abs(front) < thick / 2) & (np.abs(side) < 28) & (along >= top) & (along < top + 90)
        paint(body, "marrow")
        for k in (1, 2):
            remnant = body & (np.abs(along - top - 27 * k) < 1.5) & (np.abs(front) < thick / 3)
            paint(remnant, "disc")

    def _paint_top(self, paint, along, back, side):
        depth = self.depth_mm(0)
        front = back + CANAL_AP_MM / 2 + 2 + depth / 2
        # One bone: no endplate parts the dens from its body.
        dens = (np.abs(front - 1) < 0.32 * depth) & (np.abs(side) < 5.5) & (along < 2) & (along > -16)
        paint(dens, "marrow", OTHER if self.vertebrae[0] in self.unseen else C2)
        arch = (np.hypot(front + 0.55 * depth, (along + 9)) < 3.5) & (np.abs(side) < 14)
        paint(arch, "marrow")


def sagittal_grid(field_mm=(700.0, 300.0), top_mm=70.0, planes=15, step_mm=4.0, pixel_mm=0.8, middle=(0.0, -40.0)):
    """Affine and shape of a sagittal stack; `top_mm` is its top above the top of C2's body, `middle` (x, y) its own."""
    shape = (planes, int(field_mm[0] / pixel_mm), int(field_mm[1] / pixel_mm))
    affine = np.eye(4)
    affine[:3, :3] = np.array([[step_mm, 0, 0], [0, 0, pixel_mm], [0, -pixel_mm, 0]])
    affine[:3, 3] = (middle[0] - step_mm * (planes - 1) / 2, middle[1] - field_mm[1] / 2, top_mm)
    return affine, shape


def picture_of(tissue, pixel_mm=0.8, seed=5):
    """T2 signal of tissues as a scanner would give it."""
    return noisy(signal_of(tissue), pixel_mm, np.random.default_rng(seed))


def write_whole_spine(folder, whole, planes=11, slices=36, step_mm=5.0, acquired=datetime(2024, 2, 1, 8, 0)):
    """The spine as a study, sagittal T2 from C2 to the sacrum and axial T2 about its middle; returns the paths of each.

    The axial stack stands at right angles to the patient, not to the canal, as many emergency stacks do.
    """
    folder.mkdir(parents=True, exist_ok=True)
    affine, shape = sagittal_grid(planes=planes)
    tissue, _ = whole.sample(affine, shape)
    sagittal = write_series(folder, picture_of(tissue), affine, 1, "SAG T2 TSE SYNTHETIC", acquired)
    middle = whole.centre_mm("T8")
    affine = np.eye(4)
    affine[:3, :3] = np.array([[0, 0, 0.75], [0, 0.75, 0], [-step_mm, 0, 0]])
    affine[:3, 3] = middle - [0.75 * 127.5, 0.75 * 127.5 + 20, -step_mm * (slices - 1) / 2]
    tissue, _ = whole.sample(affine, (slices, 256, 256))
    axial = write_series(folder, picture_of(tissue, 0.75), affine, 2, "AX T2 TSE SYNTHETIC", acquired)
    return sagittal, axial
