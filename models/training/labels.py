"""Names that generator, network and evaluation share: tissues, segmentation classes, grades, scenes, sizes."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

GRADES = ("0", "1a", "1b", "1c", "2", "3")
SEGMENTATION = ("other", "csf", "cord", "tumour", "bone")
SCENES = ("gradable", "wrong_contrast", "no_cord", "wrong_geometry", "not_spine")
# What is measured of an implant and taught beside its grade, each about 0 to 1 (`measure.taught`).
MEASURED = ("sac_indentation", "gap", "contact", "cord_indentation", "csf")

SIZE_PX = 96
COMPRESSION_PIXEL_MM = 0.5
CANAL_PIXEL_MM = 2.0
# The heatmap's Gaussian: 2 pixels is 4 mm, about the radius of a narrow cervical canal.
HEATMAP_SIGMA_PX = 2.0
CLIP_HIGH = 1.5
COMPRESSION_PERCENTILES = (2.0, 98.0)
CANAL_PERCENTILES = (1.0, 99.0)
IGNORE = 255


class Tissue(IntEnum):
    """Tissues of a rendered axial slice."""

    AIR = 0
    MUSCLE = 1
    FAT = 2
    MARROW = 3
    CORTEX = 4
    DISC = 5
    LIGAMENT = 6
    EPIDURAL = 7
    CSF = 8
    CORD = 9
    GREY = 10
    ROOT = 11
    VESSEL = 12
    TUMOUR = 13
    BONE_TUMOUR = 14
    ORGAN = 15
    CORD_LESION = 16
    VEIN = 17


def _segmentation_of_tissue() -> np.ndarray:
    table = np.zeros(len(Tissue), np.uint8)
    table[[Tissue.CSF, Tissue.ROOT]] = SEGMENTATION.index("csf")
    table[[Tissue.CORD, Tissue.GREY, Tissue.CORD_LESION]] = SEGMENTATION.index("cord")
    table[Tissue.TUMOUR] = SEGMENTATION.index("tumour")
    table[[Tissue.MARROW, Tissue.CORTEX, Tissue.BONE_TUMOUR]] = SEGMENTATION.index("bone")
    return table


SEGMENTATION_OF_TISSUE = _segmentation_of_tissue()
