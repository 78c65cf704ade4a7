"""Saving a plot or its numbers as a file: noted in the audit log first, then made by the page itself.

Nothing is written on the server, and no address leads to the file: a picture is drawn by the browser, a table's text
travels with its plot. The name of a file says what it shows and names no patient.
"""

from dataclasses import dataclass

import streamlit as st

from dashboard.records import get_finding, new_id, note
from dashboard.screens import desk
from dashboard.screens.frame import attempt
from dashboard.screens.parts.plot import Save
from dashboard.sharing import Right, may, require
from dashboard.viewing.profile_table import NOTICE

ASKED = "asked_to_save"
SHORT_ID = 8


@dataclass(frozen=True)
class Asked:
    """A click on a button: which plot, `ending` of the file, and a number that no other click has."""

    plot: str
    ending: str
    number: str


def may_save() -> bool:
    """Whether the visitor may take something out of the page; the buttons ask again."""
    return may(desk.person(), Right.EXPORT)


def save_button(plot: str, ending: str, what: str, finding_id: str = "") -> None:
    """A button that saves a plot as ``png`` or its numbers as ``csv``.

    Parameters
    ----------
    plot
        Key of the plot that will be given :func:`asked`.
    what
        For the audit log and for the button's description, such as "profile".
    finding_id
        Whose result it shows; empty where it is of no study.
    """
    st.button(
        ending.upper(),
        key=f"{plot}_{ending}",
        on_click=attempt(_note),
        args=(plot, ending, what, finding_id),
        icon=":material/download:",
        help=f"Save the {what} as a {ending.upper()} file; this is noted in the audit log",
    )


def asked(plot: str) -> Asked | None:
    """The click that this drawing of the plot answers, once."""
    found = st.session_state.get(ASKED)
    if not isinstance(found, Asked) or found.plot != plot:
        return None
    del st.session_state[ASKED]
    return found


def save(click: Asked | None, name: str, made_by: str, finding_id: str = "", text: str = "") -> Save | None:
    """What the page is told to save: `text`, or without it the plot's picture with a line that says `made_by`."""
    if click is None:
        return None
    parts = ["spine-triage", name, *([finding_id[:SHORT_ID]] if finding_id else [])]
    return Save(click.number, f"{'-'.join(parts)}.{click.ending}", f"Spine Triage, {made_by}: {NOTICE}", text)


def _note(plot: str, ending: str, what: str, finding_id: str) -> None:
    site, visitor = desk.records(), desk.person()
    require(visitor, Right.EXPORT)
    with site.reading() as session:
        finding = get_finding(session, finding_id) if finding_id else None
    details: dict[str, str | int | bool | None] = {"what": f"{what} as {ending.upper()}"}
    with site.writing() as session:
        note(session, site.keys, visitor.id, "export", finding.study_id if finding else "", details, desk.now())
    st.session_state[ASKED] = Asked(plot, ending, new_id())
