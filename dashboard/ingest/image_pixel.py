"""The Image Pixel module (PS3.3, C.7.6.3): what the pixels are said to be, and whether the bytes agree."""

from dataclasses import dataclass
from struct import unpack

import numpy as np
import numpy.typing as npt

from dashboard.errors import FileRefused
from dashboard.ingest.container import Container
from dashboard.ingest.structure import PIXEL_DATA, UNDEFINED, Element, describe

SAMPLES, PHOTOMETRIC, PLANAR, FRAMES = 0x00280002, 0x00280004, 0x00280006, 0x00280008
ROWS, COLUMNS = 0x00280010, 0x00280011
ALLOCATED, STORED, HIGH_BIT, REPRESENTATION = 0x00280100, 0x00280101, 0x00280102, 0x00280103
FLOAT_PIXELS = (0x7FE00008, 0x7FE00009)
GREY = ("MONOCHROME1", "MONOCHROME2")
COLOUR = {
    "PALETTE COLOR": 1,
    "RGB": 3,
    "YBR_FULL": 3,
    "YBR_FULL_422": 3,
    "YBR_PARTIAL_420": 3,
    "YBR_ICT": 3,
    "YBR_RCT": 3,
}
# The largest matrix of any modality is about 6,000; a header may not make us reserve more than this a frame.
MAX_FRAME_PIXELS = 64 * 1024**2
MAX_FRAMES = 100_000
MAX_DECODED_BYTES = 8 * 1024**3
# Compressed blank frames shrink to nothing, so a ratio alone would refuse them; small images are free.
DECODED_FREE = 256 * 1024**2
DECODED_RATIO = 250
# Some archives fill the last disk block with zeros; anything else behind the pixels means the header is false.
LONGEST_PADDING = 512


