"""May this slice be graded? If not, why: a named reason, in words a clinician understands."""

from dataclasses import dataclass
from enum import StrEnum

from dashboard.grading.morphometry import Measures
from dashboard.grading.thresholds import GradingThresholds
from dashboard.study import SCENES, SlicePrediction


class Obstacle(StrEnum):
    """Why a slice is not analysed. The value is the sentence shown."""

    NOT_SPINE = "the image does not look like an axial slice of the spine"
    WRONG_CONTRAST = "the contrast does not look like T2"
    WRONG_GEOMETRY = "the image looks turned, mirrored or scaled against what its header says"
    NO_CORD = "no cord at this level: the Bilsky scale does not apply"
    UNLIKE = "the image is unlike those the model was made for"
    CANAL_NOT_FOUND = "the spinal canal could not be found"
    FIELD_EDGE = "the canal lies at the edge of the field of view"
    SIGNAL_VOID = "an area without signal, as metal or a saturation band leaves, lies over or beside the canal"
    CORD_NOT_FOUND = "no cord could be outlined where one is expected"
    CORD_NOT_PLAUSIBLE = "the outline found is too large for a cord"
    CSF_ABSENT = "no CSF is seen round the cord and no tumour explains it"
    CORD_UNSURE = "too short a stretch of cord above the cauda equina: it may be roots lying together"
    CONUS = "the cord ends about here and is not told from its roots; the sac is open and no tumour is outlined"
    BELOW_CORD = "below the level where the cord ends: the Bilsky scale does not apply"


# Where no grade is owed: the scale needs a cord, and slices off the spine hold none.
NO_GRADE_OWED = frozenset({Obstacle.NO_CORD, Obstacle.CONUS, Obstacle.BELOW_CORD, Obstacle.NOT_SPINE})

# Obstacles that say the slice is not what the model knows; its opinion of the grade then means nothing. After the
# others (the canal was found, the outlines are odd) the head's suspicion still counts.
NOT_KNOWN = frozenset(
    {
        Obstacle.NOT_SPINE,
        Obstacle.WRONG_CONTRAST,
        Obstacle.WRONG_GEOMETRY,
        Obstacle.UNLIKE,
        Obstacle.CANAL_NOT_FOUND,
        Obstacle.FIELD_EDGE,
        Obstacle.SIGNAL_VOID,
    }
)

# The localiser's own doubt; its peaks on the canal of real volumes lie far above, on muscle far below.
LEAST_CANAL_SCORE = 0.1
# Share of the 48 mm crop within the field of view. The canal is 14.3 mm wide (SD 1.4; T5, PAM50-normalized-metrics): a
# strip under 15.4 mm may not hold the sac, let alone what lies beside it.
LEAST_INSIDE = 0.32
# Share of the 8 mm round the cord within the field. A scoliotic canal leaves a narrow slab sideways; what is left of it
# looks like a cord pressed against the edge. Healthy cords cut so (0.60 to 0.87) were graded 1c to 3; in a slab of
# 16 mm that just holds the canal the share is 0.9 and more.
LEAST_CANAL_INSIDE = 0.88
# Of a canal that is cut, but mostly seen, the head's suspicion still counts. Stacks of the calibration people cut
# straight beside the cord: of slices with 0.70 to 0.88 of the disc within the field the head called 1 of 178 healthy
# ones 2 or 3, and 84 of 91 with an implanted 2 or 3.
LEAST_CANAL_SEEN = 0.7
# Half the mean cord area at L1, the conus (18.9 mm2, whole-spine cohort of PAM50-normalized-metrics): less is a
# speck, or the last of the conus.
LEAST_CORD_MM2 = 10.0
# Five SD above the mean of the level where that is largest: T12, 46.5 mm2, SD 15.2, same cohort. The conus with the
# roots about it is outlined as one at up to 130 mm2.
LARGEST_CORD_MM2 = 122.0
# A sac with less visible CSF than this and hardly any tumour is not explained by tumour; see bilsky.py for both.
LEAST_CSF_MM2 = 3.0
LEAST_TUMOUR_MM2 = 3.0


@dataclass(frozen=True)
class Gate:
    """Whether a slice may be graded; the obstacles are empty when it may."""

    obstacles: tuple[Obstacle, ...]

    @property
    def passed(self) -> bool:
        """True when nothing stands in the way."""
        return not self.obstacles

    @property
    def grade_owed(self) -> bool:
        """True when the slice should have been graded and could not be: someone must look."""
        return any(obstacle not in NO_GRADE_OWED for obstacle in self.obstacles)

    @property
    def known(self) -> bool:
        """True when the slice is of the kind the model was made for, graded or not."""
        return not NOT_KNOWN & set(self.obstacles)


def gate_slice(prediction: SlicePrediction, measures: Measures, thresholds: GradingThresholds) -> Gate:
    """Judge one slice by what the model says of the scene, then by whether the outlines make sense."""
    scene = _scene_obstacle(prediction, measures, thresholds)
    if scene is not None:
        return Gate((scene,))
    return Gate(tuple(_outline_obstacles(prediction, measures)))


def _scene_obstacle(prediction: SlicePrediction, measures: Measures, thresholds: GradingThresholds) -> Obstacle | None:
    scene = dict(zip(SCENES, (float(p) for p in prediction.scene), strict=True))
    # The cut is low, for slices of severe compression look odd to the model; odd is not the same as off the spine.
    # Contrast, geometry and where the cord ends belong to the series and are judged there.
    if scene["gradable"] >= max(thresholds.gradable_min, scene["not_spine"]):
        return None
    others = {name: p for name, p in scene.items() if name != "gradable"}
    name = max(others, key=lambda scene_name: others[scene_name])
    if others[name] < scene["gradable"]:
        return Obstacle.UNLIKE
    if name == "no_cord" and measures.visible_csf_mm2 < LEAST_CSF_MM2:
        # A cauda equina lies in CSF. With neither cord nor CSF to see this may be the worst level of the study.
        return Obstacle.CORD_NOT_FOUND
    return {
        "wrong_contrast": Obstacle.WRONG_CONTRAST,
        "no_cord": Obstacle.NO_CORD,
        "wrong_geometry": Obstacle.WRONG_GEOMETRY,
        "not_spine": Obstacle.NOT_SPINE,
    }[name]


def _outline_obstacles(prediction: SlicePrediction, measures: Measures) -> list[Obstacle]:
    found = []
    if prediction.signal_void:
        found.append(Obstacle.SIGNAL_VOID)
    if prediction.canal_score < LEAST_CANAL_SCORE:
        found.append(Obstacle.CANAL_NOT_FOUND)
    if prediction.inside < LEAST_INSIDE or prediction.canal_inside < LEAST_CANAL_INSIDE:
        found.append(Obstacle.FIELD_EDGE)
    if measures.cord_area_mm2 < LEAST_CORD_MM2:
        found.append(Obstacle.CORD_NOT_FOUND)
    elif measures.cord_area_mm2 > LARGEST_CORD_MM2:
        found.append(Obstacle.CORD_NOT_PLAUSIBLE)
    elif measures.visible_csf_mm2 < LEAST_CSF_MM2 and measures.tumour_area_mm2 < LEAST_TUMOUR_MM2:
        found.append(Obstacle.CSF_ABSENT)
    return found
