"""What is done to the few real volumes to make more of them."""

import numpy as np
from scipy import ndimage

from models.training.sagittal.labels import DISC
from models.training.sagittal.samples import _collapse

ROWS, COLUMNS = 200, 80
DISC_ROWS, LINE_ROWS = 24, 4


def picture() -> np.ndarray:
    """A disc (2) across a bone (1), with a dark line (0) on either side of it."""
    out = np.ones((ROWS, COLUMNS))
    middle = ROWS // 2
    out[middle - DISC_ROWS // 2 - LINE_ROWS : middle + DISC_ROWS // 2 + LINE_ROWS, 16:64] = 0
    out[middle - DISC_ROWS // 2 : middle + DISC_ROWS // 2, 16:64] = 2
    return out


def test_an_old_disc_loses_height_and_keeps_the_lines_of_its_endplates():
    before = picture()
    labels = np.where(before == 2, DISC, 0)
    grid = np.stack(np.meshgrid(np.arange(ROWS, dtype=float), np.arange(COLUMNS, dtype=float), indexing="ij"))
    heights, lines = [], []
    for seed in range(12):
        rows = _collapse(np.random.default_rng(seed), labels, grid)
        after = ndimage.map_coordinates(before, [rows, grid[1]], order=0, mode="nearest")[:, COLUMNS // 2]
        heights.append(int((after == 2).sum()))
        lines.append(int((after == 0).sum()))
    assert min(heights) < DISC_ROWS * 0.55
    assert max(heights) <= DISC_ROWS
    assert min(lines) >= 2 * LINE_ROWS - 1
