"""Made-up spines from the skull to the coccyx: sizes, curves and ailments, from which planes are drawn.

Sizes are those of an adult to the nearest few millimetres and are varied widely; nothing here is a norm.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

CERVICAL, THORACIC, LUMBAR, SACRAL = range(4)
# Height and depth of the body, disc below, canal front to back, cord front to back, length of the spinous process and
# its slope against the body's axis (degrees); one row a level from which others are interpolated.
_KNOTS = {
    "C2": (20.0, 15.0, 4.5, 15.5, 7.8, 17.0, 25.0),
    "C5": (13.0, 15.5, 5.0, 13.5, 7.6, 17.0, 25.0),
    "C7": (14.5, 16.5, 5.0, 13.5, 6.8, 27.0, 25.0),
    "T1": (16.0, 17.0, 4.5, 14.0, 6.5, 28.0, 30.0),
    "T6": (19.5, 25.0, 4.5, 14.5, 6.2, 32.0, 55.0),
    "T10": (22.5, 28.5, 5.5, 14.5, 6.6, 30.0, 40.0),
    "T12": (25.0, 30.0, 6.5, 16.0, 7.2, 26.0, 15.0),
    "L1": (26.5, 31.5, 8.0, 16.5, 6.5, 28.0, 8.0),
    "L3": (28.0, 34.0, 10.0, 16.0, 5.0, 31.0, 5.0),
    "L5": (27.0, 34.5, 10.0, 16.5, 4.0, 22.0, 10.0),
}
_FREE = [f"C{n}" for n in range(2, 8)] + [f"T{n}" for n in range(1, 13)] + [f"L{n}" for n in range(1, 6)]
SACRUM_HEIGHTS_MM = (29.0, 25.0, 21.0, 18.0, 15.0)
SACRUM_DEPTHS_MM = (31.0, 22.0, 16.0, 12.0, 9.0)
# Drawn more often than it is met, for the net to see how S1 still differs.
LUMBARISED_SHARE = 0.2


@dataclass(slots=True)
class Bone:
    """One vertebra of the row; ``z``, ``y`` its body's middle (mm, down and back), ``tilt`` its axis (radians)."""

    name: str
    region: int
    height: float
    depth: float
    width: float
    disc: float
    canal: float
    cord: float
    process: float
    slope: float
    tilt: float
    z: float = 0.0
    y: float = 0.0
    x: float = 0.0
    wedge: float = 0.0
    concave: float = 1.0
    lesion: float = 0.0
    degeneration: float = 0.0
    bulge: float = 0.0
    modic: float = 0.0


@dataclass(slots=True)
class SpineShape:
    """A whole spine: free vertebrae (C2 to the last lumbar one), the sacrum's pieces, and what lies in the canal.

    ``conus_z`` is where the cord ends; ``tumours`` are (z, depth into the canal, half height, behind?) of epidural
    masses.
    """

    bones: list[Bone]
    sacrum: list[Bone]
    conus_z: float
    sac_end_z: float
    tumours: list[tuple[float, float, float, bool]]
    scale: float
    canal_z: np.ndarray
    canal_y: np.ndarray
    canal_tilt: np.ndarray
    canal_half: np.ndarray
    cord_half: np.ndarray


def _sizes(name: str) -> np.ndarray:
    names = list(_KNOTS)
    places = [_FREE.index(n) for n in names]
    table = np.array([_KNOTS[n] for n in names])
    return np.array([np.interp(_FREE.index(name), places, table[:, k]) for k in range(table.shape[1])])


