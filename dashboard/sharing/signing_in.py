"""From what an identity provider says of somebody to a person with a role."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from dashboard.records import Keys, Records, Role, User, find_user, note, set_role, sign_in
from dashboard.settings import SignIn
from dashboard.sharing.access import STRANGER, Person, person_of

LONGEST_CLAIM = 500


@dataclass(frozen=True)
class Claims:
    """What the provider says: issuer and subject together name one person for good."""

    issuer: str
    subject: str = field(repr=False)
    name: str = field(repr=False)
    email: str = field(repr=False)
    email_verified: bool
    issued_at: datetime


def read_claims(user_info: Mapping[str, Any]) -> Claims | None:
    """The claims of an identity cookie whose signature has been checked; None unless they name somebody."""
    issuer, subject, issued = user_info.get("iss"), user_info.get("sub"), user_info.get("iat")
    if user_info.get("is_logged_in") is not True or not _is_text(issuer) or not _is_text(subject):
        return None
    if isinstance(issued, bool) or not isinstance(issued, int | float):
        return None
    try:
        issued_at = datetime.fromtimestamp(issued, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    email = _text(user_info.get("email"))
    name = _text(user_info.get("name")) or _text(user_info.get("preferred_username")) or email
    return Claims(str(issuer), str(subject), name, email, user_info.get("email_verified") is True, issued_at)


def fresh(claims: Claims, settings: SignIn, now: datetime) -> bool:
    """Whether the sign-in still counts: Streamlit's cookie lives for 30 days, a shift does not."""
    return timedelta(minutes=-5) <= now - claims.issued_at <= timedelta(hours=settings.session_hours)


def is_named_admin(claims: Claims, settings: SignIn) -> bool:
    """Whether ``TRIAGE_ADMINS`` names them; an e-mail address counts only if the provider has verified it."""
    if claims.subject in settings.admins:
        return True
    emails = {name.casefold() for name in settings.admins if "@" in name}
    return claims.email_verified and claims.email.casefold() in emails


def admit(records: Records, claims: Claims | None, settings: SignIn, now: datetime) -> Person:
    """:func:`recognise`, for the page: who has just signed in is entered first, and noted in the audit log."""
    if claims is None or not fresh(claims, settings, now):
        return STRANGER
    user = _find(records, claims)
    if user is None or user.seen_at < claims.issued_at:
        user = _enter(records, claims, settings, now)
    return person_of(user)


def recognise(records: Records, claims: Claims | None, settings: SignIn, now: datetime) -> Person:
    """Who `claims` name, with the role they have at this moment; a stranger unless they have been admitted."""
    if claims is None or not fresh(claims, settings, now):
        return STRANGER
    user = _find(records, claims)
    return STRANGER if user is None else person_of(user)


def leave(records: Records, claims: Claims | None, settings: SignIn, now: datetime) -> None:
    """Note in the audit log that somebody signs out."""
    person = recognise(records, claims, settings, now)
    if person.id:
        with records.writing() as session:
            note(session, records.keys, person.id, "sign_out", "", {}, now)


def _find(records: Records, claims: Claims) -> User | None:
    with records.reading() as session:
        return find_user(session, records.keys, claims.issuer, claims.subject)


def _enter(records: Records, claims: Claims, settings: SignIn, now: datetime) -> User:
    """Make the user at the first time; administrators that the settings name are administrators from here on."""
    admin = is_named_admin(claims, settings)
    first = Role.ADMIN if admin else Role(settings.default_role)
    with records.writing() as session:
        who = (claims.issuer, claims.subject, claims.name, claims.email)
        user = sign_in(session, records.keys, *who, claims.issued_at, first)
        if user.disabled_at is not None:
            note(session, records.keys, user.id, "refuse", "", {"what": "sign-in", "reason": "disabled"}, now)
            return user
        if admin and user.role is not Role.ADMIN:
            set_role(session, user.id, Role.ADMIN, now)
            details = {"role": Role.ADMIN.value, "by": "TRIAGE_ADMINS"}
            note(session, records.keys, "system", "set_role", user.id, details, now)
            user = replace(user, role=Role.ADMIN)
        note(session, records.keys, user.id, "sign_in", "", {"role": user.role.value}, now)
        return user


def cookie_secret(keys: Keys) -> str:
    """What identity cookies are signed with: the same after a restart and in every replica of a site."""
    return hmac.new(keys.site_secret, b"identity cookie", hashlib.sha256).hexdigest()


def provider_secrets(settings: SignIn, keys: Keys) -> dict[str, Any]:
    """The ``auth`` section that ``st.login`` reads."""
    return {
        "redirect_uri": settings.redirect_url,
        "cookie_secret": cookie_secret(keys),
        "client_id": settings.client_id,
        "client_secret": settings.client_secret,
        "server_metadata_url": settings.metadata_url,
    }


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_CLAIM


def _text(value: object) -> str:
    return value[:LONGEST_CLAIM] if isinstance(value, str) else ""
