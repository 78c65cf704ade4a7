"""The spine in the published document."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dashboard.study.geometry import Array
from dashboard.study.spine import NamedSegment, Spine

PROBABILITY_DIGITS, LENGTH_DIGITS = 4, 2


def spine_document(spine: Spine, group: int = 0) -> dict[str, Any]:
    """The ``spine`` block; `group` numbers the volumes whose levels were named together."""
    return {
        "series_instance_uid": spine.series_instance_uid,
        "volume_index": spine.volume_index,
        "group": group,
        "counted_from": spine.counted_from,
        "certain": spine.certain,
        "note": spine.note,
        "alternatives": [
            {"level_of_first": name, "probability": round(chance, PROBABILITY_DIGITS)}
            for name, chance in spine.alternatives
        ],
        "segments": [_segment_document(one) for one in spine.named],
    }


def _segment_document(one: NamedSegment) -> dict[str, Any]:
    corners: Array = one.segment.corners_mm
    return {
        "kind": one.segment.kind,
        "level": one.level,
        "probability": round(one.probability, PROBABILITY_DIGITS),
        "centre_mm": _point(one.segment.centre_mm),
        "corners_mm": None if np.isnan(corners).any() else [_point(corner) for corner in corners],
        "complete": one.segment.complete,
    }


def _point(position_mm: Sequence[float] | Array) -> list[float]:
    # Adding 0.0 turns -0.0 into 0.0, which would be another spelling of the same number.
    return [round(float(value), LENGTH_DIGITS) + 0.0 for value in position_mm]
