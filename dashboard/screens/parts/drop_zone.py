"""The place where studies are dropped, and how far each drop has come."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from dashboard.screens.parts import nothing, register

_element = register("drop_zone", scripts=("uploading", "drop_zone"))


@dataclass(frozen=True)
class UploadLine:
    """How far one upload has come, in words. `part` is done, 0 to 1; None shows no bar."""

    id: str
    words: str
    detail: str = ""
    part: float | None = None
    finished: bool = False
    failed: bool = False
    rejected: int = 0


@dataclass(frozen=True)
class DropEvent:
    """What a person, or an upload, just asked of the page: ids of uploads, None where nothing was asked."""

    changed: str | None
    rejected: str | None
    dismissed: str | None
    earlier: bool


def drop_zone(uploads: Sequence[UploadLine], large: bool, earlier: int = 0, key: str = "drop_zone") -> DropEvent:
    """Draw the zone; `large` where nothing else is on the page. `earlier` uploads are only counted."""
    result = _element(
        key=key,
        data={"uploads": [asdict(upload) for upload in uploads], "large": large, "earlier": earlier},
        on_changed_change=nothing,
        on_rejected_change=nothing,
        on_dismiss_change=nothing,
        on_earlier_change=nothing,
    )
    return DropEvent(result.changed, result.rejected, result.dismiss, bool(result.earlier))
