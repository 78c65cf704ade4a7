"""Every setting, its default and its meaning. Each is an environment variable named in the README."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dashboard.errors import SettingsError

REPOSITORY = Path(__file__).resolve().parent.parent
MIB = 1024**2
GIB = 1024**3


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

    @property
    def own_database_file(self) -> Path:
        """Where the database lies unless an address is given."""
        return self.data_dir / "triage.sqlite3"

    @property
    def own_database_url(self) -> str:
        """SQLAlchemy address of :attr:`own_database_file`."""
        return f"sqlite:///{self.own_database_file}"

    @property
    def inbox_dir(self) -> Path:
        """Where uploads lie, still identified, until they are read."""
        return self.data_dir / "inbox"

    @property
    def leaving_dir(self) -> Path:
        """Where deletions note which files they take along, a file a study."""
        return self.data_dir / "leaving"

    @property
    def store_dir(self) -> Path:
        """Where de-identified files, volumes and masks lie."""
        return self.data_dir / "store"


def _integer(environment: Mapping[str, str], name: str, default: int, least: int = 1) -> int:
    text = environment.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or int(text) < least:
        raise SettingsError(f"{name} must be a whole number, {least} or more; correct it in the environment.")
    return int(text)


def _switch(environment: Mapping[str, str], name: str, default: bool) -> bool:
    text = environment.get(name, "").strip().lower()
    if text in ("", "1", "true", "yes", "on"):
        return default if not text else True
    if text in ("0", "false", "no", "off"):
        return False
    raise SettingsError(f"{name} must be one of 1, 0, true, false, yes, no, on, off; correct it in the environment.")


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read all settings from the environment.

    Raises
    ------
    SettingsError
        A value cannot be understood; the message names the variable.
    """
    env = os.environ if environment is None else environment
    data_dir = Path(env.get("TRIAGE_DATA_DIR") or REPOSITORY / ".triage-data").expanduser().resolve()
    limits = ArchiveLimits()
    return Settings(
        data_dir=data_dir,
        database_url=env.get("TRIAGE_DATABASE_URL") or f"sqlite:///{data_dir / 'triage.sqlite3'}",
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
    )
