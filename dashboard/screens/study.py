"""One study: the worst slice first, why it stands where it stands, and the course along the spine."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.screens import desk, pages, study_panel
from dashboard.screens.frame import told, top
from dashboard.screens.lines import patient_words
from dashboard.screens.parts.ticker import ticker
from dashboard.screens.study_view import open_finding, viewer
from dashboard.screens.text import date, markup, probability
from dashboard.screens.tiers import BANDS, tier_words

REFRESH_S = 0.7


def show() -> None:
    """Draw the study that the address names by its opaque id."""
    top()
    found = desk.open_study(st.query_params.get("study", ""))
    study, finding = found.record, found.finding
    patient, detail = patient_words(found.person)
    document: Mapping[str, Any] = finding.document if finding else {}
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", key="study_head"):
        if st.button("Worklist", key="back", icon=":material/arrow_back:", shortcut="Esc"):
            pages.go("worklist")
        st.html(_head(document, patient, detail, date(study.study_date), study.synthetic))
    if finding is None:
        _waiting(study.id)
        return
    opened = open_finding(finding.id)
    if document.get("status") != "graded":
        study_panel.not_analysed(document)
    if opened.stacks:
        viewer(opened)
    study_panel.series_table(document, found.names)
    study_panel.provenance(document, opened.software_version)


def _head(document: Mapping[str, Any], patient: str, detail: str, scanned: str, synthetic: bool) -> str:
    urgency = document.get("urgency") or {}
    tier = str(urgency.get("tier") or "waiting")
    words, mark = tier_words(tier)
    grade = document.get("grade")
    result = ""
    if grade:
        result = (
            f"suspected grade <b>{markup(str(grade))}</b> · {BANDS.get(str(document.get('band')), '')} · "
            f"P(high) <b>{probability(document.get('probability_high')).replace('<', '&lt;').replace('>', '&gt;')}</b>"
        )
    where = markup(desk.place_words(dict(document)))
    return (
        f'<div class="triage-head"><span class="tier tier-{tier.split()[0]}">{mark} {words}</span>'
        f"<span>{result}{f' · {where}' if where else ''}</span>"
        f'<span class="who" dir="auto"><b>{markup(patient)}</b></span><span class="quiet">{markup(detail)}</span>'
        f'<span class="quiet">{f"scanned {markup(scanned)}" if scanned else "scan date unknown"}</span>'
        f"{'<span class=synthetic>synthetic</span>' if synthetic else ''}</div>"
    )


@st.fragment
@told
def _waiting(study_id: str) -> None:
    """Until there is a finding; then the whole screen is drawn anew."""
    ticker(REFRESH_S, "study_ticker")
    found = desk.open_study(study_id)
    if found.finding is not None:
        st.rerun()
    doing = "being analysed" if found.record.started_at else "waiting to be analysed"
    st.html(f'<section class="panel" role="status"><h2>This study is {doing}.</h2></section>')
