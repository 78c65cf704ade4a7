"""The diameters of a shape: one definition for the numbers that are measured and the lines that are drawn.

They belong to the ellipse of the same second moments, whose long axis is the right-left diameter when it lies within
45 degrees of right-left and the front-back diameter otherwise, as in spinalcordtoolbox (``process_seg.py``).
"""

from dataclasses import dataclass

import numpy as np

from dashboard.study.geometry import Array
from dashboard.study.masks import Mask


@dataclass(frozen=True, eq=False)
class Diameters:
    """Lengths in pixels, directions and centre as (row, column); rows run front to back."""

    ap_px: float
    rl_px: float
    eccentricity: float
    centre: Array
    ap_direction: Array
    rl_direction: Array

    def ends(self) -> tuple[Array, Array]:
        """Ends (2, 2) of the front-back and of the right-left diameter, one end a row."""
        halves = np.array([[-0.5], [0.5]])
        return (
            self.centre + halves * self.ap_px * self.ap_direction,
            self.centre + halves * self.rl_px * self.rl_direction,
        )


def diameters(mask: Mask) -> Diameters | None:
    """Diameters of a mask (rows, columns), None where it has fewer than two pixels."""
    rows, columns = np.nonzero(mask)
    if rows.size < 2:
        return None
    # 1/12 is the second moment of a pixel itself.
    covariance = np.cov(np.stack([rows, columns]), bias=True) + np.eye(2) / 12
    values, vectors = np.linalg.eigh(covariance)
    minor, major = (4 * np.sqrt(values)).tolist()
    eccentricity = float(np.sqrt(max(0.0, 1 - values[0] / values[1])))
    centre = np.array([rows.mean(), columns.mean()])
    lies_across = abs(vectors[1, 1]) >= abs(vectors[0, 1])
    if lies_across:
        return Diameters(minor, major, eccentricity, centre, _forward(vectors[:, 0], 0), _forward(vectors[:, 1], 1))
    return Diameters(major, minor, eccentricity, centre, _forward(vectors[:, 1], 0), _forward(vectors[:, 0], 1))


def _forward(direction: Array, axis: int) -> Array:
    """The same line, pointing along `axis`: an eigenvector's sign is an accident."""
    return direction if direction[axis] >= 0 else -direction
