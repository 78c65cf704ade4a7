"""Every setting, its default and its meaning. Each is an environment variable named in the README."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from dashboard.errors import SettingsError

REPOSITORY = Path(__file__).resolve().parent.parent
MIB = 1024**2
GIB = 1024**3
FIRST_ROLES = ("none", "viewer", "reader")
PREFIX = "TRIAGE_"
# Every variable that is read; what is nearly called like one of them is a mistake, the rest is somebody else's.
NAMES = frozenset(
    {
        "TRIAGE_ADMINS",
        "TRIAGE_ARCHIVE_MAX_DEPTH",
        "TRIAGE_ARCHIVE_MAX_ENTRIES",
        "TRIAGE_ARCHIVE_MAX_ENTRY_BYTES",
        "TRIAGE_ARCHIVE_MAX_RATIO",
        "TRIAGE_ARCHIVE_MAX_TOTAL_BYTES",
        "TRIAGE_DATABASE_URL",
        "TRIAGE_DATA_DIR",
        "TRIAGE_DEFAULT_ROLE",
        "TRIAGE_IDENTITY_KEY",
        "TRIAGE_KEEP_IDENTITY",
        "TRIAGE_MAX_UPLOAD_BYTES",
        "TRIAGE_MODELS_DIR",
        "TRIAGE_OIDC_CLIENT_ID",
        "TRIAGE_OIDC_CLIENT_SECRET",
        "TRIAGE_OIDC_METADATA_URL",
        "TRIAGE_PUBLIC_URL",
        "TRIAGE_RETENTION_DAYS",
        "TRIAGE_SCHEDULER",
        "TRIAGE_SESSION_HOURS",
        "TRIAGE_STORE_URL",
        "TRIAGE_WORKERS",
    }
)
SIMILAR = 0.85
LONGEST_NUMBER = 18
OWN_DATABASE = "triage.sqlite3"
OWN_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class ArchiveLimits:
    """Bounds on what one dropped archive may unfold to.

    ``max_ratio`` is uncompressed over compressed bytes of one entry; real DICOM reaches about 100 on empty
    background, bombs start at 1,000.
    """

    max_entries: int = 50_000
    max_total_bytes: int = 32 * GIB
    max_entry_bytes: int = 4 * GIB
    max_ratio: float = 250.0
    max_depth: int = 3


@dataclass(frozen=True)
class SignIn:
    """How people sign in (OpenID Connect), and what they may do at first.

    Attributes
    ----------
    metadata_url
        The provider's ``.well-known/openid-configuration``. ``TRIAGE_OIDC_METADATA_URL``.
    client_id, client_secret
        What the provider calls this application. ``TRIAGE_OIDC_CLIENT_ID``, ``TRIAGE_OIDC_CLIENT_SECRET``.
    public_url
        Address people open, without path. ``TRIAGE_PUBLIC_URL``.
    admins
        Subjects, or verified e-mail addresses, that are administrators. ``TRIAGE_ADMINS``, with commas between.
    default_role
        Role of everybody else at the first sign-in. ``TRIAGE_DEFAULT_ROLE``.
    session_hours
        After so many hours one signs in again. ``TRIAGE_SESSION_HOURS``.
    """

    metadata_url: str
    client_id: str
    client_secret: str = field(repr=False)
    public_url: str
    admins: frozenset[str] = field(default=frozenset(), repr=False)
    default_role: str = "none"
    session_hours: int = 12

    @property
    def redirect_url(self) -> str:
        """Address the provider sends people back to; it must be registered there."""
        return f"{self.public_url}/oauth2callback"


@dataclass(frozen=True)
class Settings:
    """All settings of one process.

    Attributes
    ----------
    data_dir
        Folder of the database, the pixel store, the inbox and the keys. ``TRIAGE_DATA_DIR``.
    database_url
        SQLAlchemy address; SQLite inside ``data_dir`` unless given. ``TRIAGE_DATABASE_URL``.
    models_dir
        Folder of model folders. ``TRIAGE_MODELS_DIR``.
    keep_identity
        False drops names and numbers of patients at the door instead of keeping them encrypted.
        ``TRIAGE_KEEP_IDENTITY``.
    identity_key
        Key of the identity table; a key file of mode 600 in ``data_dir`` is made when empty.
        ``TRIAGE_IDENTITY_KEY``.
    max_upload_bytes
        Largest single file the page accepts. ``TRIAGE_MAX_UPLOAD_BYTES``.
    store_url
        Where stored files are kept beside ``data_dir``, as fsspec knows it; "" for nowhere. ``TRIAGE_STORE_URL``.
    retention_days
        Studies to which nothing was added for this long are deleted; 0 keeps them. ``TRIAGE_RETENTION_DAYS``.
    archive
        Bounds on archives (see :class:`ArchiveLimits`). ``TRIAGE_ARCHIVE_MAX_ENTRIES`` and so on.
    scheduler
        Address of the Dask scheduler whose workers do the jobs; "" for workers of our own. ``TRIAGE_SCHEDULER``.
    workers
        How many worker processes of our own there are. ``TRIAGE_WORKERS``.
    sign_in
        How people sign in; None: nobody does, and the server answers this machine only (see :class:`SignIn`).
    """

    data_dir: Path
    database_url: str
    models_dir: Path = REPOSITORY / "models"
    keep_identity: bool = True
    identity_key: str = field(default="", repr=False)
    max_upload_bytes: int = 8 * GIB
    store_url: str = field(default="", repr=False)
    retention_days: int = 0
    archive: ArchiveLimits = ArchiveLimits()
    scheduler: str = ""
    workers: int = 1
    sign_in: SignIn | None = None

    @property
    def own_database_file(self) -> Path:
        """Where the database lies unless an address is given."""
        return self.data_dir / OWN_DATABASE

    @property
    def own_database_url(self) -> str:
        """SQLAlchemy address of :attr:`own_database_file`."""
        return _own_database_url(self.data_dir)

    @property
    def inbox_dir(self) -> Path:
        """Where uploads lie, still identified, until they are read."""
        return self.data_dir / "inbox"

    @property
    def leaving_dir(self) -> Path:
        """Where deletions note which files they take along, a file a study."""
        return self.data_dir / "leaving"

    @property
    def scratch_dir(self) -> Path:
        """Where Dask keeps files of its own while it runs."""
        return self.data_dir / "dask"

    @property
    def store_dir(self) -> Path:
        """Where de-identified files, volumes and masks lie."""
        return self.data_dir / "store"


def _own_database_url(data_dir: Path) -> str:
    return f"sqlite:///{data_dir / OWN_DATABASE}"


def _check_names(environment: Mapping[str, str]) -> None:
    """Refuse a misspelt setting, which would go unheard: names of patients, say, would be kept after all."""
    known = {name.removeprefix(PREFIX): name for name in NAMES}
    for name in environment:
        if not name.startswith(PREFIX) or name in NAMES:
            continue
        for meant in get_close_matches(name.removeprefix(PREFIX), known, 1, SIMILAR):
            raise SettingsError(f"{name} is no setting; {known[meant]} may be meant. Correct it in the environment.")


def _integer(environment: Mapping[str, str], name: str, default: int, least: int = 1) -> int:
    text = environment.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or len(text) > LONGEST_NUMBER or int(text) < least:
        raise SettingsError(f"{name} must be a whole number, {least} or more; correct it in the environment.")
    return int(text)


def _switch(environment: Mapping[str, str], name: str, default: bool) -> bool:
    text = environment.get(name, "").strip().lower()
    if text in ("", "1", "true", "yes", "on"):
        return default if not text else True
    if text in ("0", "false", "no", "off"):
        return False
    raise SettingsError(f"{name} must be one of 1, 0, true, false, yes, no, on, off; correct it in the environment.")


def _sign_in(environment: Mapping[str, str]) -> SignIn | None:
    """All four settings of the provider, or none of them."""
    given = {
        "TRIAGE_OIDC_METADATA_URL": environment.get("TRIAGE_OIDC_METADATA_URL", "").strip(),
        "TRIAGE_OIDC_CLIENT_ID": environment.get("TRIAGE_OIDC_CLIENT_ID", "").strip(),
        "TRIAGE_OIDC_CLIENT_SECRET": environment.get("TRIAGE_OIDC_CLIENT_SECRET", "").strip(),
        "TRIAGE_PUBLIC_URL": environment.get("TRIAGE_PUBLIC_URL", "").strip(),
    }
    if not any(given.values()):
        return None
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise SettingsError(f"Sign-in is half configured: set {', '.join(missing)} too, or none of {', '.join(given)}.")
    role = environment.get("TRIAGE_DEFAULT_ROLE", "").strip().lower() or "none"
    if role not in FIRST_ROLES:
        raise SettingsError(f"TRIAGE_DEFAULT_ROLE must be one of {', '.join(FIRST_ROLES)}.")
    admins = (name.strip() for name in environment.get("TRIAGE_ADMINS", "").split(","))
    return SignIn(
        _web_address("TRIAGE_OIDC_METADATA_URL", given["TRIAGE_OIDC_METADATA_URL"]),
        given["TRIAGE_OIDC_CLIENT_ID"],
        given["TRIAGE_OIDC_CLIENT_SECRET"],
        _public_url(given["TRIAGE_PUBLIC_URL"]),
        frozenset(name for name in admins if name),
        role,
        _integer(environment, "TRIAGE_SESSION_HOURS", 12),
    )


def _public_url(text: str) -> str:
    parts = urlsplit(_web_address("TRIAGE_PUBLIC_URL", text))
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise SettingsError("TRIAGE_PUBLIC_URL must have no path, such as https://triage.example.org.")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _web_address(name: str, text: str) -> str:
    """`text`, if it is an address whose traffic nobody can read on the way."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.username or parts.scheme not in ("http", "https"):
        raise SettingsError(f"{name} must be an address that begins with https://; correct it in the environment.")
    if parts.scheme == "http" and host not in OWN_NAMES:
        raise SettingsError(f"{name} must begin with https://, since it leaves this machine.")
    return text


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read all settings from the environment.

    Raises
    ------
    SettingsError
        A value cannot be understood, or a name is misspelt; the message names the variable.
    """
    env = os.environ if environment is None else environment
    _check_names(env)
    data_dir = Path(env.get("TRIAGE_DATA_DIR") or REPOSITORY / ".triage-data").expanduser().resolve()
    limits = ArchiveLimits()
    return Settings(
        data_dir=data_dir,
        database_url=env.get("TRIAGE_DATABASE_URL") or _own_database_url(data_dir),
        models_dir=Path(env.get("TRIAGE_MODELS_DIR") or REPOSITORY / "models").expanduser().resolve(),
        keep_identity=_switch(env, "TRIAGE_KEEP_IDENTITY", True),
        identity_key=env.get("TRIAGE_IDENTITY_KEY", ""),
        max_upload_bytes=_integer(env, "TRIAGE_MAX_UPLOAD_BYTES", 8 * GIB),
        store_url=env.get("TRIAGE_STORE_URL", ""),
        retention_days=_integer(env, "TRIAGE_RETENTION_DAYS", 0, least=0),
        archive=ArchiveLimits(
            max_entries=_integer(env, "TRIAGE_ARCHIVE_MAX_ENTRIES", limits.max_entries),
            max_total_bytes=_integer(env, "TRIAGE_ARCHIVE_MAX_TOTAL_BYTES", limits.max_total_bytes),
            max_entry_bytes=_integer(env, "TRIAGE_ARCHIVE_MAX_ENTRY_BYTES", limits.max_entry_bytes),
            max_ratio=float(_integer(env, "TRIAGE_ARCHIVE_MAX_RATIO", int(limits.max_ratio))),
            max_depth=_integer(env, "TRIAGE_ARCHIVE_MAX_DEPTH", limits.max_depth),
        ),
        scheduler=env.get("TRIAGE_SCHEDULER", "").strip(),
        workers=_integer(env, "TRIAGE_WORKERS", 1),
        sign_in=_sign_in(env),
    )
