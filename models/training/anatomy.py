"""Healthy axial anatomy around the spinal canal, drawn with random shape on a 0.5 mm grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.training.labels import COMPRESSION_PIXEL_MM, SIZE_PX, Tissue
from models.training.shapes import capsule, ellipse, grid, lobed, rotate, wobble

REGIONS = ("cervical", "thoracic", "conus", "cauda")
_REGION_WEIGHTS = (0.38, 0.42, 0.20)


@dataclass(frozen=True, slots=True)
class Anatomy:
    """One healthy slice: tissue numbers (uint8) and boolean masks, all (rows, columns)."""

    tissue: np.ndarray
    sac: np.ndarray
    cord: np.ndarray
    canal: np.ndarray
    bone: np.ndarray
    region: str


@dataclass(frozen=True, slots=True)
class Frame:
    """Pixel coordinates (mm) in the anatomy's own axes, and the axes at canal scale (bent less)."""

    x: np.ndarray
    y: np.ndarray


def random_frame(
    rng: np.random.Generator, *, offset_sigma_mm: float = 2.0, turn: float = 0.0, flip: bool = False, zoom: float = 1.0
) -> Frame:
    """Pose of the anatomy in the crop: localisation error up to 8 mm, a tilt, a bend.

    ``turn`` (radians), ``flip`` (front to back) and ``zoom`` make the wrong geometries.
    """
    x, y = grid(SIZE_PX, COMPRESSION_PIXEL_MM)
    offset = np.clip(rng.normal(0, offset_sigma_mm, 2), -8, 8)
    x, y = (x - np.float32(offset[0])) * np.float32(zoom), (y - np.float32(offset[1])) * np.float32(zoom)
    if flip:
        y = -y
    x, y = rotate(x, y, turn + rng.normal(0, 0.09))
    x, y = wobble(rng, x, y, rng.uniform(0.0, 1.2), (14, 45))
    return Frame(x, y)


def draw(rng: np.random.Generator, frame: Frame, region: str | None = None) -> Anatomy:
    """Draw one healthy slice; ``region`` None takes a level that has a cord."""
    if region is None:
        region = str(rng.choice(REGIONS[:3], p=_REGION_WEIGHTS))
    cord_rl, cord_ap = _cord_size(rng, region)
    front, side, back = _csf_room(rng, region)
    sac_rl, sac_ap = cord_rl / 2 + side, cord_ap / 2 + (front + back) / 2
    x, y = frame.x, frame.y
    sac_distance = lobed(rng, x, y, sac_rl, sac_ap, rng.uniform(0.02, 0.16), (2, 3, 4))
    cord_x, cord_y = rng.normal(0, 0.12) * side, (front - back) / 2
    cord_distance = lobed(
        rng, x - np.float32(cord_x), y - np.float32(cord_y), cord_rl / 2, cord_ap / 2, 0.08, (2, 3, 4)
    )
    sac = sac_distance < 0
    cord = (cord_distance < 0) & (sac_distance < -0.4)
    canal_half = (sac_rl + rng.uniform(0.4, 4.0), sac_ap + rng.uniform(0.3, 1.6))
    tissue, canal, bone = _surroundings(rng, frame, region, canal_half, sac_ap, sac_distance)
    tissue[sac] = Tissue.CSF
    if region == "cauda":
        cord[:] = False
        _roots(rng, frame, tissue, sac, sac_rl, sac_ap, int(rng.integers(10, 36)), spread=True)
    else:
        tissue[cord] = Tissue.CORD
        _grey_matter(rng, frame, tissue, cord, cord_x, cord_y, cord_rl, cord_ap)
        count = int(rng.integers(4, 22)) if region == "conus" else int(rng.integers(0, 6))
        _roots(rng, frame, tissue, sac & ~cord, sac_rl, sac_ap, count, spread=False)
    return Anatomy(tissue, sac, cord, canal | sac, bone & ~sac, region)


