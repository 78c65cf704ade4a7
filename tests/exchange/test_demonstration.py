"""The synthetic study that the first start offers."""

from pathlib import Path

import numpy as np
import pydicom

from dashboard.exchange.demonstration import write_demonstration


def test_the_same_study_is_written_every_time(tmp_path: Path) -> None:
    first, second = write_demonstration(tmp_path / "a"), write_demonstration(tmp_path / "b")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_every_header_says_synthetic(tmp_path: Path) -> None:
    for path in write_demonstration(tmp_path):
        dataset = pydicom.dcmread(path)
        assert dataset.PatientID == dataset.Manufacturer == "SYNTHETIC"
        assert "SYNTHETIC" in dataset.SeriesDescription


def test_the_tumour_takes_the_fluid_away_at_its_height_only(tmp_path: Path) -> None:
    bright = []
    for path in write_demonstration(tmp_path):
        dataset = pydicom.dcmread(path)
        if dataset.SeriesDescription.startswith("AX"):
            canal = dataset.pixel_array[118:170, 112:146]
            bright.append((float(dataset.ImagePositionPatient[2]), int(np.count_nonzero(canal > 650))))
    at_tumour = [count for height, count in bright if abs(height) < 3]
    far_away = [count for height, count in bright if abs(height) > 40]
    assert max(at_tumour) < 0.6 * min(far_away)
