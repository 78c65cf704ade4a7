"""Words and numbers beside the pictures: reasons, grade, measures with unit and source, series, provenance."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.grading import AXIAL_NEEDED, position_words, sagittal_words
from dashboard.screens.text import MISSING, counted, markup, plain, probability
from dashboard.screens.tiers import BANDS, GRADE_WORDS
from dashboard.study import GRADES, UNKNOWN, level_is_certain, level_words

# Key in the document -> (words, unit, digits, definition). Shares are stored as fractions and shown in per cent.
MEASURES: Mapping[str, tuple[str, str, int, str]] = {
    "cord_area_mm2": ("Cord area", "mm²", 1, "area inside the cord's outline"),
    "cord_area_ratio": (
        "Area / beside",
        "%",
        0,
        "cord area over that of unsuspected slices of the series within 40 mm, nearer ones counting more",
    ),
    "cord_change_mm": (
        "Outline / beside",
        "mm",
        1,
        "how deep the cord's outline lies within the mean cord of those slices, or that within this one, whichever is "
        "more, where the two fit best",
    ),
    "cord_diameter_AP_mm": ("Cord AP", "mm", 1, "front-back diameter of the ellipse of the same second moments"),
    "cord_diameter_RL_mm": ("Cord RL", "mm", 1, "right-left diameter of that ellipse"),
    "compression_ratio": ("AP / RL", "", 2, "front-back over right-left diameter; lower is flatter"),
    "cord_solidity": ("Solidity", "", 2, "cord area over the area of its convex hull; a dent lowers it"),
    "cord_indentation_mm": ("Cord dent", "mm", 1, "how deep suspected tumour reaches into the outline the cord had"),
    "canal_area_mm2": ("Thecal sac", "mm²", 1, "area of cord and CSF"),
    "sac_indentation_mm": ("Sac dent", "mm", 1, "how deep suspected tumour reaches into the outline the sac had"),
    "csf_fraction": ("CSF share", "%", 0, "CSF area over sac area"),
    "visible_csf_mm2": ("CSF left", "mm²", 1, "area of CSF in the sac where it is at least 1 mm thick"),
    "tumour_area_mm2": ("Tumour", "mm²", 1, "area of suspected tumour within the 48 mm field"),
    "contact_fraction": (
        "Contact",
        "%",
        0,
        "share of the cord's outline with suspected tumour within 0.75 mm",
    ),
    "cord_gap_mm": ("Gap to cord", "mm", 1, "least distance between suspected tumour and cord"),
}
SOURCES = (
    "Outlines: the segmentation model named under Made by, on 0.5 mm pixels. Diameters and solidity as in "
    "spinalcordtoolbox (process_seg), area against that beside after its sct_compute_compression. Areas are not "
    "corrected for a tilted slice. Grade: Bilsky MH et al., "
    "J Neurosurg Spine 2010;13:324. Bands: low 0-1b, watch 1c, high 2-3; published meanings of high-grade differ "
    "over 1c, so it has a band of its own."
)


def _words(reason: object) -> str:
    """A reason of the result as HTML; units as they are printed."""
    return markup(str(reason), 300).replace("mm2", "mm²")


def reasons(document: Mapping[str, Any]) -> None:
    """Why the study stands where it stands."""
    given = (document.get("urgency") or {}).get("reasons") or document.get("reasons") or ["not flagged"]
    items = "".join(f"<li>{_words(reason)}</li>" for reason in given)
    st.html(f'<section class="panel"><h2>Why</h2><ul>{items}</ul></section>')


def not_analysed(document: Mapping[str, Any], hidden: bool = False) -> None:
    """The reasons of a study without a grade, over everything else; nothing of what was found where that is hidden."""
    given = document.get("reasons") or ["no reason was given"]
    heading, ending = "Not analysed, because", "This is not a finding of any kind: read the study now."
    if sagittal_words(document):
        # The suspicion itself stands beside the pictures.
        given = [reason for reason in given if AXIAL_NEEDED not in str(reason)] or [AXIAL_NEEDED]
    if sagittal_words(document) and not hidden:
        heading, ending = "No grade, because", "What the sagittal images show stands beside them: read the study now."
    st.html(
        f'<section class="panel unanalysed" role="note"><h2>? {heading}</h2><ul>'
        + "".join(f"<li>{_words(str(reason).removeprefix('not analysed: '))}</li>" for reason in given)
        + f"</ul><p>{ending}</p></section>"
    )


def marks_are_hidden() -> None:
    """What stands in the place of everything the software found."""
    st.html(
        '<section class="panel" role="note"><h2>AI marks hidden</h2><p>Suggested grade, reasons, contours and measures '
        "are hidden for a first look of your own. A reading that you give now is kept as given without them. "
        "Press H to see them.</p></section>"
    )


def reformat(analysed: bool) -> None:
    """What is said beside a cut through the volume, which carries no result of its own."""
    words = "Grades are given on the axial slices only." if analysed else "This series is not graded."
    st.html(f'<section class="panel"><h2>Reformat</h2><p>{words}</p></section>')


def slice_panel(
    result: Mapping[str, Any] | None,
    number: int,
    count: int,
    entry: Mapping[str, Any],
    said: Sequence[str] = (),
    document: Mapping[str, Any] | None = None,
) -> None:
    """Grade, probabilities and measures of the slice that is shown; reasons already `said` are left out."""
    if result is None:
        why = markup(str(entry.get("reason") or "this kind of series is not graded"), 300)
        counted = {one.get("series_instance_uid") for one in _spines(document or {})}
        words = "no grade" if entry.get("series_instance_uid") in counted else "not analysed"
        st.html(f'<section class="panel"><h2>This series: {words}</h2><p>because {why}</p></section>')
        return
    where = markup(_where(document or {}, result, f"slice {number} of {count}"))
    if result.get("grade") is None:
        items = "".join(f"<li>{_words(reason)}</li>" for reason in result.get("reasons") or [])
        st.html(f'<section class="panel"><h2>{where}: not analysed, because</h2><ul>{items}</ul></section>')
        return
    st.html(_graded(result, where, said))
    with st.popover("What these numbers are", type="tertiary"):
        rows = "".join(
            f"<tr><td>{words}</td><td>{unit or 'ratio'}</td><td>{meaning}</td></tr>"
            for words, unit, _, meaning in MEASURES.values()
        )
        st.html(f'<table class="small">{rows}</table><p style="max-width:34rem">{SOURCES}</p>')


def _spines(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Series in which levels were counted; no grade is given in them, and yet they were looked at."""
    own = document.get("spine")
    return [*(document.get("spines") or []), *([own] if own else [])]


