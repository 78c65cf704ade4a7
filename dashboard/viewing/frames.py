"""Planes as bytes for the browser: every stored value, a small preview, or all planes of a view in one strip."""

import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from dashboard.viewing.picture import Picture
from dashboard.viewing.windowing import Window

# Values of up to 32 bits travel as they are; JavaScript has no typed array for longer whole numbers.
CODES = ("u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8")
PREVIEW_QUALITY = 80
THUMBNAIL_SIDE = 64
THUMBNAILS_A_ROW = 16


def lossless(picture: Picture, code: str) -> bytes:
    """Every value of a plane as shown, row by row, little endian; `code` is that of :func:`value_code`."""
    return np.ascontiguousarray(picture.pixels, dtype=f"<{code}").tobytes()


def value_code(dtype: np.dtype[np.generic]) -> str:
    """How values of a type travel; 64-bit whole numbers and others without a code as 64-bit floating point."""
    code = f"{dtype.kind}{dtype.itemsize}"
    return code if code in CODES else "u1" if dtype.kind == "b" else "f8"


def preview(picture: Picture, window: Window) -> bytes:
    """A JPEG of 256 grey levels spread over `window`: for slow lines, until the stored values are there."""
    return _jpeg(window.grey(picture.pixels))


def thumbnails(pictures: Sequence[Picture], window: Window) -> bytes:
    """A JPEG with every picture in a square of :data:`THUMBNAIL_SIDE` pixels, :data:`THUMBNAILS_A_ROW` to a row.

    Pixels need not be square: each picture keeps its shape in the patient and is centred on black.
    """
    side = THUMBNAIL_SIDE
    rows = max(1, -(-len(pictures) // THUMBNAILS_A_ROW))
    sheet = np.zeros((rows * side, min(max(len(pictures), 1), THUMBNAILS_A_ROW) * side), np.uint8)
    for number, picture in enumerate(pictures):
        small = _thumbnail(picture, window)
        top = number // THUMBNAILS_A_ROW * side + (side - small.shape[0]) // 2
        left = number % THUMBNAILS_A_ROW * side + (side - small.shape[1]) // 2
        sheet[top : top + small.shape[0], left : left + small.shape[1]] = small
    return _jpeg(sheet)


def _thumbnail(picture: Picture, window: Window) -> npt.NDArray[np.uint8]:
    extent = np.array([_extent(picture.down_mm), _extent(picture.across_mm)])
    height, width = np.maximum(1, np.round(THUMBNAIL_SIDE * extent / extent.max())).astype(int)
    image = Image.fromarray(window.grey(picture.thinned(4 * THUMBNAIL_SIDE).pixels))
    return np.asarray(image.resize((int(width), int(height)), Image.Resampling.BOX))


def _extent(coordinates: npt.NDArray[np.float64]) -> float:
    count = coordinates.size
    step = float(coordinates[-1] - coordinates[0]) / (count - 1) if count > 1 else 1.0
    return step * count


def _jpeg(grey: npt.NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "JPEG", quality=PREVIEW_QUALITY)
    return stream.getvalue()
