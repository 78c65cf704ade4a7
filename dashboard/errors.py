"""The one error tree of the application.

::

    TriageError                  everything we raise on purpose; a screen catches this and nothing else
    ├── SettingsError            a setting is missing, malformed or unsafe
    ├── InputRefused             bytes from outside that we will not, or cannot, use
    │   ├── ArchiveRefused       an archive breaks a limit or hides something
    │   ├── FileRefused          one file is damaged, encrypted or of a kind we do not read
    │   │   └── SyntaxRefused    its transfer syntax is not one we have verified
    │   └── GeometryRefused      headers and pixels do not describe a usable plane or stack
    ├── LevelRefused             a person names a level that the others cannot follow
    ├── ModelError               a model folder is incomplete, altered or does not fit this software
    ├── RecordsError             the database or the store cannot be read or written
    │   └── RecordsUnavailable   for now: the disk is full, the server is away; nothing is lost, later it may work
    └── NotAllowed               the person may not see or do this

A message says what is wrong, where, and what to do. It never carries a value from a patient's header.
"""


class TriageError(Exception):
    """Base of every error raised on purpose."""


class SettingsError(TriageError):
    """A setting is missing, malformed or unsafe."""


class InputRefused(TriageError):
    """Bytes from outside that will not be used."""


class ArchiveRefused(InputRefused):
    """An archive breaks a limit, is encrypted, or tries to leave its folder."""


class FileRefused(InputRefused):
    """One file is damaged, encrypted or of a kind that is not read."""


class SyntaxRefused(FileRefused):
    """The transfer syntax is not one whose decoding has been verified."""


class GeometryRefused(InputRefused):
    """Headers and pixels do not describe a usable plane or stack of planes."""


class LevelRefused(TriageError):
    """A person names a level that the other levels of the study cannot follow."""


class ModelError(TriageError):
    """A model folder is incomplete, altered, or does not fit this software."""


class RecordsError(TriageError):
    """The database or the pixel store cannot be read or written."""


class RecordsUnavailable(RecordsError):
    """The database or the pixel store cannot be used for now; nothing is lost, and later it may work."""


class NotAllowed(TriageError):
    """The person asking may not see or do this."""
