"""What is said of a link that was made."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dashboard.records import Share, ShareState
from dashboard.screens.desk_team import LinkLine
from dashboard.screens.share import link_words
from tests.screens.test_lines import NOW, STUDY

SHARE = Share("s", STUDY.id, "instant", False, "u", NOW, NOW + timedelta(minutes=15), None, None, 0, ShareState.ACTIVE)


@pytest.mark.parametrize(
    ("share", "ending"),
    [
        (SHARE, "until 2025-03-14 03:15 UTC"),
        (replace(SHARE, expires_at=NOW), "expired 2025-03-14 03:00 UTC"),
        (replace(SHARE, revoked_at=NOW), "revoked 2025-03-14 03:00 UTC"),
    ],
)
def test_every_time_of_a_link_names_its_zone(share: Share, ending: str) -> None:
    words = link_words(LinkLine(share, STUDY, None, "Rosa"), NOW)
    assert words == f"15 minutes · made 2025-03-14 03:00 UTC by Rosa · {ending} · not opened yet"
