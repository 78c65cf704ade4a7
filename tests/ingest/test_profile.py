"""What happens to an element, by the standard's table and the rules around it."""

import pytest
from pydicom.datadict import tag_for_keyword

from dashboard.ingest.profile import KEPT_TIMES, PROFILE, Action, action_for, longest_number


@pytest.mark.parametrize(
    ("keyword", "action"),
    [
        ("PatientName", Action.EMPTY),
        ("PatientAddress", Action.REMOVE),
        ("OperatorsName", Action.DUMMY),
        ("SOPInstanceUID", Action.REPLACE_UID),
        ("ReferencedImageSequence", Action.WALK),
        ("PerFrameFunctionalGroupsSequence", Action.WALK),
        ("RequestAttributesSequence", Action.REMOVE),
        ("SeriesDescription", Action.CLEAN),
        ("ReceiveCoilName", Action.CLEAN),
        ("StudyDate", Action.KEEP),
        ("PatientBirthDate", Action.EMPTY),
        ("EchoTime", Action.KEEP),
        ("PixelData", Action.KEEP),
        ("SpecificCharacterSet", Action.REMOVE),
    ],
)
def test_action_by_keyword(keyword: str, action: Action) -> None:
    assert action_for(tag_for_keyword(keyword) or 0) is action


@pytest.mark.parametrize("tag", [0x00091001, 0x60003000, 0x50003000, 0x00080000, 0x00081999, 0x00020016, 0x00041130])
def test_private_unknown_and_foreign_elements_are_removed(tag: int) -> None:
    assert action_for(tag) is Action.REMOVE


def test_nothing_in_the_table_is_kept_but_the_times_of_imaging() -> None:
    assert {tag for tag in PROFILE if action_for(tag) is Action.KEEP} <= KEPT_TIMES


@pytest.mark.parametrize(("keyword", "size"), [("Rows", 2), ("AcquisitionMatrix", 8), ("SmallestImagePixelValue", 2)])
def test_longest_number(keyword: str, size: int) -> None:
    assert longest_number(tag_for_keyword(keyword) or 0) == size
