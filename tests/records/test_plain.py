"""What is stored as JSON comes back as it was, or is refused."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.errors import RecordsError
from dashboard.ingest import FramePlane
from dashboard.records.plain import from_plain, to_plain
from dashboard.study import Acquisition, Role

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
ACQUISITIONS = st.builds(
    Acquisition,
    series_description=st.text(),
    image_type=st.lists(st.text()).map(tuple),
    repetition_time_ms=st.none() | NUMBERS,
)


@dataclass(frozen=True)
class Everything:
    path: Path
    role: Role
    point: tuple[float, float, float]
    names: dict[str, str]
    planes: tuple[FramePlane, ...] = ()


@given(ACQUISITIONS)
def test_acquisitions_come_back(acquisition: Acquisition) -> None:
    assert from_plain(Acquisition, to_plain(acquisition)) == acquisition


def test_every_kind_of_field_comes_back() -> None:
    plane = FramePlane(1, (0, 0, 0), (1, 0, 0, 0, 1, 0), (0.5, 0.5), frame_type=("ORIGINAL",))
    value = Everything(Path("a/b"), Role.AXIAL_T2, (1.0, 2.0, 3.0), {"a": "b"}, (plane,))
    assert from_plain(Everything, to_plain(value)) == value


def test_unknown_fields_are_left_out() -> None:
    assert from_plain(Acquisition, {"modality": "MR", "of a later version": 1}) == Acquisition("MR")


@pytest.mark.parametrize("plain", [{"modality": 1}, {"image_type": 3}, {"repetition_time_ms": "x"}, [], None])
def test_what_does_not_fit_is_refused(plain: object) -> None:
    with pytest.raises(RecordsError, match="Acquisition"):
        from_plain(Acquisition, plain)
