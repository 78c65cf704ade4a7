"""Which slice of a result document to look at first, and one that a person points at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PLACE = ("series_instance_uid", "volume_index", "slice_index")
# Bands of a study in which no graded slice asks for more than a suspicion on sagittal images does: those that are not
# flagged, and that of 1c where the suspicion is of the cord.
QUIETER, QUIETER_THAN_CORD = (None, "low"), (None, "low", "watch")


@dataclass(frozen=True)
class SlicePlace:
    """A slice of a result; its entry there has the same three. `number` is what it is called on screen, from 1."""

    series_instance_uid: str
    volume_index: int
    slice_index: int
    number: int

    def is_of(self, entry: Mapping[str, Any]) -> bool:
        """Whether an entry of the result is about this slice."""
        return all(entry.get(key) == getattr(self, key) for key in PLACE)


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

    So it is where no graded slice asks for as much and no other one sets the tier.
    """
    sagittal = document.get("sagittal") or {}
    quieter = QUIETER_THAN_CORD if sagittal.get("of") == "cord" else QUIETER
    return bool(sagittal.get("needs")) and document.get("band") in quieter and not looks_elsewhere(document)


def same_slice(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two entries of a document are about one slice."""
    return all(one.get(key) == other.get(key, "") for key in PLACE)
