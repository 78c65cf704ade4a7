"""Samples for training: drawn planes and real ones, as (image float16 (3, P, P), classes uint8 (P, P))."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import ndimage

from models.training.feed import Batch, Maker
from models.training.sagittal.appearance import disturb, flowing, recolour, render
from models.training.sagittal.epidural import draw_mass, implant
from models.training.sagittal.labels import (
    CLASS_OF_TISSUE,
    DISC,
    IGNORE,
    LUMBOSACRAL,
    NEIGHBOUR_MM,
    PATCH_PX,
    PIXEL_MM,
    Tissue,
)
from models.training.sagittal.people import Person, gather
from models.training.sagittal.planes import Plane, draw_plane
from models.training.sagittal.spines import SpineShape, draw_spine
from models.training.sagittal.surroundings import Style

REAL_SHARE = 0.75
# Real planes with tumour in the canal; real planes with streams of dark CSF.
MASS_SHARE, FLOW_SHARE = 0.4, 0.2
# Discs of the few real people that are made thin and dark, as old ones are; columns that share their shift.
COLLAPSED_SHARE, COLLAPSE_STEP, LEAST_DISC_PIXELS = 0.35, 8, 150
# Bone beside an old disc that may be as dark as the disc, in pixels.
MOST_HARDENED_PX = 2
# Share of a disc's half height, from its middle, that is squeezed.
INNER_DISC = 0.75


def drawn_sample(rng: np.random.Generator) -> Batch:
    """Three planes of a made-up spine about a point near its canal."""
    shape, style = draw_spine(rng), Style(rng)
    return drawn_patch(rng, shape, style, PATCH_PX)


def drawn_patch(rng: np.random.Generator, shape: SpineShape, style: Style, size: int) -> Batch:
    """A patch anywhere along a spine."""
    top, bottom = shape.bones[0].z - 45, shape.sacrum[3].z
    # The ends, from which levels are counted, as often as all between.
    share = rng.random()
    z = rng.uniform(top, bottom)
    if share < 0.3:
        z = rng.uniform(top, shape.bones[6].z)
    elif share < 0.5:
        z = rng.uniform(shape.bones[-4].z, bottom)
    y = float(np.interp(z, shape.canal_z, shape.canal_y)) + rng.uniform(-70, 45)
    widest = 10 if z < shape.bones[8].z else 22
    x = rng.uniform(-1, 1) * widest if rng.random() < 0.7 else rng.normal(0, 3)
    turn = np.radians(rng.normal(0, 7))
    gap = rng.uniform(*NEIGHBOUR_MM)
    seed = int(rng.integers(2**31))
    planes = []
    for offset in (-gap, 0.0, gap):
        same = np.random.default_rng(seed)
        planes.append(draw_plane(same, Plane(shape, (z, y), turn, size, x + offset), style))
    maps = np.stack(planes)
    if rng.random() < 0.12:
        maps = np.repeat(maps[1:2], 3, axis=0)
    old = np.interp(Plane(shape, (z, y), turn, size, x).z, *_ages(shape))
    image = disturb(rng, render(rng, maps, old.astype(np.float32)))
    labels = CLASS_OF_TISSUE[maps[1]]
    image, labels = _field(rng, image, labels)
    return image.astype(np.float16), labels


def _ages(shape: SpineShape) -> tuple[np.ndarray, np.ndarray]:
    z = np.array([b.z + b.height / 2 for b in shape.bones])
    return z, np.array([b.degeneration for b in shape.bones])


def _field(rng: np.random.Generator, image: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The field of view often ends within the patch: nothing is there, and nothing is to be found."""
    if rng.random() < 0.45:
        size = labels.shape[0]
        inside = np.zeros(labels.shape, bool)
        top, left = (int(rng.uniform(0, 0.35) * size * (rng.random() < 0.6)) for _ in range(2))
        bottom, right = (size - int(rng.uniform(0, 0.35) * size * (rng.random() < 0.6)) for _ in range(2))
        inside[top:bottom, left:right] = True
        image = np.where(inside, image, 0)
        labels = np.where(inside, labels, 0)
    return image, labels.astype(np.uint8)


