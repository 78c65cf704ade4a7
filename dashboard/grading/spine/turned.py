"""Signs that a header lies about which way the pictures stand: upside down, or front and back exchanged.

Pictures are turned by their headers alone, never by how they look; but where the spine in them stands on its head, a
reader is told, and no level is called certain.
"""

from collections.abc import Sequence

import numpy as np

from dashboard.grading.spine.evidence import ANCHOR_FROM, CANAL_BELOW_MM, LEAST_CORD_MM, Row, depth_mm, image_rows
from dashboard.grading.spine.midline import CANAL, CORD, DISC, LUMBOSACRAL
from dashboard.study.sagittal import SagittalPrediction

UPSIDE_DOWN = "the pictures look upside down, although their header says otherwise"
FRONT_BACK = "front and back look exchanged, although the header says otherwise"

# Engineering constants. Bodies grow from head to foot: over this many they never shrink to this share.
LEAST_BODIES, SHRUNK = 5, 0.8
# Discs lie in front of the canal; where most of what is labelled disc lies behind it, front is back.
BEHIND_SHARE, LEAST_DISC_MM2 = 0.6, 300.0


def signs_of_turning(row: Row) -> tuple[str, ...]:
    """What a reader must know of the way a volume's pictures stand; empty where nothing speaks against the header."""
    found = []
    if _front_behind(row.prediction):
        found.append(FRONT_BACK)
    if row.placed and (_cord_below_cauda(row.prediction) or _anchor_at_wrong_end(row) or _shrinking(row)):
        found.append(UPSIDE_DOWN)
    return tuple(found)


def _front_behind(prediction: SagittalPrediction) -> bool:
    disc = np.isin(prediction.labels, (DISC, LUMBOSACRAL))
    canal = np.isin(prediction.labels, (CANAL, CORD))
    # Row by row and plane by plane: discs and canal seen in the same row.
    both = disc.any(axis=2) & canal.any(axis=2)
    columns = np.arange(prediction.labels.shape[2])
    middle = (canal[both] * columns).sum(axis=1) / np.maximum(canal[both].sum(axis=1), 1)
    behind = (disc[both] & (columns[None, :] > middle[:, None])).sum()
    total = int(disc[both].sum())
    return bool(total * prediction.pixel_mm**2 >= LEAST_DISC_MM2 and behind > BEHIND_SHARE * total)


def _cord_below_cauda(prediction: SagittalPrediction) -> bool:
    """Whether a cord begins within the field, below a canal without one, and goes on to the canal's lower end."""
    cord = np.flatnonzero((prediction.labels == CORD).any(axis=(0, 2)))
    canal = np.flatnonzero(np.isin(prediction.labels, (CANAL, CORD)).any(axis=(0, 2)))
    pixel = prediction.pixel_mm
    if len(cord) * pixel < LEAST_CORD_MM:
        return False
    above, below = (cord[0] - canal[0]) * pixel, (canal[-1] - cord[-1]) * pixel
    return bool(above >= CANAL_BELOW_MM and below < CANAL_BELOW_MM)


def _anchor_at_wrong_end(row: Row) -> bool:
    vertebrae = [one.segment for one in row.placed if one.segment.kind == "vertebra"]
    discs = [one.segment for one in row.placed if one.segment.kind == "disc"]
    wrong: Sequence[float] = [vertebrae[-1].anchor] if len(vertebrae) >= LEAST_BODIES else []
    wrong = [*wrong, *([discs[0].anchor] if len(discs) >= LEAST_BODIES else [])]
    return any(anchor >= ANCHOR_FROM for anchor in wrong)


def _shrinking(row: Row) -> bool:
    """Whether bodies grow smaller from head to foot, of those with canal beside them.

    Where a bent spine leaves the stack, its bodies are cut beside their middle and look small.
    """
    if row.line is None:
        return False
    beside = [
        one.segment
        for one, at in zip(row.placed, image_rows(row), strict=True)
        if one.segment.kind == "vertebra" and row.line.first_row <= at <= row.line.last_row
    ]
    known = [depth for depth in map(depth_mm, beside) if depth]
    if len(known) < LEAST_BODIES:
        return False
    # Medians, since L5 alone is often small.
    return float(np.median(known[-3:])) < SHRUNK * float(np.median(known[:3]))
