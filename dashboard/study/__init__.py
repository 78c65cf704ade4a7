"""The model of a study: what it is made of, where it lies in the patient, what was seen in it. Pure numpy."""

from dashboard.study.geometry import (
    Plane,
    physical_position,
    plane_affine,
    plane_of,
    slice_affine,
    slice_normal,
    stack_affine,
    voxel_spacing,
)
from dashboard.study.levels import (
    DISCS,
    LEVELS,
    UNCERTAIN,
    UNKNOWN,
    VERTEBRAE,
    level_is_certain,
    level_words,
    shifted,
    steps_between,
)
from dashboard.study.model import (
    Acquisition,
    FrameReference,
    Rejection,
    Role,
    Series,
    Study,
    Volume,
)
from dashboard.study.places import looks_elsewhere, same_slice, slice_to_show, suspicion_first
from dashboard.study.prediction import (
    GRADES,
    LABELS,
    SCENES,
    SeriesPrediction,
    SlicePrediction,
)
from dashboard.study.regions import REGIONS, regions_of

__all__ = [
    "DISCS",
    "GRADES",
    "LABELS",
    "LEVELS",
    "REGIONS",
    "SCENES",
    "UNCERTAIN",
    "UNKNOWN",
    "VERTEBRAE",
    "Acquisition",
    "FrameReference",
    "Plane",
    "Rejection",
    "Role",
    "Series",
    "SeriesPrediction",
    "SlicePrediction",
    "Study",
    "Volume",
    "level_is_certain",
    "level_words",
    "looks_elsewhere",
    "physical_position",
    "plane_affine",
    "plane_of",
    "regions_of",
    "same_slice",
    "shifted",
    "slice_affine",
    "slice_normal",
    "slice_to_show",
    "stack_affine",
    "steps_between",
    "suspicion_first",
    "voxel_spacing",
]
