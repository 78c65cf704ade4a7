"""The studies that the slice viewer is tried on."""

from typing import Any

from playwright.sync_api import Page

from dashboard.records import Records, get_study
from dashboard.records.tables import StudyRow
from tests.browser.server import Server
from tests.browser.viewer import expect_picture
from tests.screens.site import add_result, document


def levelled(first: int) -> dict[str, Any]:
    """Slices of a result that name their levels, three slices each, from slice `first` on."""
    slices = document("3")["slices"]
    for index, one in enumerate(slices):
        one["level"] = f"T{5 + (index - first) // 3}" if index >= first else None
    return {"slices": slices}


def winding() -> dict[str, Any]:
    """Slices of a result whose canal lies 30 mm further left in the last one."""
    slices = document("3")["slices"]
    slices[-1]["position_mm"][0] += 30.0
    return {"slices": slices}


class Studies:
    """A server with a graded study, another of the same patient, and one that was not analysed."""

    def __init__(self, server: Server, records: Records) -> None:
        self.server, self.records = server, records
        self.study, self.prior = add_result(records, "3"), add_result(records, "1b")
        self.levelled, earlier = (add_result(records, "3", changes=levelled(first)) for first in (0, 2))
        self.winding = add_result(records, "3", changes=winding())
        self.unread = add_result(records, None, reasons=("no axial T2 series was found",))
        with records.writing() as session:
            prior = session.get(StudyRow, self.prior)
            assert prior is not None
            prior.patient_key = get_study(session, self.study).patient_key
            prior.study_date = "20250301"
            other = session.get(StudyRow, earlier)
            assert other is not None
            other.patient_key = get_study(session, self.levelled).patient_key

    def open(self, page: Page, study: str = "", view: str = "") -> None:
        page.goto(f"{self.server.url}/study?study={study or self.study}{f'&view={view}' if view else ''}")
        expect_picture(page)