def real_sample(rng: np.random.Generator, people: list[Person]) -> Batch:
    """A patch of a real volume, turned, stretched, with another contrast now and then."""
    person = people[int(rng.integers(len(people)))]
    shape = person.image.shape
    planes = np.flatnonzero(person.has_spine)
    plane = int(rng.choice(planes)) if rng.random() < 0.9 else int(rng.integers(shape[0]))
    gap = rng.uniform(*NEIGHBOUR_MM) / person.spacing[0]
    thick = int(rng.integers(1, 4))
    offsets = [0.0] * 3 if rng.random() < 0.12 else [-gap, 0.0, gap]
    if rng.random() < 0.5:
        offsets = offsets[::-1]
    centre = (rng.uniform(0.15, 0.85) * shape[1], np.interp(rng.random(), [0, 1], [0.25, 0.75]) * shape[2])
    coordinates = _warp(rng, person, centre)
    collapsed = rng.random() < COLLAPSED_SHARE
    if collapsed:
        coordinates[0] = _collapse(rng, person.labels[plane], coordinates)
    around = [
        [int(np.clip(round(plane + offset + d), 0, shape[0] - 1)) for d in range(-(thick // 2), thick - thick // 2)]
        for offset in offsets
    ]
    seen = np.unique([*np.concatenate(around), plane])
    volume, classes = _with_masses(rng, person, seen)
    channels = []
    for these in around:
        grey = volume[np.searchsorted(seen, these)].mean(0)
        channels.append(ndimage.map_coordinates(grey, coordinates, order=1, mode="constant"))
    image = np.stack(channels) / person.high
    labels = classes[int(np.searchsorted(seen, plane))]
    labels = ndimage.map_coordinates(labels, coordinates, order=0, mode="constant", cval=0)
    if rng.random() < FLOW_SHARE:
        image = flowing(rng, image, labels)
    if collapsed:
        image = image * (1 - rng.uniform(0, 0.6) * _darkened(rng, np.isin(labels, (DISC, LUMBOSACRAL))))
    image = recolour(rng, image, labels)
    inside = (
        (coordinates[0] >= 0)
        & (coordinates[0] <= shape[1] - 1)
        & (coordinates[1] >= 0)
        & (coordinates[1] <= shape[2] - 1)
    )
    image = np.where(inside, disturb(rng, image), 0)
    unknown = ndimage.map_coordinates(person.unknown[plane].astype(np.uint8), coordinates, order=0, mode="constant")
    image, labels = _field(rng, image, np.where(inside, np.where(unknown, IGNORE, labels), 0))
    return image.astype(np.float16), labels


def _with_masses(rng: np.random.Generator, person: Person, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Planes ``seen`` of a person, float32, and their classes; now and then with tumour in the canal."""
    image, labels = person.image[seen].astype(np.float32), person.labels[seen]
    if rng.random() < MASS_SHARE:
        for _ in range(1 + int(rng.random() < 0.3)):
            mass = draw_mass(rng, person.labels, person.spacing)
            image, labels = implant(rng, image, labels, seen, mass, person.high)
    return image, labels


def _warp(rng: np.random.Generator, person: Person, centre: tuple[float, float]) -> np.ndarray:
    axis = (np.arange(PATCH_PX) - (PATCH_PX - 1) / 2) * PIXEL_MM
    down, back = np.meshgrid(axis, axis, indexing="ij")
    turn, shear = np.radians(rng.normal(0, 8)), rng.normal(0, 0.06)
    stretch = rng.uniform(0.82, 1.2) * np.exp(rng.normal(0, 0.05, 2))
    rows = (down * np.cos(turn) - back * np.sin(turn) + shear * back) * stretch[0]
    columns = (down * np.sin(turn) + back * np.cos(turn)) * stretch[1]
    if rng.random() < 0.5:
        bend = ndimage.zoom(rng.standard_normal((2, 5, 5)), (1, PATCH_PX / 5, PATCH_PX / 5), order=1)
        strength = rng.uniform(0, 4)
        rows, columns = (
            rows + strength * bend[0, :PATCH_PX, :PATCH_PX],
            columns + strength * bend[1, :PATCH_PX, :PATCH_PX],
        )
    return np.stack([centre[0] + rows / person.spacing[1], centre[1] + columns / person.spacing[2]])


def _collapse(rng: np.random.Generator, labels: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """Rows to read so that discs have lost height, each its own share of it, and all beside them comes nearer.

    Only the inner part of a disc is squeezed: the dark line of its endplates, which the published masks leave out, is
    as wide beside an old disc as beside a young one.
    """
    parts, count = ndimage.label(np.isin(labels, (DISC, LUMBOSACRAL)))
    rows, columns = np.arange(labels.shape[0]), np.arange(0, labels.shape[1], COLLAPSE_STEP)
    kept = np.ones((len(rows), len(columns)))
    for part in range(1, count + 1):
        down, back = np.nonzero(parts == part)
        if len(down) < LEAST_DISC_PIXELS or np.ptp(back) < 10:
            continue
        slope, start = np.polyfit(back, down, 1)
        half = len(down) / np.ptp(back) / 2
        away = (rows[:, None] - (start + slope * columns[None, :])) / (INNER_DISC * half)
        kept -= rng.uniform(0, 0.8) * np.exp(-(np.minimum(np.abs(away), 2) ** 8))
    place = np.cumsum(kept, axis=0)
    place += len(rows) / 2 - place[len(rows) // 2]
    ends = {"left": -1e3, "right": len(rows) + 1e3}
    source = np.stack([np.interp(rows, place[:, k], rows, **ends) for k in range(len(columns))], axis=1)
    near = np.stack([coordinates[0], coordinates[1] / COLLAPSE_STEP])
    moved = ndimage.map_coordinates(source, near, order=1, mode="nearest")
    outside = (coordinates[0] < 0) | (coordinates[0] > len(rows) - 1)
    return np.asarray(np.where(outside, coordinates[0], moved))


def _darkened(rng: np.random.Generator, discs: np.ndarray) -> np.ndarray:
    """Where old discs are dark, 0 to 1; now and then with the bone beside them, which has hardened."""
    hardened = int(rng.integers(0, 1 + MOST_HARDENED_PX))
    dark = ndimage.binary_dilation(discs, iterations=hardened) if hardened else discs
    return ndimage.gaussian_filter(dark.astype(np.float32), 1.0)


def build(folder: Path | None, cords: Path | None) -> Maker:
    """The function that makes one sample; from the generator alone without a folder."""
    people = gather(folder, cords) if folder is not None else []

    def make(rng: np.random.Generator) -> Batch:
        if people and rng.random() < REAL_SHARE:
            return real_sample(rng, people)
        return drawn_sample(rng)

    return make


__all__ = ["IGNORE", "Tissue", "build", "drawn_patch", "drawn_sample", "real_sample"]
