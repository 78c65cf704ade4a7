"""How a drop falls into studies, and which of them are looked at first."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.ingest import Drop, FramePlane, Instance, KeyedUids, RejectedFile
from dashboard.study import Acquisition
from dashboard.work.filing import AXIAL_OR_VOLUME, NO_MR, OTHER_MR, NotedUids, priority_of
from dashboard.work.triage import split_by_study, study_uid
from tests.records.test_studies import instance

AXIAL, SAGITTAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
OBLIQUE = (1.0, 0.0, 0.0, 0.0, 0.8, -0.6)
UIDS, PATIENTS = st.sampled_from(["1.1", "1.2", "1.3"]), st.sampled_from(["anna", "berta"])


def image(orientation: tuple[float, ...] | None = AXIAL, modality: str = "MR", kind: str = "2D") -> Instance:
    planes = () if orientation is None else (FramePlane(1, (0, 0, 0), orientation, (0.5, 0.5)),)  # type: ignore[arg-type]
    return replace(instance(), acquisition=Acquisition(modality, mr_acquisition_type=kind), frame_planes=planes)


@pytest.mark.parametrize(
    ("images", "priority"),
    [
        ([image(AXIAL)], AXIAL_OR_VOLUME),
        ([image(OBLIQUE)], AXIAL_OR_VOLUME),
        ([image(SAGITTAL), image(AXIAL)], AXIAL_OR_VOLUME),
        ([image(SAGITTAL, kind="3D")], AXIAL_OR_VOLUME),
        ([image(SAGITTAL)], OTHER_MR),
        ([image(None)], OTHER_MR),
        ([image(AXIAL, "CT")], NO_MR),
        ([], NO_MR),
    ],
)
def test_what_may_turn_out_urgent_comes_first(images: list[Instance], priority: int) -> None:
    assert priority_of(images) == priority


@given(st.lists(st.tuples(UIDS, PATIENTS), max_size=12), st.lists(st.sampled_from(["", "1.1", "1.9"]), max_size=4))
def test_every_file_is_in_the_part_of_its_study_and_patient(images: list[tuple[str, str]], refused: list[str]) -> None:
    instances = tuple(
        replace(instance(number), study_instance_uid=uid, patient_key=patient)
        for number, (uid, patient) in enumerate(images)
    )
    rejections = tuple(RejectedFile(str(number), "damaged", uid) for number, uid in enumerate(refused))
    parts = split_by_study(Drop(instances, rejections, {}))
    assert sorted(item.sop_instance_uid for part in parts for item in part.instances) == sorted(
        item.sop_instance_uid for item in instances
    )
    for part in parts:
        assert len({(item.study_instance_uid, item.patient_key) for item in part.instances}) <= 1
        assert {item.study_instance_uid for item in part.rejections} <= {"", study_uid(part)}
        assert [item for item in part.rejections if not item.study_instance_uid] == [
            item for item in rejections if not item.study_instance_uid
        ]
    if parts:
        assert {item for part in parts for item in part.rejections} == set(rejections)


def test_a_study_of_which_nothing_could_be_read_is_still_a_study() -> None:
    (part,) = split_by_study(Drop((), (RejectedFile("IM1", "damaged", "1.2"),), {}))
    assert study_uid(part) == "1.2"


def test_replaced_uids_are_remembered() -> None:
    uids = NotedUids(KeyedUids(b"key"))
    ours = uids.replace("1.2.3")
    assert ours != "1.2.3"
    assert uids.noted == {ours: "1.2.3"}
    assert not uids.keeps
