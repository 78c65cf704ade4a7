"""Who may do what: rights by role, sign-in, share links, and the gate before every address.

::

    person = recognise(records, claims, settings.sign_in, now)     # CONSOLE where no sign-in is configured
    require(person, Right.SHARE)                                   # NotAllowed unless they may
    share, token = make_link(records, person, study_id, LinkKind.INSTANT, False, now)
"""

from dashboard.sharing.access import CONSOLE, RIGHTS, STRANGER, Person, Right, guest, may, require
from dashboard.sharing.binding import check_binding
from dashboard.sharing.doors import Door
from dashboard.sharing.gate import Gate, allow, who_asks
from dashboard.sharing.links import (
    LIFETIMES,
    LinkKind,
    check_link,
    close_link,
    links_of,
    make_link,
    open_link,
)
from dashboard.sharing.loopback import check_request, is_loopback
from dashboard.sharing.passes import make_pass
from dashboard.sharing.readings import correct_levels, flag, give_reading, remove_study, take_back
from dashboard.sharing.refusals import Refusals
from dashboard.sharing.signing_in import Claims, admit, provider_secrets, read_claims, recognise
from dashboard.sharing.team import change_role, disable, enable, team

__all__ = [
    "CONSOLE",
    "LIFETIMES",
    "RIGHTS",
    "STRANGER",
    "Claims",
    "Door",
    "Gate",
    "LinkKind",
    "Person",
    "Refusals",
    "Right",
    "admit",
    "allow",
    "change_role",
    "check_binding",
    "check_link",
    "check_request",
    "close_link",
    "correct_levels",
    "disable",
    "enable",
    "flag",
    "give_reading",
    "guest",
    "is_loopback",
    "links_of",
    "make_link",
    "make_pass",
    "may",
    "open_link",
    "provider_secrets",
    "read_claims",
    "recognise",
    "remove_study",
    "require",
    "take_back",
    "team",
    "who_asks",
]
