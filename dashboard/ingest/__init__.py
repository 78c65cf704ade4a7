"""Bytes from outside to accepted, de-identified images of a study."""

from dashboard.ingest.deidentify import Door
from dashboard.ingest.identity import Identity
from dashboard.ingest.instance import Drop, DroppedFile, FramePlane, Instance, ReadProgress, RejectedFile
from dashboard.ingest.uids import KeyedPseudonym, KeyedUids, OriginalUids

__all__ = [
    "Door",
    "Drop",
    "DroppedFile",
    "FramePlane",
    "Identity",
    "Instance",
    "KeyedPseudonym",
    "KeyedUids",
    "OriginalUids",
    "ReadProgress",
    "RejectedFile",
]
