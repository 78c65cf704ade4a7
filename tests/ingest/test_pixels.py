"""Stored values to real-world values."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage

from dashboard.errors import FileRefused
from dashboard.ingest.pixels import decode_frame, decode_frames
from dashboard.ingest.reading import read_instance
from tests.ingest.builders import describe_pixels, dropped, enhanced, image, original_door, pixels, save


def decoded(dataset: Dataset, folder: Path) -> list[npt.NDArray[np.generic]]:
    """Frames after the way through the door."""
    stored = read_instance(dropped(save(dataset, folder / "in.dcm")), original_door(), folder).instance
    return list(decode_frames(stored.path))


def test_plain_values_come_as_they_are_stored(tmp_path: Path) -> None:
    values = pixels()
    (frame,) = decoded(image(values), tmp_path)
    assert frame.dtype == np.uint16
    assert np.array_equal(frame, values)


def test_rescale_gives_real_world_values(tmp_path: Path) -> None:
    values = pixels()
    (frame,) = decoded(image(values, RescaleSlope="0.5", RescaleIntercept="-10", RescaleType="US"), tmp_path)
    assert frame.dtype == np.float32
    assert np.allclose(frame, values * 0.5 - 10)


def test_signed_values_stay_signed(tmp_path: Path) -> None:
    values = (pixels().astype(np.int16) - 2000).astype(np.int16)
    (frame,) = decoded(image(values), tmp_path)
    assert np.array_equal(frame, values)


@pytest.mark.parametrize("extended", [True, False])
def test_signed_twelve_bits_with_and_without_their_sign_extended(tmp_path: Path, extended: bool) -> None:
    values = (pixels().astype(np.int16) - 2048).astype(np.int16)
    dataset = image(values)
    describe_pixels(dataset, values, bits_stored=12)
    if not extended:
        dataset.PixelData = (values.view(np.uint16) & 0x0FFF).tobytes()
    (frame,) = decoded(dataset, tmp_path)
    assert np.array_equal(frame, values)


def test_overlays_in_unused_bits_are_removed(tmp_path: Path) -> None:
    values = pixels()
    drawn = values | 0x1000
    dataset = image(drawn)
    describe_pixels(dataset, drawn, bits_stored=12)
    dataset.add_new(0x60000102, "US", 12)
    dataset.add_new(0x60000100, "US", 16)
    (frame,) = decoded(dataset, tmp_path)
    assert np.array_equal(frame, values)
    stored = pydicom.dcmread(next(tmp_path.glob("2.25.*.dcm")))
    assert np.frombuffer(stored.PixelData, "<u2").max() < 4096
    assert 0x60000102 not in stored


def test_monochrome1_is_inverted(tmp_path: Path) -> None:
    values = pixels()
    dataset = image(values, PhotometricInterpretation="MONOCHROME1")
    describe_pixels(dataset, values, bits_stored=12)
    dataset.PhotometricInterpretation = "MONOCHROME1"
    (frame,) = decoded(dataset, tmp_path)
    assert np.array_equal(frame, 4095 - values)


def padded(dataset: Dataset, value: int, limit: int | None = None, vr: str = "SS") -> Dataset:
    """`dataset` that calls these stored values padding."""
    dataset.add_new(0x00280120, vr, value)
    if limit is not None:
        dataset.add_new(0x00280121, vr, limit)
    return dataset


@pytest.mark.parametrize(("vr", "value"), [("SS", -2000), ("US", 65536 - 2000)])
def test_padding_becomes_nothing_and_the_rest_stays(tmp_path: Path, vr: str, value: int) -> None:
    values = pixels().astype(np.int16)
    values[:3] = -2000
    (frame,) = decoded(padded(image(values), value, vr=vr), tmp_path)
    assert frame.dtype == np.int16
    assert np.array_equal(frame, np.where(values == -2000, 0, values))


def test_a_range_of_padding_becomes_nothing(tmp_path: Path) -> None:
    values = pixels().astype(np.int16)
    values[0], values[1], values[2] = -2000, -1500, -1000
    (frame,) = decoded(padded(image(values), -1000, -2000), tmp_path)
    assert not frame[:3].any()
    assert np.array_equal(frame[3:], values[3:])


def test_padding_is_told_before_values_are_rescaled_or_inverted(tmp_path: Path) -> None:
    values = pixels()
    values[:3] = 4095
    dataset = image(values, PhotometricInterpretation="MONOCHROME1", RescaleSlope="2", RescaleIntercept="100")
    (frame,) = decoded(padded(dataset, 4095, vr="US"), tmp_path)
    real = (65535 - values.astype(np.float64)) * 2 + 100
    assert np.allclose(frame, np.where(values == 4095, 0, real))


def test_padding_of_a_ct_stays_the_density_it_is(tmp_path: Path) -> None:
    values = pixels().astype(np.int16)
    values[:3] = -2000
    (frame,) = decoded(padded(image(values, SOPClassUID=CTImageStorage, Modality="CT"), -2000), tmp_path)
    assert np.array_equal(frame, values)


def test_eight_bits_and_an_odd_number_of_them(tmp_path: Path) -> None:
    values = (pixels(5, 5) >> 4).astype(np.uint8)
    (frame,) = decoded(image(values), tmp_path)
    assert np.array_equal(frame, values)


def test_each_frame_has_its_own_rescale(tmp_path: Path) -> None:
    values = np.stack([pixels(seed=index) for index in range(3)])
    frames = decoded(enhanced(values, [[0, 0, 8], [0, 0, 4], [0, 0, 0]], slopes=[1, 2, 3]), tmp_path)
    assert all(np.allclose(frame, values[index] * (index + 1)) for index, frame in enumerate(frames))
    assert {frame.dtype for frame in frames} == {np.dtype(np.float32)}


def test_one_frame_alone(tmp_path: Path) -> None:
    values = np.stack([pixels(seed=index) for index in range(3)])
    path = save(enhanced(values, [[0, 0, 8], [0, 0, 4], [0, 0, 0]]), tmp_path / "in.dcm")
    assert np.array_equal(decode_frame(path, 2), values[2])
    with pytest.raises(FileRefused, match="There is no frame 4"):
        decode_frame(path, 3)


def test_colour_is_refused(tmp_path: Path) -> None:
    dataset = image(pixels(4, 12).astype(np.uint8))
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
    dataset.Columns = 4
    with pytest.raises(FileRefused, match="in colour"):
        list(decode_frames(save(dataset, tmp_path / "in.dcm")))
