"""Refusals in the audit log, rationed: a stranger who keeps knocking must not be able to fill the disk."""

import threading
from collections import deque
from datetime import UTC, datetime, timedelta

from dashboard.records import Records, note
from dashboard.sharing.access import Person

WINDOW = timedelta(minutes=1)
MOST = 20
# What the audit log calls somebody who has not signed in.
STRANGER_ACTOR = "stranger"


class Refusals:
    """Notes at most :data:`MOST` refusals a minute of one process; the next note tells how many were left out."""

    def __init__(self, records: Records, most: int = MOST) -> None:
        self._records, self._most = records, most
        self._lock = threading.Lock()
        self._noted: deque[datetime] = deque()
        self._left_out = 0

    def note(self, person: Person, what: str, study_id: str = "") -> bool:
        """Note that `person` was refused `what`, an address or a screen by name; False when it was only counted."""
        now = datetime.now(UTC)
        with self._lock:
            while self._noted and now - self._noted[0] > WINDOW:
                self._noted.popleft()
            if len(self._noted) >= self._most:
                self._left_out += 1
                return False
            self._noted.append(now)
            left_out, self._left_out = self._left_out, 0
        details = {"what": what} | ({"not_noted": left_out} if left_out else {})
        with self._records.writing() as session:
            note(session, self._records.keys, person.id or STRANGER_ACTOR, "refuse", study_id, details, now)
        return True