def _cord_size(rng: np.random.Generator, region: str) -> tuple[float, float]:
    """Right-left and front-back diameter in mm: spine-generic and whole-spine norms, widened by two deviations."""
    if region == "cervical":
        rl = rng.uniform(9.5, 15.0)
        return rl, rl * rng.uniform(0.45, 0.74)
    if region == "thoracic":
        rl = rng.uniform(7.0, 11.0)
        return rl, rl * rng.uniform(0.6, 0.95)
    rl = rng.uniform(5.5, 11.5)
    return rl, rl * rng.uniform(0.62, 1.0)


def _csf_room(rng: np.random.Generator, region: str) -> tuple[float, float, float]:
    """CSF in front of, beside and behind the cord in mm."""
    if region == "cervical":
        return rng.uniform(0.7, 4.0), rng.uniform(2.0, 6.5), rng.uniform(0.7, 4.5)
    if region == "thoracic":
        return rng.uniform(0.7, 5.0), rng.uniform(1.3, 5.0), rng.uniform(0.6, 4.5)
    return rng.uniform(1.2, 6.5), rng.uniform(1.8, 6.0), rng.uniform(0.5, 4.0)


def _surroundings(
    rng: np.random.Generator,
    frame: Frame,
    region: str,
    canal_half: tuple[float, float],
    sac_ap: float,
    sac_distance: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tissue outside the sac; returns (tissue, canal mask, bone mask)."""
    x, y = frame.x, frame.y
    tissue = np.full(x.shape, int(Tissue.MUSCLE), np.uint8)
    _far_tissue(rng, frame, region, tissue)
    half_rl, half_ap = canal_half
    back_room = rng.choice([rng.uniform(0.2, 1.5), rng.uniform(1.5, 7.0)])
    canal_distance = ellipse(x, y, 0, 0, half_rl, half_ap, rng.uniform(2.0, 3.0))
    # The posterior epidural space is a triangle with its tip between the laminae.
    wedge = np.abs(x) * np.float32(half_ap / half_rl) + (y - np.float32(half_ap + back_room))
    canal = (canal_distance < 0) | ((wedge < 0) & (y > 0) & (np.abs(x) < half_rl))
    bone = _bone(rng, frame, region, tissue, canal, half_rl, half_ap, back_room)
    tissue[canal] = Tissue.EPIDURAL if rng.random() < 0.7 else Tissue.LIGAMENT
    _ligaments(rng, frame, tissue, canal, sac_distance, half_ap)
    return tissue, canal, bone


def _far_tissue(rng: np.random.Generator, frame: Frame, region: str, tissue: np.ndarray) -> None:
    """Fat planes, lungs, vessels, airway and skin around the spine."""
    x, y = frame.x, frame.y
    for _ in range(int(rng.integers(2, 7))):
        start, end = rng.uniform(-26, 26, 2), rng.uniform(-26, 26, 2)
        tissue[capsule(x, y, tuple(start), tuple(end), rng.uniform(0.3, 2.2)) < 0] = Tissue.FAT
    if rng.random() < 0.3:
        tissue[y > rng.uniform(12, 30)] = Tissue.FAT
        tissue[y > rng.uniform(18, 50)] = Tissue.AIR
    front = -rng.uniform(14, 34)
    if region == "cervical":
        tissue[ellipse(x, y, rng.normal(0, 3), front - 2, rng.uniform(4, 12), rng.uniform(3, 8)) < 0] = Tissue.AIR
    elif region == "thoracic" and rng.random() < 0.7:
        side = rng.uniform(11, 22)
        lungs = (np.abs(x + np.float32(rng.normal(0, 3))) > side) & (y < rng.uniform(-8, 8))
        tissue[lungs] = Tissue.AIR
    elif rng.random() < 0.6:
        tissue[ellipse(x, y, rng.uniform(-26, 26), front, rng.uniform(6, 16), rng.uniform(6, 16)) < 0] = Tissue.ORGAN
    for _ in range(int(rng.integers(0, 4))):
        radius = rng.uniform(1.5, 10)
        place = ellipse(x, y, rng.uniform(-24, 24), -rng.uniform(8, 30), radius, radius * rng.uniform(0.6, 1.2))
        tissue[place < 0] = Tissue.VESSEL


def _bone(
    rng: np.random.Generator,
    frame: Frame,
    region: str,
    tissue: np.ndarray,
    canal: np.ndarray,
    half_rl: float,
    half_ap: float,
    back_room: float,
) -> np.ndarray:
    """Vertebral body or disc, pedicles or foramina, laminae, spinous process, ribs; returns the bone mask."""
    x, y = frame.x, frame.y
    width = rng.uniform(8, 13) if region == "cervical" else rng.uniform(11, 25)
    depth = rng.uniform(12, 18) if region == "cervical" else rng.uniform(16, 34)
    cortex = np.float32(rng.uniform(0.3, 1.3))
    body = ellipse(x, y, 0, -half_ap - depth / 2 + rng.uniform(0, 2.5), width, depth / 2, rng.uniform(2.0, 3.2))
    parts = [body]
    pedicle_level = rng.random() < 0.5
    if pedicle_level:
        for sign in (-1, 1):
            reach = half_rl + rng.uniform(3, 9)
            parts.append(capsule(x, y, (sign * reach, -half_ap), (sign * reach, half_ap * 0.6), rng.uniform(2.0, 4.5)))
    if region == "thoracic" and rng.random() < 0.6:
        for sign in (-1, 1):
            tip = (sign * (half_rl + rng.uniform(12, 22)), rng.uniform(-4, 10))
            parts.append(capsule(x, y, (sign * (half_rl + 3), rng.uniform(-6, 3)), tip, rng.uniform(2, 4)))
    if rng.random() < 0.85:
        apex = half_ap + back_room + rng.uniform(0.5, 3)
        for sign in (-1, 1):
            foot = (sign * (half_rl + rng.uniform(1.5, 5)), rng.uniform(-1.0, 0.4) * half_ap + 2)
            parts.append(capsule(x, y, foot, (0, apex + 1.5), rng.uniform(1.4, 3.2)))
            if rng.random() < 0.4:
                parts.append(ellipse(x, y, foot[0] + sign * 3, foot[1] + 1, rng.uniform(3, 7), rng.uniform(3, 7)))
        if rng.random() < 0.8:
            parts.append(capsule(x, y, (0, apex + 1), (0, apex + rng.uniform(3, 24)), rng.uniform(1.2, 3.0)))
    disc_level = not pedicle_level and rng.random() < 0.55
    posterior = np.minimum.reduce(parts[1:]) if len(parts) > 1 else np.full_like(x, 99)
    tissue[posterior < 0] = Tissue.CORTEX
    tissue[posterior < -cortex] = Tissue.MARROW
    inside = body < 0
    tissue[inside] = Tissue.DISC if disc_level else Tissue.CORTEX
    if not disc_level:
        tissue[body < -cortex] = Tissue.MARROW
    if not pedicle_level:
        for sign in (-1, 1):
            place = ellipse(x, y, sign * (half_rl + 2.5), -half_ap * 0.2, rng.uniform(2, 5), rng.uniform(2, 5))
            tissue[(place < 0) & ~inside] = Tissue.FAT
            ganglion = ellipse(x, y, sign * (half_rl + rng.uniform(2, 6)), rng.normal(0, 1), 1.8, 1.4)
            tissue[ganglion < 0] = Tissue.ORGAN
    if region == "cervical" and rng.random() < 0.7:
        for sign in (-1, 1):
            artery = ellipse(x, y, sign * (half_rl + rng.uniform(2.5, 6)), -half_ap - rng.uniform(-1, 4), 1.8, 1.8)
            tissue[artery < 0] = Tissue.VESSEL
    bone = (posterior < 0) | (inside & (not disc_level))
    return bone & ~canal


def _ligaments(
    rng: np.random.Generator,
    frame: Frame,
    tissue: np.ndarray,
    canal: np.ndarray,
    sac_distance: np.ndarray,
    half_ap: float,
) -> None:
    """Dura, posterior longitudinal ligament, ligamentum flavum and epidural veins."""
    x, y = frame.x, frame.y
    if rng.random() < 0.6:
        tissue[canal & (sac_distance < rng.uniform(0.3, 0.9))] = Tissue.LIGAMENT
    if rng.random() < 0.5:
        thickness = rng.uniform(0.5, 3.5)
        flavum = canal & (y > 0.2 * half_ap) & (sac_distance > rng.uniform(0.2, 2.0)) & (np.abs(x) > rng.uniform(0, 3))
        tissue[flavum & (sac_distance < 2.0 + thickness)] = Tissue.LIGAMENT
    if rng.random() < 0.4:
        for _ in range(int(rng.integers(1, 4))):
            sign = rng.choice([-1, 1])
            vein = ellipse(
                x, y, sign * rng.uniform(2, 9), -half_ap + rng.uniform(-0.5, 2.5), rng.uniform(0.7, 2.5), 0.8
            )
            tissue[(vein < 0) & canal] = Tissue.VEIN


def _grey_matter(
    rng: np.random.Generator,
    frame: Frame,
    tissue: np.ndarray,
    cord: np.ndarray,
    cx: float,
    cy: float,
    rl: float,
    ap: float,
) -> None:
    """The H of grey matter: two horns a side and a commissure; now and then a lesion."""
    x, y = frame.x - np.float32(cx), frame.y - np.float32(cy)
    half = rng.uniform(0.14, 0.24) * rl
    horns = np.minimum(
        capsule(
            np.abs(x),
            y,
            (half * 0.9, -ap * rng.uniform(0.12, 0.24)),
            (half * 0.8, ap * 0.05),
            ap * rng.uniform(0.07, 0.13),
        ),
        capsule(
            np.abs(x), y, (half * 0.8, 0.0), (half * 1.25, ap * rng.uniform(0.2, 0.33)), ap * rng.uniform(0.04, 0.08)
        ),
    )
    bridge = capsule(x, y, (-half, 0.0), (half, 0.0), ap * 0.05)
    tissue[cord & (np.minimum(horns, bridge) < 0)] = Tissue.GREY
    if rng.random() < 0.08:
        angle = rng.uniform(0, 6.283)
        lesion = ellipse(
            x, y, rl * 0.28 * np.cos(angle), ap * 0.28 * np.sin(angle), rng.uniform(0.8, 2.6), rng.uniform(0.8, 2.0)
        )
        tissue[cord & (lesion < 0)] = Tissue.CORD_LESION


def _roots(
    rng: np.random.Generator,
    frame: Frame,
    tissue: np.ndarray,
    room: np.ndarray,
    sac_rl: float,
    sac_ap: float,
    count: int,
    *,
    spread: bool,
) -> None:
    """Nerve roots in the CSF; ``spread`` fills the sac with those of the cauda equina, mostly behind."""
    x, y = frame.x, frame.y
    clump = rng.random() < 0.5
    for _ in range(count):
        if spread:
            radius, angle = (
                np.sqrt(rng.random()) * 0.9,
                rng.uniform(-0.3, np.pi + 0.3) if clump else rng.uniform(0, 6.283),
            )
        else:
            radius, angle = rng.uniform(0.6, 0.95), rng.uniform(0, 6.283)
        place = (sac_rl * radius * np.cos(angle), sac_ap * radius * np.sin(angle))
        near = (x - np.float32(place[0])) ** 2 + (y - np.float32(place[1])) ** 2 < rng.uniform(0.35, 0.95) ** 2
        tissue[near & room] = Tissue.ROOT
