"""Every transfer syntax decodes to the same pixels as a second decoder, or is refused by name."""

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import JPEGLossless, JPEGLosslessSV1

from dashboard.errors import FileRefused, InputRefused, SyntaxRefused
from dashboard.ingest import Instance, RejectedFile
from dashboard.ingest.codestream import frame_bytes, frame_pieces, read_codestream
from dashboard.ingest.container import Container, open_container
from dashboard.ingest.decoding import decode_with
from dashboard.ingest.image_pixel import ImagePixel, read_image_pixel
from dashboard.ingest.pixels import DECODERS, NATIVE, StoredFrames, check_syntax, decode_frames
from dashboard.ingest.reading import Accepted, read_or_reject
from tests.ingest import jpeg_lossless
from tests.ingest.builders import dropped, original_door

LOSSLESS_JPEG = (JPEGLossless, JPEGLosslessSV1)
# Pairs of one picture, compressed and not.
TWINS = (
    ("693_J2KR.dcm", "693_UNCR.dcm"),
    ("MR2_J2KR.dcm", "MR2_UNCR.dcm"),
    ("MR2_J2KI.dcm", "MR2_UNCI.dcm"),
    ("emri_small_RLE.dcm", "emri_small.dcm"),
    ("emri_small_big_endian.dcm", "emri_small.dcm"),
    ("emri_small_jpeg_2k_lossless.dcm", "emri_small.dcm"),
    ("emri_small_jpeg_ls_lossless.dcm", "emri_small.dcm"),
)
BUNDLED = (
    "MR_small_RLE.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_implicit.dcm",
    "MR_small_expb.dcm",
    "MR_small_padded.dcm",
)
NAMED_REFUSALS = {
    "HTJ2KLossless_08_RGB.dcm": "High-Throughput JPEG 2000",
    "HTJ2K_08_RGB.dcm": "High-Throughput JPEG 2000",
    "JLSL_08_07_0_1F.dcm": "of 7 bits",
    "emri_small_jpeg_2k_lossless_too_short.dcm": "no end mark",
}
OTHER_OBJECTS = ("liver", "parametric_map")


def stored(container: Container, image: ImagePixel) -> list[npt.NDArray[np.generic]]:
    frames = StoredFrames(container, image)
    return [frames[index] for index in range(image.number_of_frames)]


def decodings(container: Container, image: ImagePixel) -> list[npt.NDArray[np.generic]]:
    """The first frame as we decode it, then by every other decoder there is."""
    syntax = container.transfer_syntax_uid
    frame = frame_bytes(container, frame_pieces(container, image)[0])
    read_codestream(frame, syntax, image)
    ours = decode_with(DECODERS[syntax][0], frame, syntax, image)
    if syntax in LOSSLESS_JPEG:
        return [ours, jpeg_lossless.decode(frame).astype(ours.dtype)]
    others = [plugin for plugin in get_decoder(syntax).available_plugins if plugin != DECODERS[syntax][0]]
    return [ours, *(decode_with(plugin, frame, syntax, image) for plugin in others)]


@pytest.mark.shared_data
def test_every_file_decodes_like_a_second_decoder_or_is_refused_by_name(shared_data: Path) -> None:
    compared, refused = [], []
    for path in sorted((shared_data / "syntaxes").iterdir()):
        try:
            with open_container(path) as container:
                image = read_image_pixel(container)
                check_syntax(container.transfer_syntax_uid)
                if container.transfer_syntax_uid in NATIVE:
                    if image.is_grey:
                        theirs = pydicom.dcmread(path, force=True).pixel_array
                        frames = theirs.reshape(-1, image.rows, image.columns)
                        assert all(map(np.array_equal, stored(container, image), frames)), path.name
                else:
                    ours, *others = decodings(container, image)
                    assert others, path.name
                    assert all(np.array_equal(ours, other) for other in others), path.name
                compared.append(path.name)
        except InputRefused as refusal:
            expected = NAMED_REFUSALS.get(path.name)
            assert expected is None or expected in str(refusal)
            refused.append(path.name)
    assert all(name in NAMED_REFUSALS or name.startswith(OTHER_OBJECTS) for name in refused)
    assert len(compared) == 64


