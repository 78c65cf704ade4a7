"""The door survives elements that are too long, nested without end, or not what they say."""

import struct

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from dashboard.errors import FileRefused
from dashboard.ingest.deidentify import DEEPEST_SEQUENCE, Door
from dashboard.ingest.uids import KeyedPseudonym, KeyedUids
from tests.ingest.identified import SECRET, mr_dataset, reread, written


@pytest.mark.parametrize("implicit", [True, False])
def test_values_of_64_kilobytes_are_survived(door: Door, implicit: bool) -> None:
    dataset = mr_dataset()
    value = (SECRET * 8192)[:65532].encode()
    for tag in (0x00100010, 0x00100020, 0x00081030, 0x0008103E, 0x00080080, 0x00200010, 0x00080060):
        vr = None if implicit else dictionary_VR(tag)
        dataset[Tag(tag)] = RawDataElement(Tag(tag), vr, len(value), value, 0, implicit, True, True)
    identity = door.deidentify(dataset)
    assert len(identity.patient_name) <= 256
    assert SECRET.encode() not in written(dataset)


def test_sequences_nested_without_end_are_refused(door: Door) -> None:
    dataset = innermost = mr_dataset()
    for _ in range(DEEPEST_SEQUENCE + 2):
        item = Dataset()
        innermost.AnatomicRegionSequence = Sequence([item])
        innermost = item
    with pytest.raises(FileRefused, match="nests sequences"):
        door.deidentify(dataset)


PUBLIC_TAGS = sorted(tag for tag in pydicom.datadict.DicomDictionary if 0x0008 <= tag >> 16 <= 0x0040)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(PUBLIC_TAGS),
            st.sampled_from([None, "LO", "SQ", "UN", "US", "DS", "OB", "??"]),
            st.binary(max_size=40),
        ),
        max_size=12,
    )
)
@settings(max_examples=150, deadline=None)
def test_no_bytes_make_the_door_raise(elements: list[tuple[int, str | None, bytes]]) -> None:
    dataset = mr_dataset()
    for tag, vr, value in elements:
        dataset[Tag(tag)] = RawDataElement(Tag(tag), vr, len(value), value, 0, vr is None, True, True)
    Door(KeyedUids(b"key"), KeyedPseudonym(b"key")).deidentify(dataset)
    assert dataset.PatientIdentityRemoved == "YES"


def test_a_number_longer_than_its_attribute_allows_is_dropped(door: Door) -> None:
    dataset = mr_dataset()
    value = struct.pack("<12s", SECRET.encode())
    dataset[Tag(0x00280010)] = RawDataElement(Tag(0x00280010), "US", len(value), value, 0, False, True, True)
    door.deidentify(dataset)
    assert "Rows" not in dataset


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("charset", ["ISO_IR 192", "ISO 2022 IR 87", "GB18030", "NO SUCH SET", "ISO_IR 100"])
@pytest.mark.parametrize("name", [b"\xff\xfe\x1b$B\x80^", b"\xe5\x8c\x97\xe4\xba\xac", b"\x1b(J\x1b$B;3ED"])
def test_a_character_set_that_lies_is_survived(door: Door, charset: str, name: bytes) -> None:
    dataset = mr_dataset()
    dataset.SpecificCharacterSet = "ISO_IR 100"
    data = written(dataset).replace(b"ISO_IR 100", charset.encode().ljust(10)[:10])
    dataset = reread(data)
    for tag, vr in ((0x00081030, "LO"), (0x00100010, "PN")):
        dataset[Tag(tag)] = RawDataElement(Tag(tag), vr, len(name), name, 0, False, True, True)
    door.deidentify(dataset)
    assert name not in written(dataset)
    assert "SpecificCharacterSet" not in dataset