def _where(document: Mapping[str, Any], result: Mapping[str, Any], slice_words: str) -> str:
    """The level of a slice, or its place in mm where there is none; results of before levels were counted name none."""
    level = result.get("level")
    if level:
        return level_words(str(level)[:16], level_is_certain(document, result))
    if "spine" not in document:
        return slice_words
    return f"{slice_words}, {UNKNOWN} ({position_words(result.get('position_mm'))})"


def _graded(result: Mapping[str, Any], where: str, said: Sequence[str]) -> str:
    grade = str(result["grade"])
    # Results of before there were explanations have reasons only.
    notes = [str(one) for one in result.get("explanation") or result.get("reasons") or [] if one not in said]
    items = "".join(f"<li>{_words(note)}</li>" for note in notes)
    # The sentences come last: they vary in length, and the numbers must not move from slice to slice.
    return (
        f'<section class="panel"><h2>{where}: suspected grade {markup(grade)} '
        f"({BANDS.get(str(result.get('band')), '')})</h2><p>{GRADE_WORDS.get(grade, '')}</p>"
        f"{_probabilities(result.get('probabilities') or {})}{_measures(result.get('measures') or {})}"
        f'<ul class="speaks">{items}</ul></section>'
    )


def _probabilities(given: Mapping[str, float]) -> str:
    cells = []
    for grade in GRADES:
        value = float(given.get(grade) or 0.0)
        words = probability(value).replace("<", "&lt;").replace(">", "&gt;")
        cells.append(
            f'<div class="chance"><span class="column"><i style="height:{max(2, round(value * 100))}%"></i></span>'
            f"<b>{grade}</b><span>{words}</span></div>"
        )
    return f'<div class="chances" aria-label="Probability of each grade">{"".join(cells)}</div>'


def _measures(given: Mapping[str, float | None]) -> str:
    rows = []
    for key, (words, unit, digits, meaning) in MEASURES.items():
        value = given.get(key)
        number = MISSING if value is None else f"{value * 100 if unit == '%' else value:.{digits}f}"
        rows.append(f'<tr title="{meaning}"><td>{words}</td><td class="number">{number}</td><td>{unit}</td></tr>')
    half = (len(rows) + 1) // 2
    return f'<div class="measures"><table>{"".join(rows[:half])}</table><table>{"".join(rows[half:])}</table></div>'


def series_table(document: Mapping[str, Any], names: Mapping[str, str]) -> None:
    """Every series with its role, and whether it was analysed or why not; then the files that were not used."""
    listed: Sequence[Mapping[str, Any]] = document.get("series") or []
    analysed = sum(bool(entry.get("analysed")) for entry in listed)
    with st.expander(f"Series: {analysed} of {len(listed)} analysed"):
        st.dataframe(
            {
                "Series": [plain(str(entry.get("description") or "no description"), 80) for entry in listed],
                "Plane": [str(entry.get("plane") or MISSING) for entry in listed],
                "Role": [str(entry.get("role") or MISSING) for entry in listed],
                "Slices": [entry.get("frames") for entry in listed],
                "Analysed, or why not": [_outcome(entry) for entry in listed],
            },
            hide_index=True,
        )
    rejected: Sequence[Mapping[str, str]] = document.get("rejected") or []
    if rejected:
        with st.expander(f"{counted(len(rejected), 'file')} of this study not used"):
            st.dataframe(
                {
                    "File": [plain(names.get(one["name"], one["name"]), 200) for one in rejected],
                    "Why it was not used": [plain(one["reason"], 300) for one in rejected],
                },
                hide_index=True,
            )


def _outcome(entry: Mapping[str, Any]) -> str:
    if entry.get("analysed"):
        return "; ".join(["analysed", *(plain(str(warning), 200) for warning in entry.get("warnings") or [])])
    return f"not analysed: {plain(str(entry.get('reason') or 'no reason was given'), 300)}"


def provenance(document: Mapping[str, Any], software_version: str) -> None:
    """What made this result: models with their hashes, software, timings."""
    with st.expander("Made by"):
        rows = [
            f"<tr><td>Model {markup(str(one.get('name')))}</td><td>{markup(str(one.get('version')))}</td>"
            f"<td><code>sha256 {markup(str(one.get('sha256')), 64)}</code></td></tr>"
            for one in document.get("model") or []
        ]
        rows.append(f"<tr><td>Spine Triage</td><td>{markup(software_version)}</td><td></td></tr>")
        rows += [
            f"<tr><td>Time, {markup(str(name))}</td><td>{float(seconds):.2f} s</td><td></td></tr>"
            for name, seconds in (document.get("timings_s") or {}).items()
        ]
        st.html(f'<table class="small">{"".join(rows)}</table>')
