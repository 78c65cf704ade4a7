"""The pictures of a study and what belongs beside them. Where one is, the viewer keeps in the address."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import streamlit as st

from dashboard.errors import RecordsError
from dashboard.records import other_studies, standing_correction
from dashboard.screens import desk, desk_reading, findings_panel, study_panel, study_plots
from dashboard.screens.desk_pictures import Opened, pictures_of
from dashboard.screens.frame import told
from dashboard.screens.parts.slice_viewer import ADDRESS_KEY, Jump, Pictured, addressed, place, slice_viewer
from dashboard.screens.picture_route import pictures_address
from dashboard.screens.text import date
from dashboard.study import PLACE, SlicePlace
from dashboard.viewing.stack import Slice, Stack
from dashboard.viewing.views import View

# Other studies of the patient that are offered beside this one.
MOST_PRIORS = 6
JUMP = "jump"


@dataclass(frozen=True)
class Visit:
    """Who looks: `check` raises :class:`NotAllowed` once they may not; `guest_pass` is of a share link, or ""."""

    check: Callable[[], None]
    guest_pass: str = ""


@st.fragment
@told
def viewer(opened: Opened, visit: Visit) -> None:
    """Pictures, reasons and profile. A step from slice to slice stays in the browser; this follows once one rests."""
    visit.check()
    hidden = desk_reading.marks_hidden()
    address = pictures_address(opened.finding_id)
    view, at = _place(opened, address)
    one = view.slice(at)
    pictures, panel = st.columns([5, 2], gap="small")
    with pictures:
        slice_viewer(_studies(opened, address, visit.guest_pass), hidden, st.session_state.get(JUMP))
        if view.stack.analysed and not hidden and one is not None:
            study_plots.profile(opened, view.stack, at, partial(_go_to, view.id), not visit.guest_pass)
    with panel:
        _panel(opened, view.stack, one, at, hidden, not visit.guest_pass)


def _panel(opened: Opened, stack: Stack, one: Slice | None, at: int, hidden: bool, exports: bool) -> None:
    if hidden:
        study_panel.marks_are_hidden()
        return
    findings_panel.sagittal_suspicion(opened.document)
    graded = bool(opened.document.get("grade"))
    if graded:
        study_panel.reasons(opened.document)
    else:
        # Nothing changes here from slice to slice, and what was found comes before what was not looked at.
        findings_panel.other_findings(opened, exports)
    said = (opened.document.get("urgency") or {}).get("reasons") or []
    if one is None:
        study_panel.reformat(stack.analysed)
    else:
        study_panel.slice_panel(one.result, at + 1, len(stack.slices), stack.entry, said, opened.document)
    if graded:
        findings_panel.other_findings(opened, exports)


def slice_in_sight(finding_id: str) -> SlicePlace | None:
    """The slice on screen; None where it is not one of those that grading looked at, or no picture can be shown."""
    try:
        opened = pictures_of(desk.records()).open(finding_id)
    except RecordsError:
        # A grade can be given by pictures seen elsewhere; the screen says what is wrong with these.
        return None
    if not opened.stacks:
        return None
    view, at = _place(opened, pictures_address(finding_id))
    one = view.slice(at)
    if one is None or one.result is None:
        return None
    series, volume, index = (one.result[key] for key in PLACE)
    return SlicePlace(series, volume, index, at + 1)


def _place(opened: Opened, address: str) -> tuple[View, int]:
    """View and plane on screen: as the viewer has told, else as the address asks, else as the study opens."""
    now = place(address)
    asked = (now,) if now is not None else addressed(st.query_params.get(ADDRESS_KEY, ""))
    places = [(found[0], one.plane) for one in asked if one.study == 0 and (found := opened.view(one.view))]
    # The panel speaks of the graded series, wherever else one looks.
    places.sort(key=lambda place: not place[0].graded)
    for view, plane in places:
        if 0 <= plane < len(view):
            return view, plane
    first = opened.views[0]
    # As the viewer: an unbiased first look does not begin at the place that the software suspects.
    middle = len(first) // 2
    return first, middle if desk_reading.marks_hidden() else first.stack.first(opened.document)


def _studies(opened: Opened, address: str, guest_pass: str) -> list[Pictured]:
    """This study and, for the team, the patient's others."""
    if guest_pass:
        return [Pictured(address, guest_pass=guest_pass, stamp=opened.correction)]
    priors = []
    with desk.records().reading() as session:
        for other in other_studies(session, opened.study_id)[:MOST_PRIORS]:
            correction = standing_correction(session, other.current_finding_id)
            priors.append(
                Pictured(
                    pictures_address(str(other.current_finding_id)),
                    f"other study, {date(other.study_date) or 'undated'}",
                    stamp=correction[0] if correction else "",
                )
            )
    return [Pictured(address, "this study" if priors else "", stamp=opened.correction), *priors]


def _go_to(view: str, index: int) -> None:
    now: Jump | None = st.session_state.get(JUMP)
    st.session_state[JUMP] = Jump(view, index, now.turn + 1 if now else 1)
