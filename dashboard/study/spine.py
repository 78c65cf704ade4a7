"""The spine as a row of vertebrae and discs, head to foot, in patient coordinates."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dashboard.study.geometry import Array

# A name less sure than this is called uncertain in its own right.
SURE_OF_LEVEL = 0.9


@dataclass(frozen=True, eq=False)
class Segment:
    """One vertebra or disc as it was found, before it has a name.

    Attributes
    ----------
    kind
        ``vertebra`` or ``disc``.
    centre_mm
        (3) LPS, middle of the body or disc.
    corners_mm
        (4, 3) LPS in the plane of `corners_plane`: upper front, upper back, lower front, lower back of the body or
        disc; NaN where the field of view cuts it.
    corners_plane
        Plane of the prediction (index) that the corners were read in.
    mask
        (planes, rows, columns) bool, body or disc without arch and processes, in the prediction's grid.
    complete
        Whether the whole of it lies in the field of view.
    anchor
        0 to 1, how sure the model is that this is the lumbosacral disc (of a disc) or C2 (of a vertebra).
    """

    kind: str
    centre_mm: Array
    corners_mm: Array
    corners_plane: int
    mask: npt.NDArray[np.bool_]
    complete: bool
    anchor: float = 0.0


@dataclass(frozen=True)
class NamedSegment:
    """A segment with the name of its level, C2 to L5 or C2/3 to L5/S1; `probability` that the name is right."""

    segment: Segment
    level: str
    probability: float


@dataclass(frozen=True)
class Spine:
    """Vertebrae and discs of one sagittal volume, head to foot.

    Attributes
    ----------
    named
        In order, vertebrae and discs alternating as far as they were found.
    counted_from
        ``sacrum``, ``C2``, ``both``, ``correction`` or ``guess``.
    certain
        False where the names are a guess; screens then say "level uncertain".
    note
        What a reader must know: level uncertain, possible transitional vertebra, anchors that disagree; or empty.
    """

    series_instance_uid: str
    volume_index: int
    named: tuple[NamedSegment, ...]
    counted_from: str
    certain: bool
    note: str = ""
    alternatives: tuple[tuple[str, float], ...] = field(default=())

    def is_sure_of(self, one: NamedSegment) -> bool:
        """Whether the name of one of its segments is no guess: neither the count as a whole nor the name itself."""
        return self.certain and one.probability >= SURE_OF_LEVEL

    @property
    def sure_levels(self) -> frozenset[str]:
        """Names that are no guess."""
        return frozenset(one.level for one in self.named if self.is_sure_of(one))
