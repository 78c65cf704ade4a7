"""The two secrets of a site: one that UIDs and patients are replaced with, one that identities are encrypted with.

Both lie in the data folder as files of mode 600, made on first use. Without the first, later studies of a patient would
look like another patient's; without the second, stored names cannot be read. Back them up apart from the database.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from dashboard.errors import RecordsError, SettingsError
from dashboard.records.files import create_private_file, make_private_dir
from dashboard.settings import Settings

SITE_SECRET_FILE = "site-secret.key"
IDENTITY_KEY_FILE = "identity.key"
SITE_SECRET_BYTES = 32
TOKEN_DIGITS = 12


@dataclass(frozen=True)
class Keys:
    """Secrets of this site; never shown, never logged."""

    site_secret: bytes = field(repr=False)
    identity: Fernet = field(repr=False)

    def name_token(self, name: str) -> str:
        """What stands for a dropped file's name wherever names may not: the same for the same name."""
        digest = hmac.new(self.site_secret, f"name:{name}".encode("utf-8", "surrogateescape"), hashlib.sha256)
        return f"file {digest.hexdigest()[:TOKEN_DIGITS]}"

    def keyed_hash(self, purpose: str, text: str) -> str:
        """Keyed hash that nobody without this site's secret can make; `purpose` keeps uses apart."""
        key = hmac.new(self.site_secret, f"audit:{purpose}".encode(), hashlib.sha256).digest()
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    def encrypt(self, text: str) -> bytes:
        """Encrypt for the identity table."""
        return self.identity.encrypt(text.encode())

    def decrypt(self, token: bytes) -> str:
        """Read from the identity table.

        Raises
        ------
        RecordsError
            It was encrypted with another key, or altered.
        """
        try:
            return self.identity.decrypt(token).decode()
        except InvalidToken:
            raise RecordsError(
                "Identities were stored with another key: put back the former TRIAGE_IDENTITY_KEY or identity.key."
            ) from None


def load_keys(settings: Settings, may_make: bool = True) -> Keys:
    """Read the site's secrets, making those that do not exist yet where `may_make` says so.

    Raises
    ------
    SettingsError
        ``TRIAGE_IDENTITY_KEY`` is not a key.
    RecordsError
        A key file cannot be read or written, is damaged, or is missing.
    """
    make_private_dir(settings.data_dir)
    needed = (SITE_SECRET_FILE,) if settings.identity_key else (SITE_SECRET_FILE, IDENTITY_KEY_FILE)
    missing = [name for name in needed if not (settings.data_dir / name).exists()]
    if missing and not may_make:
        raise RecordsError(
            f"The database is in use, and the data folder lacks {' and '.join(missing)}: put it back from the backup "
            f"or from another machine of this site. TRIAGE_IDENTITY_KEY may stand for {IDENTITY_KEY_FILE}."
        )
    secret = create_private_file(settings.data_dir / SITE_SECRET_FILE, secrets.token_bytes(SITE_SECRET_BYTES))
    if len(secret) != SITE_SECRET_BYTES:
        raise RecordsError(f"{SITE_SECRET_FILE} in the data folder is damaged: put back its backup.")
    return Keys(secret, _identity_key(settings))


def _identity_key(settings: Settings) -> Fernet:
    if settings.identity_key:
        try:
            return Fernet(settings.identity_key)
        except ValueError:
            raise SettingsError(
                "TRIAGE_IDENTITY_KEY must be 32 random bytes in URL-safe base64, 44 characters ending in '='."
            ) from None
    path: Path = settings.data_dir / IDENTITY_KEY_FILE
    try:
        return Fernet(create_private_file(path, Fernet.generate_key()))
    except ValueError:
        raise RecordsError(f"{IDENTITY_KEY_FILE} in the data folder is damaged: put back its backup.") from None
