"""One study: the worst slice first, why it stands where it stands, and the course along the spine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard.grading import correction_of, place_words, sagittal_words
from dashboard.screens import desk, desk_reading, pages, study_panel
from dashboard.screens.deletion import delete_button
from dashboard.screens.desk_pictures import pictures_of
from dashboard.screens.entry import needs
from dashboard.screens.frame import told, top
from dashboard.screens.lines import patient_words
from dashboard.screens.parts.ticker import ticker
from dashboard.screens.reading_bar import reading_bar, shared_bar, what_was_said
from dashboard.screens.study_plots import flagged_slice
from dashboard.screens.study_view import Visit, viewer
from dashboard.screens.text import date, markup, probability
from dashboard.screens.tiers import BANDS, tier_words
from dashboard.sharing import Right
from dashboard.study import looks_elsewhere, suspicion_first

REFRESH_S, UNNOTED_REFRESH_S = 0.7, 3.0
UNNOTED = (
    "What is known of this study is shown all the same. That you opened it will be noted, and readings can be saved, "
    "once this is mended: tell whoever runs this server."
)


@dataclass(frozen=True)
class Looking:
    """How a study is looked at: `look` fetches it, `said` what persons said of it, `check` asks again.

    All three raise for whoever may not see it, or may not any more. `guest_pass` is that of a share link, or "".
    """

    look: Callable[[], desk.OpenStudy]
    said: Callable[[], desk_reading.Beside]
    check: Callable[[], None]
    guest_pass: str = ""

    @property
    def shared(self) -> bool:
        """Whether a share link leads here."""
        return bool(self.guest_pass)


@needs(Right.SEE_STUDY)
def show() -> None:
    """Draw the study that the address names by its opaque id."""
    study_id = st.query_params.get("study", "")
    top()
    draw(
        Looking(
            lambda: desk.open_study(study_id),
            lambda: desk_reading.beside(desk.person(), study_id),
            lambda: desk.check_study(study_id),
        )
    )


def draw(looking: Looking) -> None:
    """Draw a study; to the holder of a share link without patient, worklist and tools."""
    found = looking.look()
    if found.unnoted:
        _unnoted(looking)
    study, finding = found.record, found.finding
    document: Mapping[str, Any] = finding.document if finding else {}
    hidden = desk_reading.marks_hidden() and finding is not None
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", key="study_head"):
        if not looking.shared and st.button("Worklist", key="back", icon=":material/arrow_back:", shortcut="Esc"):
            pages.go("worklist")
        patient, detail = ("", "") if looking.shared else patient_words(found.person)
        st.html(_head({} if hidden else document, patient, detail, date(study.study_date), study.synthetic, hidden))
        if finding is not None:
            st.button(
                "Show AI marks" if hidden else "Hide AI marks",
                key="hide_marks",
                shortcut="h",
                on_click=desk_reading.switch_marks,
                help="For a first look of your own; a reading keeps whether it was given without the marks",
            )
    if looking.shared:
        shared_bar(document, looking.said)
    else:
        reading_bar(study.id, finding.id if finding else None, document, looking.said)
    if finding is None:
        _waiting(looking)
    else:
        _pictures(finding.id, document, looking)
        study_panel.series_table(document, found.names)
        what_was_said(looking.said(), None if hidden else document.get("grade"), looking.shared)
        study_panel.provenance(document, finding.software_version)
    if not looking.shared:
        when = f"scanned {date(study.study_date)}" if study.study_date else "scan date unknown"
        delete_button(study.id, " · ".join(filter(None, (patient, detail, when))))


@told
def _pictures(finding_id: str, document: Mapping[str, Any], looking: Looking) -> None:
    """The pictures, whose files may be damaged: what is known beside them is shown all the same."""
    if document.get("status") != "graded":
        study_panel.not_analysed(document, desk_reading.marks_hidden())
    opened = pictures_of(desk.records()).open(finding_id)
    if opened.stacks:
        viewer(opened, Visit(looking.check, looking.guest_pass))
        if not desk_reading.marks_hidden():
            flagged_slice(opened, looking.check, not looking.shared)


def _head(
    document: Mapping[str, Any], patient: str, detail: str, scanned: str, synthetic: bool, hidden: bool = False
) -> str:
    urgency = document.get("urgency") or {}
    tier = str(urgency.get("tier") or "waiting")
    words, mark = ("AI MARKS HIDDEN", "") if hidden else tier_words(tier)
    grade = document.get("grade")
    band = BANDS.get(str(document.get("band")), "")
    result = ""
    if grade:
        result = (
            f"suspected grade <b>{markup(str(grade))}</b> · {band} · "
            f"P(high) <b>{probability(document.get('probability_high')).replace('<', '&lt;').replace('>', '&gt;')}</b>"
        )
    suspected = sagittal_words(document)
    suspected_here = bool(suspected) and suspicion_first(document)
    if suspected_here:
        chance = (document.get("sagittal") or {}).get("probability")
        likely = "" if chance is None else f" · P <b>{markup(probability(chance))}</b>"
        graded = f" · axial slices: suspected grade <b>{markup(str(grade))}</b>, {band}" if grade else ""
        result = f"<b>{markup(suspected, 200)}</b>{likely}{graded}"
    where = "" if suspected_here else markup(place_words(document))
    if grade and looks_elsewhere(document):
        # The grade is that of another slice than the one that sets the tier.
        result, where = f"look first at <b>{where}</b> · elsewhere {result}", ""
    corrected = correction_of(document)
    if corrected is not None:
        changed = corrected.was != corrected.now
        where += f" · levels corrected, {corrected.now} was {corrected.was}" if changed else " · levels confirmed"
        where = where.removeprefix(" · ")
    return (
        f'<div class="triage-head"><span class="tier tier-{tier.split()[0]}">{mark} {words}</span>'
        f"<span>{result}{f' · {where}' if where else ''}</span>"
        f'<span class="who" dir="auto"><b>{markup(patient)}</b></span><span class="quiet">{markup(detail)}</span>'
        f'<span class="quiet">{f"scanned {markup(scanned)}" if scanned else "scan date unknown"}</span>'
        f"{'<span class=synthetic>synthetic</span>' if synthetic else ''}</div>"
    )


@st.fragment
@told
def _unnoted(looking: Looking) -> None:
    """Until it can be noted that the study was opened."""
    ticker(UNNOTED_REFRESH_S, "unnoted_ticker")
    why = looking.look().unnoted
    if not why:
        st.rerun()
    st.warning(f"{why} {UNNOTED}", icon=":material/warning:")


@st.fragment
@told
def _waiting(looking: Looking) -> None:
    """Until there is a finding; then the whole screen is drawn anew."""
    ticker(REFRESH_S, "study_ticker")
    found = looking.look()
    if found.finding is not None:
        st.rerun()
    doing = "being analysed" if found.record.started_at else "waiting to be analysed"
    st.html(f'<section class="panel" role="status"><h2>This study is {doing}.</h2></section>')
