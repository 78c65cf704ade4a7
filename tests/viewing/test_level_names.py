"""Names of levels beside the vertebrae, and what is said of those that are not sure."""

import pytest

from dashboard.viewing.level_names import HALF_DEPTH_MM, level_names, plane_doubt
from tests.screens.site import SAGITTAL_UID
from tests.screens.spines import BODY_BEHIND_MM, spine


def test_every_segment_has_its_name_and_the_middle_of_its_front() -> None:
    (told,) = level_names({"spine": spine()}, {SAGITTAL_UID: (2, 3)})
    assert (told["series"], told["space"], told["certain"], told["words"]) == (2, 3, True, "")
    body = next(one for one in told["segments"] if one["level"] == "T8")
    assert body["kind"] == "vertebra"
    assert body["centre"] == pytest.approx([0.0, -BODY_BEHIND_MM, 0.0])
    assert body["front"] == pytest.approx([0.0, -BODY_BEHIND_MM - 12.0, 0.0])


@pytest.mark.parametrize("corners", [None, [[None] * 3] * 4])
def test_without_corners_the_front_is_half_a_body_before_the_centre(corners: list[list[None]] | None) -> None:
    block = spine()
    for segment in block["segments"]:
        segment["corners_mm"] = corners
    (told,) = level_names({"spine": block}, {SAGITTAL_UID: (2, 0)})
    one = told["segments"][0]
    assert one["centre"][1] - one["front"][1] == pytest.approx(HALF_DEPTH_MM)


def test_levels_that_are_a_guess_are_said_to_be() -> None:
    (told,) = level_names({"spine": spine(certain=False)}, {SAGITTAL_UID: (2, 0)})
    assert told["words"] == "level uncertain"


@pytest.mark.parametrize("document", [{}, {"spine": None}, {"spine": {"series_instance_uid": "2.25.999"}}])
def test_without_a_counted_series_there_are_no_names(document: dict) -> None:
    assert level_names(document, {SAGITTAL_UID: (2, 0)}) == []


@pytest.mark.parametrize(
    ("document", "result", "doubt"),
    [
        ({"spine": spine()}, {"level": "T8", "level_certain": True}, ""),
        ({"spine": spine()}, {"level": "T8", "level_certain": False}, "level uncertain"),
        ({"spine": spine(certain=False)}, {"level": "T8"}, "level uncertain"),
        ({"spine": spine()}, {"level": None}, "level unknown"),
        ({"spine": None}, {"level": None}, "level unknown"),
        # Results of before levels were counted.
        ({}, {"level": None}, ""),
        ({}, {"level": "T8"}, ""),
    ],
)
def test_a_slice_says_how_sure_its_level_is(document: dict, result: dict, doubt: str) -> None:
    assert plane_doubt(document, result) == doubt


def test_each_volume_has_its_own_names() -> None:
    other = spine() | {"series_instance_uid": "2.25.14"}
    told = level_names({"spine": spine(), "spines": [spine(), other]}, {SAGITTAL_UID: (2, 0), "2.25.14": (3, 0)})
    assert [one["series"] for one in told] == [2, 3]
