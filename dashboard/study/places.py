"""Which slice of a result document to look at first."""

from collections.abc import Mapping
from typing import Any

PLACE = ("series_instance_uid", "volume_index", "slice_index")
# Bands of a study in which no graded slice is flagged: nothing was graded, or nothing worse than 1b.
NOT_FLAGGED = (None, "low")


def slice_to_show(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Place of the slice to look at first, else of the worst graded one; empty where none stands out.

    Results from before `first_slice` was told have the worst alone.
    """
    return document.get("first_slice") or document.get("worst_slice") or {}


def looks_elsewhere(document: Mapping[str, Any]) -> bool:
    """Whether another slice than the worst graded one sets the tier: one that could not be graded, or one alone."""
    first = document.get("first_slice") or {}
    return bool(first) and not same_slice(first, document.get("worst_slice") or {})


def suspicion_first(document: Mapping[str, Any]) -> bool:
    """Whether the place to look at first is one that sagittal images alone raise suspicion of.

    So it is where no graded slice is flagged and no other one sets the tier.
    """
    asks = bool((document.get("sagittal") or {}).get("needs"))
    return asks and document.get("band") in NOT_FLAGGED and not looks_elsewhere(document)


def same_slice(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two entries of a document are about one slice."""
    return all(one.get(key) == other.get(key, "") for key in PLACE)