@dataclass(frozen=True)
class ImagePixel:
    """What one image's pixels are. Names are the DICOM keywords in snake_case."""

    rows: int
    columns: int
    samples_per_pixel: int
    photometric_interpretation: str
    bits_allocated: int
    bits_stored: int
    pixel_representation: int
    number_of_frames: int
    planar_configuration: int = 0

    @property
    def is_grey(self) -> bool:
        """One sample a pixel whose value is a brightness."""
        return self.photometric_interpretation in GREY

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame once decoded, as stored."""
        return self.rows * self.columns * self.samples_per_pixel * self.bits_allocated // 8

    def stored_type(self, *, little: bool = True) -> np.dtype[np.integer]:
        """Type of one stored value."""
        kind = "iu"[self.pixel_representation == 0]
        return np.dtype(f"{'<' if little else '>'}{kind}{self.bits_allocated // 8}")


def read_image_pixel(container: Container) -> ImagePixel:
    """Read and check the description of the pixels, and that as many bytes are there as it promises.

    Raises
    ------
    FileRefused
        A field is missing, malformed or contradicts another, or the pixel data is too short or too long.
    """
    elements = container.outline.elements
    if any(tag in elements for tag in FLOAT_PIXELS):
        raise FileRefused("The file holds floating-point parameters, not an image.")
    if PIXEL_DATA not in elements:
        raise FileRefused("The file holds no picture.")
    photometric = _text(container, PHOTOMETRIC)
    image = ImagePixel(
        rows=_number(container, ROWS),
        columns=_number(container, COLUMNS),
        samples_per_pixel=_number(container, SAMPLES),
        photometric_interpretation=photometric,
        bits_allocated=_number(container, ALLOCATED),
        bits_stored=_number(container, STORED),
        pixel_representation=_number(container, REPRESENTATION),
        number_of_frames=_frame_count(container),
        planar_configuration=_number(container, PLANAR) if PLANAR in elements else 0,
    )
    _check(image, _number(container, HIGH_BIT))
    _check_length(container, image, elements[PIXEL_DATA])
    return image


def check_stored_values(values: npt.NDArray[np.unsignedinteger], image: ImagePixel, *, overlays: bool) -> bool:
    """Check that no stored value has bits above BitsStored, save copies of its sign.

    Parameters
    ----------
    values
        Stored values as unsigned integers of BitsAllocated.
    overlays
        Old files keep overlay planes in the unused bits; where the header speaks of overlays such bits are
        expected, and the caller removes them.

    Returns
    -------
    bool
        True when the unused bits hold overlays to remove.

    Raises
    ------
    FileRefused
        The unused bits hold something that the header does not explain.
    """
    spare = image.bits_allocated - image.bits_stored
    if spare == 0 or not int(np.bitwise_or.reduce(values, axis=None)) >> image.bits_stored:
        return False
    if image.pixel_representation == 1:
        signed = values.view(values.dtype.str.replace("u", "i"))
        limit = 1 << (image.bits_stored - 1)
        if int(signed.min()) >= -limit and int(signed.max()) < 1 << image.bits_stored:
            high = signed[signed >= limit]
            if high.size == 0 or int(signed.min()) >= 0:
                return False
    if overlays:
        return True
    raise FileRefused(
        f"Pixel values are larger than BitsStored ({image.bits_stored}) allows; the header or the pixels are false."
    )


def _check(image: ImagePixel, high_bit: int) -> None:
    if not 0 < image.rows * image.columns <= MAX_FRAME_PIXELS:
        raise FileRefused(f"An image of {image.rows} rows and {image.columns} columns is not possible.")
    if image.photometric_interpretation not in (*GREY, *COLOUR):
        raise FileRefused("PhotometricInterpretation is missing or not one of the standard.")
    samples = 1 if image.is_grey else COLOUR[image.photometric_interpretation]
    if image.samples_per_pixel != samples:
        raise FileRefused(
            f"SamplesPerPixel is {image.samples_per_pixel} where {image.photometric_interpretation} needs {samples}."
        )
    if image.bits_allocated == 1:
        raise FileRefused("The file holds a mask of single bits, not an image.")
    if image.bits_allocated not in (8, 16, 32):
        raise FileRefused(f"BitsAllocated is {image.bits_allocated}; 8, 16 and 32 are read.")
    if not 1 <= image.bits_stored <= image.bits_allocated:
        raise FileRefused(f"BitsStored is {image.bits_stored} where BitsAllocated is {image.bits_allocated}.")
    if high_bit != image.bits_stored - 1:
        raise FileRefused(f"HighBit is {high_bit} where BitsStored is {image.bits_stored}; such pixels are not read.")
    if image.pixel_representation not in (0, 1) or image.planar_configuration not in (0, 1):
        raise FileRefused("PixelRepresentation and PlanarConfiguration must be 0 or 1.")


def _check_length(container: Container, image: ImagePixel, element: Element) -> None:
    expected = image.frame_bytes * image.number_of_frames
    if image.photometric_interpretation == "YBR_FULL_422" and element.length != UNDEFINED:
        expected = expected * 2 // 3
    if expected > MAX_DECODED_BYTES:
        raise FileRefused("The picture would unfold to far more than an image; it is refused.")
    if element.length == UNDEFINED:
        stored = sum(length for _, length in container.outline.fragments)
        if expected > max(DECODED_FREE, DECODED_RATIO * stored):
            raise FileRefused("The compressed picture would unfold to far more than an image; it is refused.")
        return
    if element.length < expected:
        raise FileRefused(
            f"The picture data has {element.length:,} bytes where its header promises {expected:,}; it is cut short."
        )
    tail = container.data[element.start + expected : min(element.end, element.start + expected + LONGEST_PADDING + 1)]
    if len(tail) > LONGEST_PADDING or any(tail[1:]):
        raise FileRefused(
            f"The picture data has {element.length:,} bytes where its header promises {expected:,}; "
            "one of them is false."
        )


def _value(container: Container, tag: int, types: tuple[str, ...]) -> bytes:
    element = container.outline.elements.get(tag)
    if element is None:
        raise FileRefused(f"{describe(tag)} is missing, so the picture cannot be read.")
    if element.vr not in (*types, "UN") or element.length > 1024:
        raise FileRefused(f"{describe(tag)} is of a false type; the file is damaged.")
    return container.data[element.start : element.end]


def _number(container: Container, tag: int) -> int:
    value = _value(container, tag, ("US",))
    if len(value) != 2:
        raise FileRefused(f"{describe(tag)} must hold one number.")
    # Unknown VRs are written little endian whatever the file is (PS3.5, 6.2.2).
    little = container.outline.little or container.outline.elements[tag].vr == "UN"
    return int(unpack("<H" if little else ">H", value)[0])


def _text(container: Container, tag: int) -> str:
    return _value(container, tag, ("CS",)).decode("ascii", "replace").strip(" \0")


def _frame_count(container: Container) -> int:
    if FRAMES not in container.outline.elements:
        return 1
    text = _value(container, FRAMES, ("IS",)).strip(b" \0")
    if not text:
        return 1
    if not text.isdigit() or not 1 <= int(text[:12]) <= MAX_FRAMES:
        raise FileRefused(f"NumberOfFrames must be a whole number from 1 to {MAX_FRAMES:,}.")
    return int(text)
