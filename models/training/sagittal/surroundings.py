"""What lies round a made-up spine: skull base and brain, muscle, organs, airway, aorta, skin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from models.training.sagittal.labels import Tissue

if TYPE_CHECKING:
    from models.training.sagittal.planes import Plane

T = Tissue


class Style:
    """What all planes of one spine share: where skin and organs lie."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.skin_mm = rng.uniform(35, 90)
        self.fat_mm = rng.uniform(4, 35)
        self.front_mm = rng.uniform(60, 160)
        self.seed = int(rng.integers(2**31))
        self.spinous_half = rng.uniform(2.0, 4.5)
        self.airway = rng.uniform(8, 22)
        self.aorta = rng.uniform(2, 14)
        self.fatty_muscle = rng.random() ** 2 * 0.6
        self.plain = rng.random() < 0.15


def draw_skull(plane: Plane, style: Style) -> None:
    """Skull base, brain stem and cerebellum above the first bones."""
    bone = plane.shape.bones[0]
    top = bone.z - 1.6 * bone.height - 6
    box_z = plane.z < top + 14
    if not box_z.any():
        return
    up = top - plane.z
    # Brain behind the stem, its bone around it, the clivus in front.
    brain = ((up - 32) / 44) ** 2 + ((plane.behind - 30) / 52) ** 2
    plane.paint(box_z & (brain < 1.22), T.SKULL)
    plane.paint(box_z & (brain < 1.06), T.OUTER_CSF)
    plane.paint(box_z & (brain < 0.96) & (plane.behind > 14), T.BRAIN)
    stem = plane.cord * np.clip(1 + up / 26, 1, 2.6) + 1
    stem = (np.abs(plane.behind - 0.08 * up) < stem) & (up > -2)
    plane.paint(box_z & stem, T.BRAIN)
    clivus = np.abs(plane.behind + 0.55 * up + 9) < 5.5
    plane.paint(box_z & clivus & (up > 1), T.SKULL)


def draw_surroundings(rng: np.random.Generator, plane: Plane, style: Style) -> None:
    """Muscle behind, organs in front, fat and air at the skin."""
    size = plane.size
    noise = ndimage.zoom(rng.standard_normal((8, 8)), size / 8, order=1)[:size, :size]
    fine = ndimage.zoom(rng.standard_normal((32, 32)), size / 32, order=1)[:size, :size]
    shape = plane.shape
    plane.paint(np.full(noise.shape, True), T.MUSCLE)
    back = plane.behind > plane.half
    streaks = fine + 0.4 * noise > 1.6 - 2.2 * style.fatty_muscle
    plane.paint(back & streaks, T.FAT)
    midline = np.abs(plane.aside) < 5
    plane.paint(back & midline & (fine > -0.2), T.FAT)
    front = plane.behind < -plane.half - 18
    plane.paint(front & (noise > 0.2), T.ORGAN)
    plane.paint(front & (noise < -0.5), T.FAT)
    plane.paint(front & (fine > 1.3), T.VESSEL)
    neck = plane.z < shape.bones[8].z
    chest = (plane.z >= shape.bones[8].z) & (plane.z < shape.bones[16].z)
    wall = -plane.half - 22
    if abs(plane.x) < 12:
        airway = np.abs(plane.behind - wall + style.airway) < 5.5 + 1.5 * noise
        plane.paint(neck & airway, T.AIR)
        aorta = np.abs(plane.behind - wall + 12 + style.aorta) < 8
        plane.paint(~neck & aorta & (noise > -0.8), T.VESSEL)
    plane.paint(chest & front & (noise > (0.2 if abs(plane.x) < 15 else -1.0)), T.AIR)
    depth = plane.behind - style.skin_mm
    plane.paint(depth > -style.fat_mm, T.FAT)
    plane.paint(depth > 0, T.AIR)
    plane.paint(plane.behind < -style.front_mm - 20 * (noise > 0), T.AIR if style.plain else T.FAT)
