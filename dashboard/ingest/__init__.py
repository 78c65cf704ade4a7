"""Bytes from outside to accepted, de-identified images of a study."""

from dashboard.ingest.instance import Drop, DroppedFile, FramePlane, Instance, ReadProgress, RejectedFile

__all__ = [
    "Drop",
    "DroppedFile",
    "FramePlane",
    "Instance",
    "ReadProgress",
    "RejectedFile",
]