@pytest.mark.shared_data
@pytest.mark.parametrize(("one", "other"), TWINS)
def test_compressed_and_plain_twins_hold_the_same_pixels(shared_data: Path, one: str, other: str) -> None:
    folder = shared_data / "syntaxes"
    with open_container(folder / one) as first, open_container(folder / other) as second:
        pairs = zip(stored(first, read_image_pixel(first)), stored(second, read_image_pixel(second)), strict=True)
        assert all(np.array_equal(ours, theirs) for ours, theirs in pairs)


@pytest.mark.shared_data
def test_the_page_and_the_command_line_hear_of_every_file(shared_data: Path, tmp_path: Path) -> None:
    for path in sorted((shared_data / "syntaxes").iterdir()):
        found = read_or_reject(dropped(path), original_door(), tmp_path)
        assert found.reason if isinstance(found, RejectedFile) else found.instance.rows, path.name


@pytest.mark.parametrize("name", BUNDLED)
def test_a_small_mr_image_is_the_same_in_every_encoding(tmp_path: Path, name: str) -> None:
    assert np.array_equal(frames_of("MR_small.dcm", tmp_path)[0], frames_of(name, tmp_path)[0])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("JPEG-lossy.dcm", "JPEG Extended .* of 12 bits"),
        ("JPGExtended.dcm", "JPEG Extended .* of 12 bits"),
        ("MR_truncated.dcm", "cut short"),
        ("meta_missing_tsyntax.dcm", "names no transfer syntax"),
        ("rtdose.dcm", "RT Dose: not an image"),
        ("rtplan.dcm", "RT Plan: not an image"),
        ("rtstruct.dcm", "RT Structure Set: not an image"),
        ("test-SR.dcm", "SR: not an image"),
        ("waveform_ecg.dcm", "not an image"),
    ],
)
def test_bundled_files_that_are_refused(tmp_path: Path, name: str, reason: str) -> None:
    found = read_or_reject(dropped(bundled(name)), original_door(), tmp_path)
    assert isinstance(found, RejectedFile)
    assert re.search(reason, found.reason)


def test_sign_and_precision_of_the_codestream_are_reconciled(tmp_path: Path) -> None:
    path = bundled("J2K_pixelrep_mismatch.dcm")
    with open_container(path) as container:
        image = read_image_pixel(container)
        frame = frame_bytes(container, frame_pieces(container, image)[0])
        assert not read_codestream(frame, container.transfer_syntax_uid, image).agrees_with(image)
        values = StoredFrames(container, image)[0]
    assert (values.min(), values.max()) == (-2000, 1896)


def test_unread_syntaxes_are_refused_by_name() -> None:
    with pytest.raises(SyntaxRefused, match="MPEG2"):
        check_syntax("1.2.840.10008.1.2.4.100")
    with pytest.raises(SyntaxRefused, match="Deflated Image Frame"):
        check_syntax("1.2.840.10008.1.2.8.1")


def bundled(name: str) -> Path:
    """A file that comes with pydicom."""
    path = get_testdata_file(name, download=False)
    assert path is not None
    return Path(str(path))


def frames_of(name: str, folder: Path) -> list[npt.NDArray[np.generic]]:
    found = read_or_reject(dropped(bundled(name)), original_door(), folder)
    assert isinstance(found, Accepted), found
    instance: Instance = found.instance
    return list(decode_frames(instance.path))


def test_decoders_refuse_what_is_cut_out_of_the_middle() -> None:
    for name in ("MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_RLE.dcm"):
        with open_container(bundled(name)) as container:
            image = read_image_pixel(container)
            frame = frame_bytes(container, frame_pieces(container, image)[0])
            damaged = frame[:2000] + frame[2040:]
            with pytest.raises(FileRefused, match="cannot be decoded"):
                decode_with(DECODERS[container.transfer_syntax_uid][0], damaged, container.transfer_syntax_uid, image)


@pytest.mark.shared_data
def test_a_complaint_of_the_lossless_jpeg_decoder_refuses_the_frame(shared_data: Path) -> None:
    with open_container(shared_data / "syntaxes" / "JPEG-LL.dcm") as container:
        image = read_image_pixel(container)
        frame = frame_bytes(container, frame_pieces(container, image)[0])
        with pytest.raises(FileRefused, match="the decoder found errors"):
            decode_with("gdcm", frame[:40_000] + frame[40_030:], container.transfer_syntax_uid, image)
        assert decode_with("gdcm", frame, container.transfer_syntax_uid, image).shape == (1024, 256)
