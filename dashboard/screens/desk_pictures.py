"""Findings with their pictures, opened once a process for screens and routes alike. Keyed by opaque ids alone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from threading import Lock
from typing import Any

from dashboard.errors import RecordsError
from dashboard.records import (
    Records,
    read_predictions,
    read_sagittal_masks,
    read_study,
    shown_finding,
    standing_correction,
    study_of_finding,
)
from dashboard.screens.text import date, plain
from dashboard.sharing import Person, Right, require
from dashboard.viewing import Window, window_presets
from dashboard.viewing.scene import outlines, scene
from dashboard.viewing.stack import Stack, stacks_of
from dashboard.viewing.views import View, views_of

# Findings kept open. Volumes are memory maps, which the system may drop; documents and outlines are small.
KEPT = 12
GONE = "This result is not here any more; open the study again from the worklist."


@dataclass(frozen=True, eq=False)
class Opened:
    """A finding with its pictures, opened once and never changed. `views` and `windows` go together.

    `document` names levels as a person has corrected them; `correction` is the id of that reading, or "".
    """

    finding_id: str
    study_id: str
    document: Mapping[str, Any]
    software_version: str
    stacks: tuple[Stack, ...]
    views: tuple[View, ...]
    windows: tuple[Mapping[str, Window], ...]
    study_date: str = ""
    correction: str = ""
    _outlines: dict[str, bytes] = field(default_factory=dict)

    def view(self, view_id: str) -> tuple[View, Mapping[str, Window]] | None:
        """A view and its windows by id; None where there is none."""
        places = (place for place, view in enumerate(self.views) if view.id == view_id)
        place = next(places, None)
        return None if place is None else (self.views[place], self.windows[place])

    @cached_property
    def scene(self) -> bytes:
        """What the viewer knows of the study, as JSON."""
        names = [series_name(view.stack) for view in self.views]
        return _json(scene(self.views, self.windows, names, self.document, date(self.study_date)))

    def outlines(self, view: View) -> bytes:
        """Lines of every plane of a view, as JSON."""
        if view.id not in self._outlines:
            self._outlines[view.id] = _json(outlines(view))
        return self._outlines[view.id]


def series_name(stack: Stack) -> str:
    """What a series is called on screen: its description, else its role."""
    entry = stack.entry
    return plain(str(entry.get("description") or entry.get("role") or "series").replace("_", " "), 32)


class Pictures:
    """The findings that are open in this process; safe to share between threads."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._opened: dict[str, Opened] = {}
        self._lock = Lock()

    def open(self, finding_id: str) -> Opened:
        """A finding with the volumes it was made from.

        Raises
        ------
        RecordsError
            It is not here any more, or its files are damaged.
        """
        with self._records.reading() as session:
            standing = standing_correction(session, finding_id)
        correction = standing[0] if standing else ""
        with self._lock:
            found = self._opened.pop(finding_id, None)
        if found is None or found.correction != correction:
            self._forget_deleted()
            found = self._open(finding_id)
        with self._lock:
            self._opened[finding_id] = found
            # The least lately used come first.
            for oldest in list(self._opened)[:-KEPT]:
                del self._opened[oldest]
        return found

    def look_at(self, visitor: Person, finding_id: str) -> Opened:
        """A finding that is here and that `visitor` may see at this moment.

        Raises
        ------
        NotAllowed
            They may not.
        RecordsError
            It is not here any more, or its files are damaged.
        """
        with self._records.reading() as session:
            study_id = study_of_finding(session, finding_id)
        require(visitor, Right.SEE_STUDY, study_id)
        if study_id is None:
            self.forget(finding_id)
            raise RecordsError(GONE)
        return self.open(finding_id)

    def forget(self, finding_id: str) -> None:
        """Let go of a finding's files, so that what is deleted leaves the disk, too."""
        with self._lock:
            self._opened.pop(finding_id, None)

    def _forget_deleted(self) -> None:
        """Studies are deleted by other processes, too: what is open here would stay on the disk until it is closed."""
        with self._lock:
            kept = list(self._opened)
        with self._records.reading() as session:
            gone = [one for one in kept if study_of_finding(session, one) is None]
        for finding_id in gone:
            self.forget(finding_id)

    def _open(self, finding_id: str) -> Opened:
        with self._records.reading() as session:
            finding, standing = shown_finding(session, finding_id), standing_correction(session, finding_id)
        if finding is None:
            raise RecordsError(GONE)
        folder = self._records.finding_dir(finding)
        study = read_study(folder)
        stacks = stacks_of(study, read_predictions(folder), finding.document, read_sagittal_masks(folder))
        views = views_of(stacks)
        presets = {id(stack): window_presets(stack.series.volumes) for stack in stacks}
        return Opened(
            finding_id,
            finding.study_id,
            finding.document,
            finding.software_version,
            stacks,
            views,
            tuple(presets[id(view.stack)] for view in views),
            study.study_date,
            standing[0] if standing else "",
        )


@lru_cache(maxsize=4)
def pictures_of(records: Records) -> Pictures:
    """The pictures of a site."""
    return Pictures(records)


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
