"""The pictures of a study and what belongs beside them. Where one is, is kept in the address alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard.errors import RecordsError
from dashboard.records import get_finding, read_predictions, read_study
from dashboard.screens import desk, study_panel, study_plots
from dashboard.screens.frame import told
from dashboard.screens.parts.plot import plot
from dashboard.screens.text import plain
from dashboard.study import Plane
from dashboard.viewing import Window, nearest_slice, picture_of, window_presets
from dashboard.viewing.slice_figure import SliceView, slice_figure
from dashboard.viewing.stack import Slice, Stack, stacks_of
from dashboard.viewing.theme import OUTLINES

CROP_MM = 48.0
SAMPLES = {
    "cord": ":blue[**━━**]",
    "sac": ":yellow[**╍╍**]",
    "tumour": ":orange[**┉┉**]",
    "contact": ":violet[**▮▮▮**]",
}
FULL, SAGITTAL = "Full slice", "Sagittal"


@dataclass(frozen=True, eq=False)
class Opened:
    """A finding with its pictures, opened once and never changed."""

    finding_id: str
    document: Mapping[str, Any]
    software_version: str
    stacks: tuple[Stack, ...]
    windows: tuple[dict[str, Window], ...]


# Kept by the finding's id alone: arrays are memory maps, and no array is ever part of a key.
@st.cache_resource(max_entries=16, show_spinner=False)
def open_finding(finding_id: str) -> Opened:
    """Open a finding and the volumes it was made from."""
    site = desk.records()
    with site.reading() as session:
        finding = get_finding(session, finding_id)
    if finding is None:
        raise RecordsError("This result is not here any more; open the study again from the worklist.")
    folder = site.finding_dir(finding)
    stacks = stacks_of(read_study(folder), read_predictions(folder), finding.document)
    windows = tuple(window_presets(stack.series.volumes) for stack in stacks)
    return Opened(finding_id, finding.document, finding.software_version, stacks, windows)


@st.fragment
@told
def viewer(opened: Opened, check: Callable[[], None], exports: bool) -> None:
    """Pictures, reasons and profile; only this part is drawn anew when one moves to another slice.

    `check` raises :class:`NotAllowed` once the visitor may not see the study any more.
    """
    check()
    number = _chosen_series(opened)
    stack, presets = opened.stacks[number], opened.windows[number]
    at = _chosen_slice(stack, opened)
    one = stack.slices[at]
    window, shown = _controls(opened, number, at, presets)
    pictures, panel = st.columns([5, 2], gap="small")
    with pictures:
        _pictures(opened, number, one, window, shown)
        if stack.analysed:
            study_plots.profile(opened, stack, at, _go_to, exports)
    with panel:
        if opened.document.get("grade"):
            study_panel.reasons(opened.document)
        said = (opened.document.get("urgency") or {}).get("reasons") or []
        study_panel.slice_panel(one.result, at + 1, len(stack.slices), stack.entry, said)


def _pictures(opened: Opened, number: int, one: Slice, window: Window, shown: tuple[str, ...]) -> None:
    picture = one.picture()
    centre = picture.project(one.centre_mm[None])[0]
    middle = (float(centre[0]), float(centre[1]))
    outlines = one.outlines()
    identity = f"{opened.finding_id}-{number}"
    if one.prediction is None:
        view = SliceView(window, middle, None, shown)
        plot(slice_figure(picture, outlines, view, f"{identity}-full"), "picture", "Full slice", "plot_full")
        return
    left, right = st.columns(2, gap="small")
    with left:
        view = SliceView(window, middle, CROP_MM, shown)
        plot(slice_figure(picture, outlines, view, f"{identity}-crop"), "picture", "Slice, 48 mm", "plot_crop")
    with right:
        sagittal = _sagittal(opened, one)
        if sagittal is not None and st.session_state.get("context", SAGITTAL) == SAGITTAL:
            plot(sagittal, "picture", "Sagittal slice", "plot_sagittal")
        else:
            view = SliceView(window, middle, None, shown, box_mm=CROP_MM)
            plot(slice_figure(picture, outlines, view, f"{identity}-full"), "picture", "Full slice", "plot_full")


def _sagittal(opened: Opened, one: Slice) -> Any:
    """The sagittal slice through the same place, with a line where the axial one crosses it; None without one."""
    for number, stack in enumerate(opened.stacks):
        if stack.series.plane is not Plane.SAGITTAL:
            continue
        volume = stack.series.volumes[0]
        picture = picture_of(volume, nearest_slice(volume, one.centre_mm))
        across, down = picture.project(one.centre_mm[None])[0]
        line = picture.crossing(one.centre_mm, one.normal)
        view = SliceView(
            next(iter(opened.windows[number].values())), (float(across), float(down)), None, (), line_mm=line
        )
        return slice_figure(picture, {}, view, f"{opened.finding_id}-{number}-sagittal")
    return None


def _controls(opened: Opened, number: int, at: int, presets: dict[str, Window]) -> tuple[Window, tuple[str, ...]]:
    stack = opened.stacks[number]
    count = len(stack.slices)
    worst = stack.worst(opened.document)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="controls"):
        st.button(
            "Up",
            key="up",
            shortcut="Up",
            disabled=at == 0,
            on_click=_go_to,
            args=(at - 1,),
            help="One slice towards the head",
        )
        st.button(
            "Down",
            key="down",
            shortcut="Down",
            disabled=at == count - 1,
            on_click=_go_to,
            args=(at + 1,),
            help="One slice towards the foot",
        )
        if stack.analysed:
            st.button(
                "Worst",
                key="worst",
                shortcut="W",
                disabled=at == worst,
                on_click=_go_to,
                args=(worst,),
                help="The slice that gives the study its grade",
            )
        st.html(f'<span class="place">slice <b>{at + 1}</b> of {count}</span>')
        preset = st.selectbox("Window", list(presets), key="window", label_visibility="collapsed", width=130)
        shown = _outline_choice() if stack.analysed else []
        if any(other.series.plane is Plane.SAGITTAL for other in opened.stacks) and stack.analysed:
            st.segmented_control(
                "Beside", [SAGITTAL, FULL], default=SAGITTAL, key="context", required=True, label_visibility="collapsed"
            )
        if len(opened.stacks) > 1:
            st.selectbox(
                "Series",
                range(len(opened.stacks)),
                index=number,
                key="series",
                width=190,
                format_func=lambda index: _series_words(opened.stacks[index]),
                on_change=_change_series,
                label_visibility="collapsed",
            )
    return presets[preset], tuple(shown)


def _outline_choice() -> list[str]:
    return st.pills(
        "Contours",
        list(OUTLINES),
        selection_mode="multi",
        default=list(OUTLINES),
        key="contours",
        format_func=_outline_words,
        label_visibility="collapsed",
        persist_state="page",
    )


def _outline_words(name: str) -> str:
    """Name with a sample of the line, in the theme's nearest colour."""
    return f"{SAMPLES[name]} {OUTLINES[name].label}"


def _series_words(stack: Stack) -> str:
    entry = stack.entry
    described = plain(str(entry.get("description") or entry.get("role") or "series"), 32)
    return described if stack.analysed else f"{described} · not analysed"


def _go_to(index: int) -> None:
    st.query_params["slice"] = str(index + 1)


def _change_series() -> None:
    st.query_params["series"] = str(st.session_state["series"] + 1)
    st.query_params.pop("slice", None)


def _chosen_series(opened: Opened) -> int:
    return _number(st.query_params.get("series"), len(opened.stacks)) or 0


def _chosen_slice(stack: Stack, opened: Opened) -> int:
    chosen = _number(st.query_params.get("slice"), len(stack.slices))
    return stack.worst(opened.document) if chosen is None else chosen


def _number(text: str | None, count: int) -> int | None:
    """Index from a number counted from 1 in the address; None unless it names one of `count`."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 6:
        return None
    index = int(text) - 1
    return index if 0 <= index < count else None
