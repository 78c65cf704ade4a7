"""The decoder at arm's length: it may crash, hang or complain, and only the frame is refused."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from dashboard.errors import FileRefused
from dashboard.ingest import decoding
from dashboard.ingest.codestream import frame_bytes, frame_pieces
from dashboard.ingest.container import open_container
from dashboard.ingest.decoding import DecoderProcess, decode_with
from dashboard.ingest.image_pixel import ImagePixel, read_image_pixel

JPEG_LS = "1.2.840.10008.1.2.4.80"


@pytest.fixture
def frame() -> tuple[bytes, ImagePixel]:
    path = get_testdata_file("MR_small_jpeg_ls_lossless.dcm", download=False)
    with open_container(Path(str(path))) as container:
        image = read_image_pixel(container)
        return frame_bytes(container, frame_pieces(container, image)[0]), image


def test_a_decoder_that_dies_refuses_one_frame_and_comes_back(frame: tuple[bytes, ImagePixel]) -> None:
    data, image = frame
    good = decode_with("pyjpegls", data, JPEG_LS, image)
    bench = decoding._bench
    assert bench.process is not None
    os.kill(bench.process._process.pid, signal.SIGKILL)
    results = []
    for _ in range(3):
        try:
            results.append(decode_with("pyjpegls", data, JPEG_LS, image))
        except FileRefused as refusal:
            assert "cannot be decoded" in str(refusal)
    assert len(results) >= 2
    assert all(np.array_equal(result, good) for result in results)


def test_an_abort_of_the_library_refuses_one_frame(frame: tuple[bytes, ImagePixel]) -> None:
    process = DecoderProcess()
    try:
        os.kill(process._process.pid, signal.SIGSTOP)
        process._process.kill()
        with pytest.raises(FileRefused, match="the decoder stopped"):
            process.decode(frame[0], {"plugin": "gdcm", "syntax": JPEG_LS, "options": {}})
        assert not process.alive
    finally:
        process.close()


def test_a_decoder_that_hangs_refuses_the_frame(
    frame: tuple[bytes, ImagePixel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "LONGEST_FRAME_S", 0.05)
    process = DecoderProcess()
    try:
        os.kill(process._process.pid, signal.SIGSTOP)
        with pytest.raises(FileRefused, match="takes too long"):
            process.decode(frame[0], {"plugin": "gdcm", "syntax": JPEG_LS, "options": {}})
    finally:
        process.close()


def test_an_error_of_the_decoder_names_its_kind_only(frame: tuple[bytes, ImagePixel]) -> None:
    with pytest.raises(FileRefused, match=r"cannot be decoded \(\w+\); it is damaged\."):
        decode_with("pyjpegls", frame[0][:200], JPEG_LS, frame[1])
