"""How a series was made, from classic and enhanced headers."""

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dashboard.ingest.acquisition import read_acquisition
from dashboard.ingest.planes import FrameHeaders
from dashboard.study import Acquisition
from tests.ingest.builders import enhanced, image, pixels


def read(dataset: Dataset, frames: int = 1) -> Acquisition:
    return read_acquisition(dataset, FrameHeaders(dataset, frames))


def test_classic_headers() -> None:
    found = read(image(ScanningSequence=["SE", "IR"], InversionTime=150, ContrastBolusAgent="contrast agent"))
    assert found.scanning_sequence == ("SE", "IR")
    assert (found.repetition_time_ms, found.echo_time_ms, found.inversion_time_ms) == (4000, 100, 150)
    assert found.image_type == ("ORIGINAL", "PRIMARY", "M")
    assert found.contrast_bolus_agent == "contrast agent"
    assert (found.slice_thickness_mm, found.spacing_between_slices_mm) == (4, 4)


def test_enhanced_headers_in_the_words_of_classic_ones() -> None:
    dataset = enhanced(np.stack([pixels(), pixels()]), [[0, 0, 0], [0, 0, 4]], ScanningSequence=None)
    modifier = Dataset()
    modifier.InversionRecovery, modifier.InversionTimes = "YES", [160.0, 170.0]
    dataset.EchoPulseSequence, dataset.AcquisitionContrast = "SPIN", "T2"
    dataset.SharedFunctionalGroupsSequence[0].MRModifierSequence = Sequence([modifier])
    found = read(dataset, 2)
    assert found.scanning_sequence == ("SE", "IR")
    assert found.inversion_time_ms == 160
    assert found.acquisition_contrast == "T2"
    assert (found.echo_time_ms, found.repetition_time_ms, found.slice_thickness_mm) == (95, 3500, 4)


def test_what_is_absent_is_empty() -> None:
    found = read(Dataset())
    assert found == Acquisition()
