"""What the segments of a mask object are: their numbers, names and codes, for each kind of model.

Codes are those of pydicom's dictionary of DICOM context groups, but for the intervertebral disc in general: the context
groups (CID 7604) know single discs only, and to name one would be to claim its level.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from dashboard.study import LABELS
from dashboard.study.sagittal import SAGITTAL_CLASSES

# SNOMED CT, as two public maps of segmentation labels have it.
INTERVERTEBRAL_DISC = Code("360499006", "SCT", "Intervertebral disc")


@dataclass(frozen=True)
class SegmentKind:
    """One segment: `number` is its value in the labels, `words` its name on screens and in archives."""

    number: int
    words: str
    category: Code
    type: Code


def _kinds(order: Sequence[str], *kinds: tuple[str, str, Code, Code]) -> tuple[SegmentKind, ...]:
    return tuple(SegmentKind(order.index(label), words, category, kind) for label, words, category, kind in kinds)


# Axial series: 1 CSF, 2 cord, 3 suspected epidural tumour. Bone and other are not written.
COMPRESSION = _kinds(
    LABELS,
    ("csf", "CSF of the thecal sac", codes.SCT.BodySubstance, codes.SCT.CerebrospinalFluid),
    ("cord", "Spinal cord", codes.SCT.AnatomicalStructure, codes.SCT.SpinalCord),
    ("tumour", "Suspected epidural tumour", codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Neoplasm),
)
# Sagittal series: everything but "other", which stands first.
SAGITTAL = _kinds(
    SAGITTAL_CLASSES,
    ("vertebra", "Vertebrae", codes.SCT.AnatomicalStructure, codes.SCT.Vertebra),
    ("disc", "Intervertebral discs", codes.SCT.AnatomicalStructure, INTERVERTEBRAL_DISC),
    ("canal", "Vertebral canal beside the cord", codes.SCT.AnatomicalStructure, codes.SCT.VertebralCanal),
    ("cord", "Spinal cord", codes.SCT.AnatomicalStructure, codes.SCT.SpinalCord),
    ("lumbosacral_disc", "Lumbosacral disc", codes.SCT.AnatomicalStructure, INTERVERTEBRAL_DISC),
    ("c2", "C2 vertebra", codes.SCT.AnatomicalStructure, codes.SCT.C2Vertebra),
)
