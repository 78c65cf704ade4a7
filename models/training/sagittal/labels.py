"""Names that the sagittal generator, network and evaluation share."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from dashboard.study.sagittal import SAGITTAL_CLASSES
from models.training.labels import IGNORE

PIXEL_MM = 0.8
# Patches that are trained on; the net itself takes any multiple of 32.
PATCH_PX = 256
# Planes beside the middle one, in either direction.
NEIGHBOUR_MM = (3.0, 5.0)
PERCENTILES = (1.0, 99.0)
CLIP_HIGH = 1.5

OTHER, VERTEBRA, DISC, CANAL, CORD, LUMBOSACRAL, C2 = range(len(SAGITTAL_CLASSES))


class Tissue(IntEnum):
    """Tissues of a rendered sagittal plane."""

    AIR = 0
    MUSCLE = 1
    FAT = 2
    ORGAN = 3
    VESSEL = 4
    MARROW = 5
    CORTEX = 6
    NUCLEUS = 7
    ANNULUS = 8
    CSF = 9
    CORD = 10
    ROOTS = 11
    EPIDURAL_FAT = 12
    LIGAMENT = 13
    SACRAL_MARROW = 14
    SACRAL_CORTEX = 15
    SACRAL_DISC = 16
    BRAIN = 17
    LESION = 18
    C2_MARROW = 19
    C2_CORTEX = 20
    L5S1_NUCLEUS = 21
    L5S1_ANNULUS = 22
    TUMOUR = 23
    C1 = 24
    C1_CORTEX = 25
    SKULL = 26
    OUTER_CSF = 27


# Tissues that differ in their class alone look the same.
LOOKS_LIKE = {
    Tissue.C2_MARROW: Tissue.MARROW,
    Tissue.C2_CORTEX: Tissue.CORTEX,
    Tissue.L5S1_NUCLEUS: Tissue.NUCLEUS,
    Tissue.L5S1_ANNULUS: Tissue.ANNULUS,
    Tissue.C1: Tissue.MARROW,
    Tissue.C1_CORTEX: Tissue.CORTEX,
    Tissue.SACRAL_CORTEX: Tissue.CORTEX,
    Tissue.OUTER_CSF: Tissue.CSF,
}


def _class_of_tissue() -> np.ndarray:
    table = np.zeros(len(Tissue), np.uint8)
    table[[Tissue.MARROW, Tissue.CORTEX, Tissue.LESION]] = VERTEBRA
    table[[Tissue.NUCLEUS, Tissue.ANNULUS]] = DISC
    table[[Tissue.CSF, Tissue.ROOTS]] = CANAL
    table[Tissue.CORD] = CORD
    table[[Tissue.L5S1_NUCLEUS, Tissue.L5S1_ANNULUS]] = LUMBOSACRAL
    table[[Tissue.C2_MARROW, Tissue.C2_CORTEX]] = C2
    return table


CLASS_OF_TISSUE = _class_of_tissue()
__all__ = ["CLASS_OF_TISSUE", "IGNORE", "LOOKS_LIKE", "PIXEL_MM", "Tissue"]
