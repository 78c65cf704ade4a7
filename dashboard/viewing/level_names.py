"""Names of the levels as they stand beside vertebrae and discs, and in the corner of a slice."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from dashboard.study import UNCERTAIN, UNKNOWN, level_is_certain
from dashboard.study.geometry import Array

# From the middle of a segment to its front edge where the corners are not known: about half a lumbar body.
HALF_DEPTH_MM = 17.0


def level_names(document: Mapping[str, Any], places: Mapping[str, tuple[int, int]]) -> list[dict[str, Any]]:
    """What the viewer writes on sagittal pictures: one entry a volume whose levels were counted, the study's own first.

    Parameters
    ----------
    document
        The result document.
    places
        Number of each series and of its frame of reference, by series_instance_uid.

    Returns
    -------
    list of dict
        ``series`` and ``space``, whose coordinates these are; ``certain``; ``words`` for the corner of the picture, or
        ""; ``segments``, each with its ``level``, ``kind``, ``centre`` and the middle of its ``front`` edge, LPS mm.
    """
    spines = document.get("spines") or [document["spine"]] if document.get("spine") else []
    return [
        _names(spine, *places[spine["series_instance_uid"]])
        for spine in spines
        if spine["series_instance_uid"] in places
    ]


def _names(spine: Mapping[str, Any], series: int, space: int) -> dict[str, Any]:
    certain = bool(spine.get("certain"))
    return {
        "series": series,
        "space": space,
        "certain": certain,
        "words": "" if certain else UNCERTAIN,
        "segments": [
            {
                "level": str(segment.get("level") or "")[:16],
                "kind": segment["kind"],
                "centre": _rounded(np.array(segment["centre_mm"], dtype=np.float64)),
                "front": _rounded(_front(segment)),
            }
            for segment in spine.get("segments") or []
        ],
    }


def plane_doubt(document: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """What is to be said of the level of an analysed slice besides its name; "" where it is sure.

    Results of before levels were counted name none, and nothing is said of it.
    """
    if result.get("level"):
        return "" if level_is_certain(document, result) else UNCERTAIN
    return UNKNOWN if "spine" in document else ""


def _front(segment: Mapping[str, Any]) -> Array:
    """Middle of the front edge, LPS mm (3); a corner that the field of view cuts off is left out."""
    centre = np.array(segment["centre_mm"], dtype=np.float64)
    corners = segment.get("corners_mm")
    if corners:
        front = np.array([corners[0], corners[2]], dtype=np.float64)
        seen = front[~np.isnan(front).any(axis=1)]
        if len(seen):
            return np.asarray(seen.mean(axis=0))
    return np.asarray(centre - np.array([0.0, HALF_DEPTH_MM, 0.0]))


def _rounded(values: Array) -> list[float]:
    return [round(float(value), 2) + 0.0 for value in values]
