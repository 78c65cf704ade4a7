"""What happens to each element at the door: table E.1-1 of PS3.15, and what the table cannot know.

The table comes from the package dicom-anonymizer. It holds the basic profile; the columns of the two options in use
(Retain Longitudinal Temporal Information with Full Dates, Clean Descriptors) are the lists below, each shorter than
the standard's: what is on neither is treated by the basic profile.
"""

from enum import Enum, auto
from functools import cache, lru_cache

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as table
from pydicom.datadict import dictionary_has_tag, dictionary_VM, dictionary_VR, tag_for_keyword


class Action(Enum):
    """What happens to an element."""

    KEEP = auto()
    REMOVE = auto()
    EMPTY = auto()
    DUMMY = auto()
    CLEAN = auto()
    REPLACE_UID = auto()
    WALK = auto()


def _tags(keywords: str) -> frozenset[int]:
    found = [tag_for_keyword(keyword) for keyword in keywords.split()]
    return frozenset(tag for tag in found if tag is not None)


# Retain Longitudinal Temporal Information with Full Dates: when images were made, not when people were born.
KEPT_TIMES = _tags(
    "StudyDate StudyTime SeriesDate SeriesTime AcquisitionDate AcquisitionTime AcquisitionDateTime ContentDate"
    " ContentTime InstanceCreationDate InstanceCreationTime TimezoneOffsetFromUTC FrameAcquisitionDateTime"
    " FrameReferenceDateTime StartAcquisitionDateTime EndAcquisitionDateTime ContrastBolusStartTime"
    " ContrastBolusStopTime DecayCorrectionDateTime RadiopharmaceuticalStartTime RadiopharmaceuticalStartDateTime"
)
# Clean Descriptors: text that tells series apart.
CLEANED = _tags(
    "StudyDescription SeriesDescription ProtocolName RequestedProcedureDescription PerformedProcedureStepDescription"
    " ContrastBolusAgent AcquisitionProtocolName AcquisitionProtocolDescription SequenceName PulseSequenceName"
    " DerivationDescription BodyPartExamined Manufacturer ManufacturerModelName SoftwareVersions"
    " AcquisitionDeviceProcessingDescription CodeMeaning"
)
# Sequences whose items only point at other images of the study.
REFERENCES = _tags("ReferencedImageSequence SourceImageSequence")
CHARACTER_SET = 0x00080005
PIXELS = _tags("PixelData FloatPixelData DoubleFloatPixelData")
# The door checks the scheme as well.
CODES = _tags("CodeValue CodingSchemeDesignator")

SIZES = {"US": 2, "SS": 2, "UL": 4, "SL": 4, "FL": 4, "FD": 8, "AT": 4, "UV": 8, "SV": 8, "US or SS": 2}
WORDS_VR = frozenset({"OB", "OW", "OF", "OD", "OL", "OV", "OB or OW", "US or OW", "US or SS or OW"})
LOOKUP_GROUP, PIXEL_GROUP = 0x0028, 0x7FE0
# Groups that belong to messages, file headers and directories, or in which people drew on images.
FOREIGN_GROUPS = frozenset({0x0000, 0x0002, 0x0004, *range(0x5000, 0x5100), *range(0x6000, 0x6100)})


def _profile() -> dict[int, Action]:
    """Table E.1-1 as tag -> action. Where the table leaves a choice, the one that keeps an object valid."""
    chosen = [
        (table.X_TAGS, Action.REMOVE),
        (table.D_TAGS, Action.DUMMY),
        (table.X_D_TAGS, Action.DUMMY),
        (table.X_Z_D_TAGS, Action.DUMMY),
        (table.Z_D_TAGS, Action.EMPTY),
        (table.Z_TAGS, Action.EMPTY),
        (table.X_Z_TAGS, Action.EMPTY),
        (table.X_Z_U_STAR_TAGS, Action.REMOVE),
        (table.U_TAGS, Action.REPLACE_UID),
    ]
    return {(tag[0] << 16) + tag[1]: action for tags, action in chosen for tag in tags if len(tag) == 2}


PROFILE = _profile()


@lru_cache(maxsize=16_384)
def action_for(tag: int) -> Action:
    """Return what the door does to the element `tag` (group << 16 | element), by the table and the rules above."""
    group, element = tag >> 16, tag & 0xFFFF
    if group & 1 or not element or group in FOREIGN_GROUPS or not dictionary_has_tag(tag) or tag == CHARACTER_SET:
        return Action.REMOVE
    if tag in REFERENCES:
        return Action.WALK
    if tag in KEPT_TIMES or tag in PIXELS:
        return Action.KEEP
    if tag in CLEANED:
        return Action.CLEAN
    vr = dictionary_VR(tag)
    if tag in PROFILE:
        action = PROFILE[tag]
        return Action.REMOVE if vr == "SQ" and action is not Action.EMPTY else action
    return _by_kind(tag, vr)


def _by_kind(tag: int, vr: str) -> Action:
    """Action for an element the table does not name, from what kind of value it holds."""
    if vr == "SQ":
        return Action.WALK
    if vr == "UI":
        return Action.REPLACE_UID
    if vr in WORDS_VR:
        return Action.KEEP if tag >> 16 in (LOOKUP_GROUP, PIXEL_GROUP) else Action.REMOVE
    if tag in CODES or vr in SIZES or vr in ("DS", "IS", "DA", "TM", "DT", "CS"):
        return Action.KEEP
    return Action.CLEAN if vr in ("LO", "SH", "UC") else Action.REMOVE


@cache
def longest_number(tag: int) -> int:
    """Most bytes a binary number may hold: a fixed multiplicity bounds it, others are bounded by sense."""
    multiplicity = dictionary_VM(tag)
    return SIZES[dictionary_VR(tag)] * (int(multiplicity) if multiplicity.isdigit() else 256)
