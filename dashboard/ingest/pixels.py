"""Pixels of a stored file as real-world values, by decoders whose results were compared with a second one.

``tests/ingest/test_syntaxes.py`` holds the comparison; a transfer syntax that is not in :data:`DECODERS` is refused
by name.
"""

from collections.abc import Iterator
from pathlib import Path
from struct import unpack

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.uid import (
    JPEG2000,
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from dashboard.errors import FileRefused, SyntaxRefused
from dashboard.ingest.codestream import frame_bytes, frame_pieces, read_codestream
from dashboard.ingest.container import Container, open_container
from dashboard.ingest.decoding import decode_with
from dashboard.ingest.image_pixel import ImagePixel, check_stored_values, read_image_pixel
from dashboard.ingest.object_kind import expected_modality
from dashboard.ingest.planes import FrameHeaders, rescale
from dashboard.ingest.structure import PIXEL_DATA

Pixels = npt.NDArray[np.generic]

NATIVE = tuple(str(uid) for uid in (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian))
# pydicom's plugin that decodes each compressed syntax, and one that read the same pixels in every test.
DECODERS = {
    str(RLELossless): ("pydicom", "pylibjpeg"),
    str(JPEGBaseline8Bit): ("gdcm", "pillow"),
    str(JPEGExtended12Bit): ("gdcm", "pillow"),
    str(JPEGLossless): ("gdcm",),
    str(JPEGLosslessSV1): ("gdcm",),
    str(JPEGLSLossless): ("pyjpegls", "gdcm"),
    str(JPEGLSNearLossless): ("pyjpegls", "gdcm"),
    str(JPEG2000Lossless): ("pylibjpeg", "gdcm"),
    str(JPEG2000): ("pylibjpeg", "gdcm"),
}
# Newer than the tables of pydicom.
SYNTAX_NAMES = {"1.2.840.10008.1.2.8.1": "Deflated Image Frame Compression"}
FUNCTIONAL_GROUPS = (0x52009229, 0x52009230)
RESCALE = (0x00281052, 0x00281053)
PADDING_VALUE, PADDING_LIMIT = 0x00280120, 0x00280121


def check_syntax(transfer_syntax_uid: str) -> None:
    """Refuse a transfer syntax that is not verified, by its name.

    Raises
    ------
    SyntaxRefused
        The message names the syntax.
    """
    if transfer_syntax_uid not in NATIVE and transfer_syntax_uid not in DECODERS:
        name = SYNTAX_NAMES.get(transfer_syntax_uid) or UID(transfer_syntax_uid).name
        raise SyntaxRefused(f"The picture is stored as {name}, which is not read; send it uncompressed.")


def decode_frames(path: Path) -> Iterator[Pixels]:
    """Decode the frames of a stored file one after the other.

    Yields
    ------
    numpy.ndarray
        (rows, columns): the stored integers where the header rescales no frame, float32 real-world values
        otherwise. MONOCHROME1 is inverted, so that a larger value is always brighter. What the header of an MR image
        calls padding is 0.

    Raises
    ------
    FileRefused
        The file is no grey image, is damaged, or two decoders disagree about it.
    SyntaxRefused
        Its transfer syntax is not verified.
    """
    with open_container(path) as container:
        frames = StoredFrames(container, _grey_image(container))
        scales = _rescales(container, path, frames.image.number_of_frames)
        plain, padding = _is_plain(scales), _padding(container, frames.image)
        for index, scale in enumerate(scales):
            yield _finish(frames[index], frames.image, None if plain else scale, padding)


def decode_frame(path: Path, index: int) -> Pixels:
    """Decode one frame, counted from 0; see :func:`decode_frames`."""
    with open_container(path) as container:
        frames = StoredFrames(container, _grey_image(container))
        if not 0 <= index < frames.image.number_of_frames:
            raise FileRefused(f"There is no frame {index + 1}; the file has {frames.image.number_of_frames}.")
        scales = _rescales(container, path, frames.image.number_of_frames)
        scale = None if _is_plain(scales) else scales[index]
        return _finish(frames[index], frames.image, scale, _padding(container, frames.image))


class StoredFrames:
    """Stored values of the grey frames of an open file, unused bits cleared and signs extended.

    Raises
    ------
    FileRefused
        A frame is damaged, or two decoders disagree about it.
    SyntaxRefused
        The transfer syntax is not verified.
    """

    def __init__(self, container: Container, image: ImagePixel) -> None:
        check_syntax(container.transfer_syntax_uid)
        self.image = image
        self._container = container
        self._pieces = None if container.transfer_syntax_uid in NATIVE else frame_pieces(container, image)

    def __getitem__(self, index: int) -> Pixels:
        """(rows, columns) of the frame, counted from 0."""
        pixels = self._native(index) if self._pieces is None else self._decoded(self._pieces[index])
        return _within_bits(pixels, self.image)

    def _native(self, index: int) -> Pixels:
        image = self.image
        kind = image.stored_type(little=self._container.outline.little)
        start = self._container.outline.elements[PIXEL_DATA].start + index * image.frame_bytes
        raw = np.frombuffer(self._container.read(start, start + image.frame_bytes), kind)
        return raw.reshape(image.rows, image.columns).astype(kind.newbyteorder("="))

    def _decoded(self, pieces: tuple[tuple[int, int], ...]) -> Pixels:
        """Decode a compressed frame, with both decoders where header and codestream disagree."""
        syntax, image = self._container.transfer_syntax_uid, self.image
        frame = frame_bytes(self._container, pieces)
        found = read_codestream(frame, syntax, image)
        first, *others = DECODERS[syntax]
        pixels = decode_with(first, frame, syntax, image)
        if not found.agrees_with(image):
            check_stored_values(pixels.view(f"u{pixels.dtype.itemsize}"), image, overlays=False)
            if any(not np.array_equal(pixels, decode_with(other, frame, syntax, image)) for other in others):
                raise FileRefused(
                    "Header and compressed picture contradict each other about bits or sign, and two decoders read "
                    "different values; the file is refused."
                )
        return pixels


def _grey_image(container: Container) -> ImagePixel:
    image = read_image_pixel(container)
    if not image.is_grey:
        raise FileRefused("The picture is in colour, which is not read.")
    return image


def _within_bits(pixels: Pixels, image: ImagePixel) -> Pixels:
    """Clear unused bits and extend the sign (PS3.5, 8.1.1)."""
    spare = pixels.dtype.itemsize * 8 - image.bits_stored
    if spare <= 0:
        return pixels
    kind = f"{'iu'[image.pixel_representation == 0]}{pixels.dtype.itemsize}"
    return (pixels.view(kind) << spare) >> spare


def _is_plain(scales: list[tuple[float, float]]) -> bool:
    """No frame is rescaled: all frames of a file come in one type, so one that is decides for all."""
    return all(scale == (1.0, 0.0) for scale in scales)


def _finish(
    pixels: Pixels, image: ImagePixel, scale: tuple[float, float] | None, padding: tuple[int, int] | None
) -> Pixels:
    """Invert MONOCHROME1, apply slope and intercept, and put 0 where stored values lie in the range of the padding."""
    values = _real_values(pixels, image, scale)
    if padding is None:
        return values
    stored = pixels.astype(np.int64)
    return np.where((stored >= padding[0]) & (stored <= padding[1]), values.dtype.type(0), values)


def _real_values(pixels: Pixels, image: ImagePixel, scale: tuple[float, float] | None) -> Pixels:
    if image.photometric_interpretation == "MONOCHROME1":
        top = -1 if image.pixel_representation else (1 << image.bits_stored) - 1
        pixels = (top - pixels.astype(np.int64)).astype(pixels.dtype)
    if scale is None:
        return pixels
    slope, intercept = scale
    values = (pixels.astype(np.float64) * slope + intercept).astype(np.float32)
    if not np.all(np.isfinite(values)):
        raise FileRefused("RescaleSlope and RescaleIntercept give no usable pixel values.")
    return values


def _padding(container: Container, image: ImagePixel) -> tuple[int, int] | None:
    """Least and largest stored value that is filling and no signal (PS3.3, C.7.5.1.1.2), None where none is.

    Of MR only: there 0 is no signal, in other images it is a value like others.
    """
    if expected_modality(container.sop_class_uid) != "MR":
        return None
    first = _padding_value(container, PADDING_VALUE, image)
    if first is None:
        return None
    last = _padding_value(container, PADDING_LIMIT, image)
    return (first, first) if last is None else (min(first, last), max(first, last))


def _padding_value(container: Container, tag: int, image: ImagePixel) -> int | None:
    element = container.outline.elements.get(tag)
    if element is None or element.length != 2:
        return None
    # Many files declare it unsigned where their pixels are signed, or the other way round: the pixels decide.
    kind = f"{'<' if container.outline.little else '>'}{'hH'[image.pixel_representation == 0]}"
    return int(unpack(kind, container.data[element.start : element.end])[0])


def _rescales(container: Container, path: Path, frames: int) -> list[tuple[float, float]]:
    """Slope and intercept of each frame; headers are parsed only where there is something to find."""
    elements = container.outline.elements
    if not any(tag in elements for tag in (*FUNCTIONAL_GROUPS, *RESCALE)):
        return [(1.0, 0.0)] * frames
    tags = [*FUNCTIONAL_GROUPS, *RESCALE]
    headers = FrameHeaders(pydicom.dcmread(path, stop_before_pixels=True, specific_tags=tags), frames)
    return [rescale(headers, frame) for frame in range(frames)]
