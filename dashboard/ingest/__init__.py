"""Bytes from outside to accepted, de-identified images of a study."""

import logging

from dashboard.ingest.deidentify import Door
from dashboard.ingest.drop import read_drop
from dashboard.ingest.identity import Identity
from dashboard.ingest.instance import (
    Drop,
    DroppedFile,
    FramePlane,
    Instance,
    ReadProgress,
    RejectedFile,
    study_moment,
)
from dashboard.ingest.reading import Accepted, read_instance
from dashboard.ingest.uids import KeyedPseudonym, KeyedUids, OriginalUids
from dashboard.ingest.volumes import build_studies

__all__ = [
    "Accepted",
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
    "build_studies",
    "read_drop",
    "read_instance",
    "study_moment",
]

# pydicom logs the very values it complains of; a patient's must not reach a log.
logging.getLogger("pydicom").propagate = False
