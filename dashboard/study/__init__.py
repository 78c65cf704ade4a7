"""The model of a study: what it is made of, where it lies in the patient, what was seen in it. Pure numpy."""

from dashboard.study.geometry import (
    Plane,
    axis_codes,
    physical_position,
    plane_affine,
    plane_of,
    slice_affine,
    slice_normal,
    stack_affine,
    voxel_spacing,
)
from dashboard.study.levels import DISCS, LEVELS, VERTEBRAE, shifted, steps_between
from dashboard.study.model import (
    Acquisition,
    FrameReference,
    Rejection,
    Role,
    Series,
    Study,
    Volume,
)
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
    "axis_codes",
    "physical_position",
    "plane_affine",
    "plane_of",
    "regions_of",
    "shifted",
    "slice_affine",
    "slice_normal",
    "stack_affine",
    "steps_between",
    "voxel_spacing",
]
