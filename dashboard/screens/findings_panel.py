"""Beside the pictures: what sagittal images alone raise suspicion of, and the other findings by level."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.grading import sagittal_words
from dashboard.screens import saving
from dashboard.screens.finding_lines import counts_words, finding_lines, head_words
from dashboard.screens.parts.findings_list import KEY, findings_list
from dashboard.screens.text import markup, probability
from dashboard.study import Plane
from dashboard.viewing.findings_table import findings_csv
from dashboard.viewing.views import ViewKind

if TYPE_CHECKING:
    from dashboard.screens.desk_pictures import Opened

TITLE = "Other findings by level"
# Key of a place along the canal -> its value in words.
NARROWING = {
    "cord_diameter_AP_mm": "Cord AP {:.1f} mm",
    "canal_diameter_AP_mm": "canal AP {:.1f} mm",
    "mscc_percent": "cord narrowed against the levels above and below (MSCC) {:.0f} %",
    "mcc_percent": "canal narrowed against the levels above and below (MCC) {:.0f} %",
    "csf_signal_percent": "CSF signal {:.0f} % of that above and below",
}
NARROWING_SOURCES = {
    "mscc_percent": "MSCC: Miyanji 2007",
    "mcc_percent": "MCC: Fehlings 1999, source to be confirmed",
}
NO_PROBABILITY = "CSF effacement: something seems to fill the canal. No probability is known of that."
NO_GRADE = "Sagittal images carry no Bilsky grade: it is given on axial images only."


def sagittal_suspicion(document: Mapping[str, Any]) -> None:
    """The sentence of a study in which sagittal images alone raise suspicion, with its probability; never a grade."""
    words = sagittal_words(document)
    if not words:
        return
    chance = (document.get("sagittal") or {}).get("probability")
    likely = NO_PROBABILITY if chance is None else f"Probability {markup(probability(chance))}."
    measured = narrowing_words(document)
    st.html(
        f'<section class="panel suspicion" role="note"><h2>▲ {markup(words[:1].upper() + words[1:], 200)}</h2>'
        f"<p>{likely} {NO_GRADE}</p>{f'<p>{markup(measured, 300)}</p>' if measured else ''}"
        "</section>"
    )


def narrowing_words(document: Mapping[str, Any]) -> str:
    """The diameters at the suspected place and how they compare with those above and below."""
    here: Mapping[str, Any] = document["sagittal"].get("worst") or {}
    if here and here.get("canal_diameter_AP_mm") is None:
        return "No canal could be outlined there, between places above and below where it could."
    # What is wider than above and below is not narrowed by less than nothing.
    told = {key: float(here[key]) for key in NARROWING if here.get(key) is not None and here[key] > 0}
    parts = [NARROWING[key].format(value) for key, value in told.items()]
    sources = [source for key, source in NARROWING_SOURCES.items() if key in told]
    return " ".join(f"{sentence}." for sentence in (", ".join(parts), "; ".join(sources)) if sentence)


def other_findings(opened: "Opened", exports: bool) -> None:
    """The panel, where the result says anything of other findings or of how levels were counted.

    Parameters
    ----------
    exports
        Whether this screen lets anything be saved; the visitor's right is asked besides.
    """
    document = opened.document
    lines, note = finding_lines(document, _views(opened)), head_words(document)
    if not lines and not note:
        return
    click = saving.asked(KEY)
    text = findings_csv(document, opened.software_version) if click else ""
    file = saving.save(click, "findings", f"version {opened.software_version}", opened.finding_id, text)
    findings_list(TITLE, note, counts_words(lines) or "Nothing was looked for in this study.", lines, file)
    if lines and exports and saving.may_save():
        saving.save_button(KEY, "csv", "other findings", opened.finding_id)


def _views(opened: "Opened") -> dict[str, str]:
    """The view in which a place of each series is shown: its own slices, sagittal ones first."""
    found: dict[str, str] = {}
    for view in opened.views:
        uid = view.stack.series.series_instance_uid
        if uid not in found or (view.kind is ViewKind.STORED and view.plane is Plane.SAGITTAL):
            found[uid] = view.id
    return found
