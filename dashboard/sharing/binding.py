"""Where the server may listen: beyond this machine only with sign-in."""

from dashboard.errors import SettingsError
from dashboard.settings import SignIn
from dashboard.sharing.loopback import is_loopback

TO_DO = (
    "Set TRIAGE_OIDC_METADATA_URL, TRIAGE_OIDC_CLIENT_ID, TRIAGE_OIDC_CLIENT_SECRET and TRIAGE_PUBLIC_URL "
    "(README, 'For a team'), or let it listen on 127.0.0.1 only."
)


def check_binding(address: str | None, sign_in: SignIn | None) -> None:
    """Refuse an address that other machines reach while nobody has to sign in.

    Parameters
    ----------
    address
        What the server listens on; None and "" mean every address of this machine.

    Raises
    ------
    SettingsError
        Every study would lie open; the message says what to set.
    """
    if sign_in is not None or (address and is_loopback(address)):
        return
    where = f"on {address}" if address else "on every address of this machine"
    raise SettingsError(f"Not started: it would listen {where}, but no sign-in is configured. {TO_DO}")