def draw_spine(rng: np.random.Generator) -> SpineShape:
    """One random spine."""
    names = list(_FREE)
    if rng.random() < 0.06:
        # Lumbarised and sacralised: six or four free lumbar vertebrae.
        names = names[:-1] if rng.random() < 0.5 else [*names, "L5"]
    scale = rng.uniform(0.82, 1.14)
    body, deep, gap, canal = (
        rng.uniform(0.9, 1.1),
        rng.uniform(0.88, 1.12),
        rng.uniform(0.75, 1.25),
        rng.uniform(0.8, 1.15),
    )
    old = rng.random() ** 1.5
    tilts = _tilts(rng, names)
    bones = []
    for name, tilt in zip(names, tilts, strict=True):
        height, depth, disc, sac, cord, process, slope = _sizes(name)
        region = "CTL".index(name[0])
        degeneration = float(np.clip(rng.normal(old, 0.35), 0, 1))
        bone = Bone(
            name,
            region,
            height * body * rng.normal(1, 0.035),
            depth * deep * rng.normal(1, 0.025),
            0.0,
            max(0.8, disc * gap * rng.normal(1, 0.12) * (1 - 0.55 * degeneration * rng.random())),
            sac * canal * rng.normal(1, 0.03),
            cord * rng.normal(1, 0.04),
            process * rng.uniform(0.7, 1.3),
            np.radians(slope + rng.normal(0, 6)),
            tilt,
        )
        bone.width = depth * deep * {0: 1.35, 1: 1.15, 2: 1.35}[region]
        bone.degeneration = degeneration
        bone.concave = rng.uniform(0.0, 1.6)
        bone.bulge = max(0.0, rng.normal(0.4, 1.2) + 1.6 * degeneration * rng.random())
        if rng.random() < 0.1:
            bone.bulge = rng.uniform(2.0, 8.0)
        bone.modic = rng.random() if rng.random() < 0.12 else 0.0
        bones.append(bone)
    _ailments(rng, bones)
    sacrum = _sacrum(rng, bones[-1], deep * rng.normal(1, 0.04), rng.uniform(0.85, 1.1))
    return _placed(rng, bones, sacrum, scale)


def _tilts(rng: np.random.Generator, names: list[str]) -> np.ndarray:
    """Angle of each body's axis against the vertical; positive where it leads backwards on the way down."""
    top = np.radians(rng.uniform(-28, 5))
    thoracic_top = np.radians(rng.uniform(8, 38))
    thoracic_end = thoracic_top - np.radians(rng.uniform(18, 58))
    lumbar_end = thoracic_end + np.radians(rng.uniform(22, 62))
    knots = {"C2": top, "T1": thoracic_top, "T12": thoracic_end, "L5": lumbar_end}
    places = [names.index("C2"), names.index("T1"), names.index("T12"), len(names) - 1]
    index = np.arange(len(names))
    smooth = np.interp(index, places, list(knots.values()))
    kernel = np.array([0.25, 0.5, 0.25])
    padded = np.concatenate([smooth[:1], smooth, smooth[-1:]])
    return np.convolve(padded, kernel, "valid") + rng.normal(0, np.radians(1.2), len(names))


def _ailments(rng: np.random.Generator, bones: list[Bone]) -> None:
    for bone in bones[1:]:
        if rng.random() < 0.05:
            # A fracture: wedge, biconcave or crush.
            loss = rng.uniform(0.15, 0.65)
            bone.height *= 1 - loss * rng.uniform(0.4, 1)
            bone.wedge = rng.uniform(0, 0.6) * loss
            bone.concave = rng.uniform(0, 5)
        if rng.random() < 0.12:
            bone.lesion = rng.uniform(0.2, 1.2)
    if rng.random() < 0.03:
        # Two that have grown together.
        rng.choice(bones[:-1]).disc = 0.3


def _sacrum(rng: np.random.Generator, last: Bone, deep: float, size: float) -> list[Bone]:
    tilt = last.tilt + np.radians(rng.uniform(8, 28))
    bend = np.radians(rng.uniform(-2, 22))
    depths = list(SACRUM_DEPTHS_MM)
    # Half lumbarised: S1 is as deep below as above, and a disc of some height lies under it.
    squared = rng.random() < LUMBARISED_SHARE
    if squared:
        depths[1] = SACRUM_DEPTHS_MM[0] * rng.uniform(0.75, 0.95)
    pieces = []
    for number, (height, depth) in enumerate(zip(SACRUM_HEIGHTS_MM, depths, strict=True), start=1):
        bone = Bone(
            f"S{number}",
            SACRAL,
            height * size,
            depth * deep,
            depth * 1.4,
            _sacral_gap(rng, number, squared),
            max(4.0, last.canal * (1.0 - 0.17 * number)),
            0.0,
            rng.uniform(5, 14),
            np.radians(10),
            tilt,
        )
        bone.degeneration = 1.0
        pieces.append(bone)
        tilt -= bend * rng.uniform(0.5, 1.3)
    return pieces


