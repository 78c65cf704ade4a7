"""The levels of a study: every series seen from the side named, every slice across it placed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.grading.spine.naming import ReadSpine, read_spines
from dashboard.grading.spine.published import spine_document
from dashboard.grading.spine.reach import Level, Reach, level_at, reach_of
from dashboard.study import Acquisition, Role, Series, Study, regions_of
from dashboard.study.sagittal import SagittalPrediction
from dashboard.study.spine import Spine

REGION_OF_LETTER = {"C": "cervical", "T": "thoracic", "L": "lumbar"}
# A region is shown when this many of its vertebrae are; every lumbar series shows a thoracic one at its top.
LEAST_OF_REGION = 2
# A warning that names levels as the software counted them.
PICTURES_SHOW = "the pictures show"
# Contrast in which vertebrae, discs and canal are told apart best comes first.
ROLE_RANK = (Role.SAGITTAL_T2, Role.VOLUME_T2, Role.SAGITTAL_STIR, Role.SAGITTAL_T1)


@dataclass(frozen=True, eq=False)
class Levels:
    """Named spines of a study, and what lies where."""

    read: tuple[ReadSpine, ...]
    reaches: tuple[Reach, ...]
    frames: Mapping[str, str]

    @property
    def spines(self) -> tuple[ReadSpine, ...]:
        """Those with names, in the order of the study."""
        return tuple(one for one in self.read if one.spine.named)

    def spine_of(self, series_instance_uid: str) -> Spine | None:
        """The longest named spine of a series."""
        found = [one.spine for one in self.spines if one.spine.series_instance_uid == series_instance_uid]
        return max(found, key=lambda spine: len(spine.named), default=None)

    def level_at(
        self, point_mm: Sequence[float], series_instance_uid: str, frame_of_reference_uid: str
    ) -> Level | None:
        """Level of a point of a series; None outside every series whose coordinates compare with that one's.

        Parameters
        ----------
        point_mm
            (3) LPS, near the canal.
        series_instance_uid, frame_of_reference_uid
            Of the series that the point is in.
        """
        comparable = [
            reach
            for reach in self.reaches
            if reach.spine.series_instance_uid == series_instance_uid
            or (frame_of_reference_uid and self.frames[reach.spine.series_instance_uid] == frame_of_reference_uid)
        ]
        return level_at(point_mm, comparable)

    def by_worth(self, study: Study) -> tuple[ReadSpine, ...]:
        """The one that speaks for the study first: certain, in the best contrast, the longest."""
        roles = {series.series_instance_uid: series.role for series in study.series}

        def worth(one: ReadSpine) -> tuple[bool, int, int]:
            role = roles.get(one.spine.series_instance_uid, Role.OTHER)
            rank = ROLE_RANK.index(role) if role in ROLE_RANK else len(ROLE_RANK)
            return (not one.spine.certain, rank, -len(one.spine.named))

        return tuple(sorted(self.spines, key=worth))

    def documents(self, study: Study) -> tuple[dict[str, Any], ...]:
        """Published spines, by their worth."""
        return tuple(spine_document(one.spine, one.group) for one in self.by_worth(study))


def read_levels(study: Study, sagittal: Mapping[str, Sequence[SagittalPrediction]]) -> Levels:
    """Name the levels of every series of a study that the sagittal model looked at.

    Parameters
    ----------
    study
        Its series in their fixed order.
    sagittal
        Predictions by series instance UID.
    """
    frames = {series.series_instance_uid: series.frame_of_reference_uid for series in study.series}
    predictions = [one for series in study.series for one in sagittal.get(series.series_instance_uid, ())]
    read = read_spines(predictions, [frames[one.series_instance_uid] for one in predictions])
    reaches = [reach_of(one.spine, one.row) for one in read]
    return Levels(read, tuple(one for one in reaches if one is not None), frames)


def contradictions(series: Series, levels: Sequence[str]) -> tuple[str, ...]:
    """Where a header names another part of the spine than the pictures show.

    Parameters
    ----------
    series
        Its headers.
    levels
        Names of levels counted in its pictures, head to foot; none where nothing was counted.
    """
    vertebrae = [level for level in levels if "/" not in level and level[0] in REGION_OF_LETTER]
    counts = {region: sum(level[0] == letter for level in vertebrae) for letter, region in REGION_OF_LETTER.items()}
    shown = {region for region, count in counts.items() if count >= LEAST_OF_REGION}
    if not shown:
        return ()
    found = []
    for said, regions in _headers(series.acquisition):
        if regions and not shown & set(regions):
            pictures = vertebrae[0] if len(vertebrae) == 1 else f"{vertebrae[0]} to {vertebrae[-1]}"
            found.append(f"The {said} says {' and '.join(regions)} spine, {PICTURES_SHOW} {pictures}.")
    return tuple(found)


def _headers(acquisition: Acquisition) -> tuple[tuple[str, tuple[str, ...]], ...]:
    described = (acquisition.series_description, acquisition.protocol_name)
    return (
        ("header", regions_of([acquisition.body_part_examined])),
        ("description", regions_of(described)),
    )
