"""Damaged files of every encoding: a reason or an image, never another error, never a hang."""

import random
from pathlib import Path

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.uid import ImplicitVRLittleEndian, RLELossless

from dashboard.errors import InputRefused
from dashboard.ingest import RejectedFile
from dashboard.ingest.pixels import decode_frames
from dashboard.ingest.reading import read_or_reject
from tests.ingest.builders import dropped, enhanced, image, original_door, pixels, save

MARKS = (
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
    b"\xff\xff\xff\x7f",
    b"\xfe\xff\x00\xe0",
    b"\xfe\xff\xdd\xe0",
    b"\xfe\xff\x0d\xe0",
)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Small valid files: classic, enhanced, implicit, and one of each coding."""
    folder = tmp_path_factory.mktemp("seeds")
    plain = save(image(), folder / "plain")
    packed = pydicom.dcmread(plain)
    packed.compress(RLELossless)
    packed.save_as(folder / "rle")
    several = [[0.0, 0.0, 4.0], [0.0, 0.0, 0.0]]
    paths = [
        plain,
        folder / "rle",
        save(enhanced(pixels(8, 12).reshape(2, 4, 12), several, slopes=[1, 2]), folder / "enhanced"),
        save(image(TransferSyntaxUID=ImplicitVRLittleEndian), folder / "implicit"),
    ]
    bundled = ("MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_bigendian.dcm")
    paths += [Path(str(get_testdata_file(name, download=False))) for name in bundled]
    return [path.read_bytes() for path in paths]


def outcome(data: bytes, folder: Path) -> str:
    """Read and decode; any error but a refusal fails the test."""
    path = folder / "damaged"
    path.write_bytes(data)
    found = read_or_reject(dropped(path), original_door(), folder)
    if isinstance(found, RejectedFile):
        assert found.reason.endswith(".")
        return "refused"
    if found.instance.not_analysed:
        return "not analysed"
    try:
        list(decode_frames(found.instance.path))
    except InputRefused as refusal:
        assert str(refusal).endswith(".")
        return "not decoded"
    return "read"


def damage(data: bytes, chance: random.Random) -> bytes:
    """A few changes, mostly among the headers."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        reach = len(changed) if chance.random() < 0.4 else min(len(changed), 2000)
        place = chance.randrange(max(1, reach))
        kind = chance.random()
        if kind < 0.6:
            changed[place : place + 1] = bytes([chance.randrange(256)])
        elif kind < 0.75:
            del changed[place : place + chance.choice((1, 2, 4, 8, 100))]
        elif kind < 0.85:
            changed[place:place] = chance.randbytes(chance.choice((1, 2, 8)))
        else:
            changed[place : place + 4] = chance.choice(MARKS)
    return bytes(changed)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 6), chance=st.randoms(use_true_random=False))
def test_changed_bytes(seeds: list[bytes], tmp_path: Path, seed: int, chance: random.Random) -> None:
    outcome(damage(seeds[seed], chance), tmp_path)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 6), part=st.floats(0, 1, exclude_max=True))
def test_truncation_is_always_refused(seeds: list[bytes], tmp_path: Path, seed: int, part: float) -> None:
    assert outcome(seeds[seed][: int(len(seeds[seed]) * part)], tmp_path) == "refused"


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=600))
def test_noise_is_refused(tmp_path: Path, data: bytes) -> None:
    assert outcome(data, tmp_path) == "refused"
    assert outcome(b"\0" * 128 + b"DICM" + data, tmp_path) == "refused"
