"""The four corners of a body or disc in the picture that runs through its middle."""

import numpy as np
import numpy.typing as npt

from dashboard.study.geometry import Array
from dashboard.study.sagittal import SagittalPrediction

# Nearer than this to the edge of the field, one cannot know whether a body ends or is cut.
EDGE_PX = 1.5
# Of the way from a disc's middle to its front or back, where its height there is read.
DISC_END, DISC_END_WIDTH = 0.85, 0.08


def corners_of(
    prediction: SagittalPrediction, mask: npt.NDArray[np.bool_], plane: int, along: Array, kind: str, dens: bool
) -> tuple[Array, bool]:
    """Upper front, upper back, lower front and lower back corner, (4, 3) LPS mm, and whether the field cuts the body.

    Parameters
    ----------
    prediction
        Whose plane it is.
    mask
        (rows, columns) of the body or disc in this plane.
    plane
        Index of the plane.
    along
        (2) direction of the canal towards the feet, (row, column).
    kind
        ``vertebra`` or ``disc``.
    dens
        Whether a dens stands on the body: then its upper corners cannot be told and are NaN.
    """
    rows, columns = np.nonzero(mask)
    points = np.stack([rows, columns], axis=1).astype(np.float64)
    down = _own_axis(points, along / np.linalg.norm(along), kind)
    back = np.array([-down[1], down[0]])
    back = back if back[1] >= 0 else -back
    middle = points.mean(axis=0)
    heights, depths = (points - middle) @ down, (points - middle) @ back
    reach = [float(np.abs(np.percentile(values, [2, 98])).mean()) for values in (heights, depths)]
    corners, edges = [], []
    for upward in (-1, 1):
        for backward in (-1, 1):
            worth = upward * heights / max(reach[0], 0.5) + backward * depths / max(reach[1], 0.5)
            if kind == "disc":
                # A disc is round in front and behind and swells in its middle: its corners are where its ends begin.
                end = backward * depths / max(reach[1], 0.5)
                worth = np.where(np.abs(end - DISC_END) <= DISC_END_WIDTH, upward * heights, -np.inf)
                worth = worth if np.isfinite(worth).any() else end
            place = points[int(worth.argmax())]
            edges.append(_near_edge(prediction.inside[plane], place))
            # A pixel's outer corner, not its middle.
            corners.append(place + 0.5 * (upward * down + backward * back))
    index = np.concatenate([np.full((4, 1), plane), np.array(corners), np.ones((4, 1))], axis=1)
    found = (prediction.affine @ index.T)[:3].T
    cut = touches_edge(prediction, np.column_stack([np.full(len(points), plane), points.astype(int)]))
    for corner in range(4):
        if edges[corner] or (dens and corner < 2):
            found[corner] = np.nan
    return np.asarray(found, dtype=np.float64), cut


def touches_edge(prediction: SagittalPrediction, index: npt.NDArray[np.intp]) -> bool:
    """Whether voxels (n, 3) reach the edge of their pictures' fields."""
    planes, rows, columns = index.T
    inside = prediction.inside
    for down, along in ((-2, 0), (2, 0), (0, -2), (0, 2)):
        row, column = rows + down, columns + along
        within = (row >= 0) & (row < inside.shape[1]) & (column >= 0) & (column < inside.shape[2])
        if not within.all() or not inside[planes, row, column].all():
            return True
    return False


def _own_axis(points: Array, along: Array, kind: str) -> Array:
    """Which way is down for this body: a disc's short axis where it has one, else the canal's way."""
    offsets = points - points.mean(axis=0)
    values, vectors = np.linalg.eigh(offsets.T @ offsets)
    if kind != "disc" or values[1] < 3 * values[0]:
        return along
    own = vectors[:, 0] if vectors[:, 0] @ along >= 0 else -vectors[:, 0]
    return np.asarray(own if own @ along >= np.cos(np.radians(45)) else along)


def _near_edge(inside: npt.NDArray[np.bool_], place: Array) -> bool:
    row, column = (int(v) for v in place)
    reach = int(np.ceil(EDGE_PX))
    low_row, low_column = row - reach, column - reach
    high_row, high_column = row + reach, column + reach
    if low_row < 0 or low_column < 0 or high_row >= inside.shape[0] or high_column >= inside.shape[1]:
        return True
    return not bool(inside[low_row : high_row + 1, low_column : high_column + 1].all())