def _sacral_gap(rng: np.random.Generator, number: int, squared: bool) -> float:
    if number == 1 and squared:
        return float(rng.uniform(3.0, 8.0))
    return float(rng.uniform(0.5, 3.5)) if number < 3 else 0.8


def _placed(rng: np.random.Generator, bones: list[Bone], sacrum: list[Bone], scale: float) -> SpineShape:
    row = [*bones, *sacrum]
    for bone in row:
        for size in ("height", "depth", "width", "disc", "canal", "process", "bulge"):
            setattr(bone, size, getattr(bone, size) * scale)
        bone.cord *= 0.5 + 0.5 * scale
    sway, phase, wave = rng.normal(0, 4) * (3 if rng.random() < 0.1 else 1), rng.uniform(0, 6.3), rng.uniform(80, 220)
    for above, below in itertools.pairwise(row):
        slip = rng.normal(0, 0.5)
        if above in bones and rng.random() < 0.04:
            slip = rng.choice([-1, 1]) * rng.uniform(2, 9)
        middle = (above.tilt + below.tilt) / 2
        half, other = above.height / 2, below.height / 2
        below.z = above.z + half * np.cos(above.tilt) + above.disc * np.cos(middle) + other * np.cos(below.tilt)
        below.y = above.y + half * np.sin(above.tilt) + above.disc * np.sin(middle) + other * np.sin(below.tilt) + slip
    for bone in row:
        bone.x = sway * np.sin(bone.z / wave + phase)
    conus = bones[-1 - int(rng.choice([3, 4, 5, 6], p=[0.15, 0.5, 0.3, 0.05]))]
    conus_z = conus.z + rng.uniform(-0.5, 0.5) * conus.height
    sac_end = sacrum[int(rng.choice([0, 1, 2], p=[0.2, 0.6, 0.2]))]
    tumours = []
    for _ in range(int(rng.choice([0, 1, 2], p=[0.7, 0.22, 0.08]))):
        at = bones[int(rng.integers(2, len(bones)))]
        tumours.append((at.z, rng.uniform(2, 12), rng.uniform(6, 22), bool(rng.random() < 0.3)))
    return SpineShape(bones, sacrum, conus_z, sac_end.z, tumours, scale, *_canal(rng, row, scale))


def _canal(
    rng: np.random.Generator, row: list[Bone], scale: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Middle of the canal behind the bodies, each mm of height: z, y, tilt, half of the sac, half of the cord."""
    points, half, cord = [], [], []
    for bone in row:
        back = bone.depth / 2 + rng.uniform(0.5, 2.5) + bone.canal / 2
        for u in (-0.35, 0.35):
            at = u * bone.height
            points.append(
                (
                    bone.z + at * np.cos(bone.tilt) - back * np.sin(bone.tilt),
                    bone.y + at * np.sin(bone.tilt) + back * np.cos(bone.tilt),
                )
            )
            half.append(bone.canal / 2 * rng.uniform(0.82, 0.98))
            cord.append(bone.cord / 2)
    points_zy = np.array(points)
    # Above C2 the canal goes on to the foramen magnum.
    top = points_zy[0] - np.array([60.0, 60.0 * np.sin(row[0].tilt) * 0.3]) * scale
    points_zy = np.vstack([top, points_zy])
    half, cord = [half[0] * 1.15, *half], [cord[0] * 1.05, *cord]
    order = np.argsort(points_zy[:, 0])
    z = np.arange(points_zy[order[0], 0], points_zy[order[-1], 0])
    y = np.interp(z, points_zy[order, 0], points_zy[order, 1])
    wide = np.interp(z, points_zy[order, 0], np.array(half)[order])
    slim = np.interp(z, points_zy[order, 0], np.array(cord)[order])
    y, wide, slim = (_smooth(values, 11) for values in (y, wide, slim))
    return z, y, np.arctan(np.gradient(y)), wide, slim


def _smooth(values: np.ndarray, width: int) -> np.ndarray:
    from scipy import ndimage

    return ndimage.gaussian_filter1d(values, width / 2, mode="nearest")
