"""Roles of series, and the words for why one is not analysed."""

from dataclasses import replace
from pathlib import Path

import pytest

from dashboard.ingest.descriptions import clean
from dashboard.ingest.grouping import group_series
from dashboard.ingest.instance import FramePlane, Instance
from dashboard.ingest.roles import Judgement, declared, judge
from dashboard.study import Acquisition, Role

MR, CT, PET, CAPTURE = (
    "1.2.840.10008.5.1.4.1.1.4",
    "1.2.840.10008.5.1.4.1.1.2",
    "1.2.840.10008.5.1.4.1.1.128",
    "1.2.840.10008.5.1.4.1.1.7",
)
ORIENTATIONS = {
    "axial": ((1.0, 0.0, 0.0, 0.0, 1.0, 0.0), 2),
    "sagittal": ((0.0, 1.0, 0.0, 0.0, 0.0, -1.0), 0),
    "coronal": ((1.0, 0.0, 0.0, 0.0, 0.0, -1.0), 1),
    "oblique": ((0.70711, 0.70711, 0.0, 0.0, 0.0, -1.0), 0),
}
T2 = Acquisition(
    modality="MR",
    series_description="AX T2 TSE",
    scanning_sequence=("SE",),
    image_type=("ORIGINAL", "PRIMARY", "M"),
    repetition_time_ms=4000,
    echo_time_ms=100,
)
T1 = replace(T2, series_description="T1 TSE", repetition_time_ms=600, echo_time_ms=12)
STIR = replace(T2, series_description="SAG STIR", inversion_time_ms=160, echo_time_ms=40)
T1_FLAIR = replace(T1, series_description="T1 FLAIR", inversion_time_ms=800, repetition_time_ms=2000)
STAR = replace(T2, series_description="T2*", scanning_sequence=("GR",), repetition_time_ms=600, echo_time_ms=17)


def judged(
    acquisition: Acquisition,
    plane: str = "axial",
    *,
    step: float = 3.0,
    pixel: float = 0.5,
    pixels: int = 320,
    slices: int = 20,
    sop_class_uid: str = MR,
) -> Judgement:
    orientation, axis = ORIENTATIONS[plane]
    files = []
    for index in range(slices):
        position = [0.0, 0.0, 0.0]
        position[axis] = index * step
        frame = FramePlane(1, tuple(position), orientation, (pixel, pixel), step)  # type: ignore[arg-type]
        files.append(
            Instance(
                *("1", "1", str(index), sop_class_uid, "1.2.840.10008.1.2.1", "patient"),
                acquisition=acquisition,
                rows=pixels,
                columns=pixels,
                sha256=str(index),
                path=Path("unused"),
                name="unused",
                frame_planes=(frame,),
            )
        )
    return judge(acquisition, sop_class_uid, group_series(files).stacks)


@pytest.mark.parametrize(
    ("acquisition", "plane", "role"),
    [
        (T2, "axial", Role.AXIAL_T2),
        (T2, "sagittal", Role.SAGITTAL_T2),
        (T2, "coronal", Role.OTHER),
        (T2, "oblique", Role.OTHER),
        (T1, "axial", Role.AXIAL_T1),
        (T1, "sagittal", Role.SAGITTAL_T1),
        (replace(T1, contrast_bolus_agent="gadovist"), "axial", Role.AXIAL_T1_CONTRAST),
        (replace(T1, series_description="t1 tse km"), "axial", Role.AXIAL_T1_CONTRAST),
        (replace(T1, series_description="t1 tse vor km"), "axial", Role.AXIAL_T1),
        (STAR, "axial", Role.AXIAL_T2STAR),
        (
            replace(T2, series_description="SAG STIR", inversion_time_ms=160, echo_time_ms=40),
            "sagittal",
            Role.SAGITTAL_STIR,
        ),
        (replace(T2, series_description="tirm sag"), "sagittal", Role.SAGITTAL_STIR),
        (replace(T2, series_description="ep2d diff"), "axial", Role.DWI),
        (replace(T2, series_description="ADC"), "axial", Role.ADC),
        (replace(T2, series_description="", image_type=("DERIVED", "PRIMARY", "ADC")), "sagittal", Role.ADC),
        (replace(T2, series_description="T2 FLAIR", inversion_time_ms=2500), "axial", Role.BRAIN_FLAIR),
        (replace(T2, series_description="FLAIR cervical spine"), "sagittal", Role.OTHER),
        (
            replace(T1, series_description="T1 FLAIR", inversion_time_ms=800, repetition_time_ms=2000),
            "axial",
            Role.AXIAL_T1,
        ),
        (replace(T2, series_description="AX T2 brain"), "axial", Role.BRAIN_T2),
        (replace(T2, series_description="dwi", study_description="MRI HEAD"), "axial", Role.BRAIN_DWI),
        (replace(T2, series_description="PD TSE", echo_time_ms=30), "axial", Role.OTHER),
    ],
)
def test_role_by_weighting_and_plane(acquisition: Acquisition, plane: str, role: Role) -> None:
    found = judged(acquisition, plane)
    assert found.role is role
    assert (found.reason is None) == (role in (Role.AXIAL_T2, Role.AXIAL_T2STAR))


@pytest.mark.parametrize("plane", ["axial", "sagittal", "coronal", "oblique"])
def test_an_isotropic_t2_volume_is_analysed_in_any_plane(plane: str) -> None:
    found = judged(T2, plane, step=1.0, pixel=0.8, slices=40)
    assert (found.role, found.reason) == (Role.VOLUME_T2, None)


def test_an_isotropic_t1_volume_is_not() -> None:
    assert judged(T1, "sagittal", step=1.0, pixel=1.0, slices=40).role is Role.SAGITTAL_T1


def test_a_slab_too_thin_for_a_cord_is_no_volume() -> None:
    assert judged(T2, "sagittal", step=1.0, slices=10).role is Role.SAGITTAL_T2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"series_description": "localizer"}, "localiser"),
        ({"image_type": ("ORIGINAL", "PRIMARY", "LOCALIZER")}, "localiser"),
        ({"image_type": ("DERIVED", "SECONDARY", "SUBTRACTION")}, "Subtracted"),
        ({"image_type": ("DERIVED", "SECONDARY", "MIP")}, "projection"),
        ({"image_type": ("ORIGINAL", "PRIMARY", "P")}, "magnitude"),
        ({"image_type": ("ORIGINAL", "PRIMARY", "DIXON", "F")}, "Fat-only"),
        ({"image_type": ("ORIGINAL", "PRIMARY", "OPP_PHASE")}, "Opposed-phase"),
        ({"image_type": ("DERIVED", "PRIMARY", "T2_MAP")}, "Calculated map"),
        ({"image_type": ("DERIVED", "SECONDARY", "SCREEN SAVE")}, "screen"),
        ({"series_description": "T2 map"}, "Calculated map"),
        ({"series_description": "MTR spine", "protocol_name": "mt"}, "Magnetisation transfer"),
        ({"series_description": "TOF angio"}, "Flow"),
        ({"series_description": "AX T2 phantom"}, "phantom"),
        ({"series_description": "AX T2 knee"}, "knee"),
        ({"series_description": "AX T2", "study_description": "MRT Knie"}, "knie"),
    ],
)
def test_what_is_not_a_spine_image_says_why(changes: dict[str, object], words: str) -> None:
    found = judged(replace(T2, **changes))  # type: ignore[arg-type]
    assert found.role is Role.OTHER
    assert words in (found.reason or "")


@pytest.mark.parametrize(
    "typed",
    [
        "AX T2 IN PHASE",
        "In-Phase: Ax T2 FSE Flex",
        "AX T2 NO PHASE WRAP",
        "AX T2 PHASE OVERSAMPLING",
        "AX SWAP PHASE T2",
        "T2 TRA PHASE R>L",
        "AX T2 PHASE AP",
        "AX T2 FLOW COMP",
        "T2 AX flow compensated",
        "AX T2 CARDIAC GATED",
        "AX T2 CERV HEAD FIRST",
    ],
)
def test_words_that_mean_something_else_together_refuse_nothing(typed: str) -> None:
    found = judged(replace(T2, series_description=clean(typed)))
    assert (found.role, found.reason) == (Role.AXIAL_T2, None)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("AX T2 OUT OF PHASE", "Opposed-phase"),
        ("Opposed-Phase: Ax T2 FSE", "Opposed-phase"),
        ("AX T2 PHASE", "magnitude"),
        ("AX FLOW", "Flow"),
    ],
)
def test_opposed_phase_phase_and_flow_stay_refused(typed: str, words: str) -> None:
    found = judged(replace(T2, series_description=clean(typed)))
    assert found.role is Role.OTHER
    assert words in (found.reason or "")


def test_a_phrase_does_not_reach_from_one_text_into_the_next() -> None:
    assert "magnitude" in (judged(replace(T2, series_description="AX T2 PHASE", protocol_name="AP T2")).reason or "")


@pytest.mark.parametrize(
    ("description", "scanning_sequence", "role"),
    [
        ("AX T2 SPAIR", ("SE",), Role.AXIAL_T2),
        ("AX T2 SPAIR", ("SE", "IR"), Role.OTHER),
        ("AX T2 SPAIR", (), Role.OTHER),
        ("AX T2 STIR", ("SE",), Role.OTHER),
    ],
)
def test_an_inversion_time_is_that_of_a_stir_only_where_something_inverts(
    description: str, scanning_sequence: tuple[str, ...], role: Role
) -> None:
    acquisition = replace(
        T2, series_description=description, scanning_sequence=scanning_sequence, inversion_time_ms=120
    )
    assert judged(acquisition).role is role


@pytest.mark.parametrize(
    ("sop_class_uid", "modality", "role", "words"),
    [
        (CT, "CT", Role.CT, "CT does not show the cord"),
        (PET, "PT", Role.PET, "PET does not show the cord"),
        (CAPTURE, "MR", Role.OTHER, "saved from a screen"),
        ("", "US", Role.OTHER, "Not an MR image"),
    ],
)
def test_other_modalities(sop_class_uid: str, modality: str, role: Role, words: str) -> None:
    found = judged(replace(T2, modality=modality), sop_class_uid=sop_class_uid)
    assert found.role is role
    assert words in (found.reason or "")


def test_a_t1_series_described_as_t2_is_noticed() -> None:
    found = judged(replace(T1, series_description="AX T2 TSE"))
    assert found.role is Role.AXIAL_T1
    assert "says T2, but TR 600 ms and TE 12 ms" in (found.reason or "")


def test_a_proton_density_series_described_as_t2_is_noticed() -> None:
    found = judged(replace(T2, echo_time_ms=20))
    assert found.role is Role.OTHER
    assert "disagree" in (found.reason or "")


def test_a_t2_series_described_as_t1_is_not_graded() -> None:
    found = judged(replace(T2, series_description="AX T1 TSE"))
    assert found.role is Role.AXIAL_T1
    assert "says T1, but TR 4000 ms and TE 100 ms are not" in (found.reason or "")


@pytest.mark.parametrize("body_part", ["KNEE", "BRAIN", "HEAD", "LIVER", ""])
def test_body_part_examined_alone_decides_nothing(body_part: str) -> None:
    assert judged(replace(T2, body_part_examined=body_part)).role is Role.AXIAL_T2


def test_a_body_part_that_was_not_believed_is_told() -> None:
    assert judged(replace(T2, body_part_examined="KNEE")).warnings == (
        "BodyPartExamined says knee; that alone was not believed.",
    )


def test_a_plane_named_against_the_geometry_is_told() -> None:
    found = judged(replace(T2, series_description="AX T2 TSE"), "sagittal")
    assert found.role is Role.SAGITTAL_T2
    assert found.warnings == ("The description says axial, but by their positions the slices are sagittal.",)


def test_a_head_by_body_part_and_field_of_view_is_a_brain() -> None:
    found = judged(replace(T2, body_part_examined="HEAD"), step=5.0, pixel=0.7, pixels=330, slices=28)
    assert found.role is Role.BRAIN_T2


def test_a_series_named_after_the_spine_stays_one_in_a_brain_study() -> None:
    found = judged(replace(T2, series_description="AX T2 c-spine", study_description="MRI brain"))
    assert found.role is Role.AXIAL_T2


def test_a_study_of_brain_and_spine_leaves_it_to_the_pixels() -> None:
    assert judged(replace(T2, study_description="MRI brain and spine")).role is Role.AXIAL_T2


@pytest.mark.parametrize(("step", "pixel", "role"), [(3.0, 0.5, Role.AXIAL_T2), (1.0, 1.0, Role.VOLUME_T2)])
def test_without_words_and_timing_the_pixels_decide(step: float, pixel: float, role: Role) -> None:
    found = judged(Acquisition(modality="MR"), step=step, pixel=pixel, slices=30)
    assert (found.role, found.reason) == (role, None)
    assert "the pixels alone decide" in found.warnings[0]


def test_words_alone_are_enough_where_timing_is_missing() -> None:
    found = judged(Acquisition(modality="MR", series_description="sub-01 T1w"))
    assert found.role is Role.AXIAL_T1


@pytest.mark.parametrize(
    ("words", "role"),
    [
        ("FLAIR", Role.BRAIN_FLAIR),
        ("STIR", Role.OTHER),
        ("T2w", Role.AXIAL_T2),
        ("t2star", Role.AXIAL_T2STAR),
        ("dwi", Role.DWI),
        ("mt", Role.OTHER),
        ("PD", Role.OTHER),
    ],
)
def test_a_word_without_any_timing_is_believed(words: str, role: Role) -> None:
    assert judged(Acquisition(modality="MR", series_description=words)).role is role


def test_derived_images_such_as_reformats_are_analysed() -> None:
    assert judged(replace(T2, image_type=("DERIVED", "SECONDARY", "MPR"))).reason is None


def test_coarse_pixels_are_told() -> None:
    found = judged(T2, pixel=2.0, pixels=128)
    assert found.role is Role.AXIAL_T2
    assert "Pixels of 2.0 mm" in (found.reason or "")


def test_images_without_a_place_say_so() -> None:
    assert "no usable position" in (judge(T2, MR, ()).reason or "")


def test_a_contrast_in_dispute_is_told_and_asked_to_be_checked() -> None:
    disputed = [rule for rule in declared()["rule"] if rule.get("disputed")]
    assert len(disputed) == 3
    assert all(rule["reason"].endswith("check the series.") for rule in disputed)
    assert judged(replace(T1, series_description="ax T2 frfse")).disputed
    assert not judged(T2).disputed


@pytest.mark.parametrize(
    "description", ["T2 TSE TRA", "ax T2 frfse", "T2W TSE TRANSV", "sT2W TSE ax", "T2 axiale", "T2 quer", "OAx T2 FSE"]
)
def test_an_axial_t2_series_is_known_by_its_name(description: str) -> None:
    assert judge(Acquisition(modality="MR", series_description=description), MR, ()).named_axial_t2


@pytest.mark.parametrize(
    ("description", "sop_class_uid"),
    [("T2 TSE SAG", MR), ("T1 TSE TRA", MR), ("T2 DIXON", MR), ("TRA", MR), ("", MR), ("T2 TSE TRA", CAPTURE)],
)
def test_what_is_named_otherwise_is_not(description: str, sop_class_uid: str) -> None:
    found = judge(Acquisition(modality="MR", series_description=description), sop_class_uid, ())
    assert not found.named_axial_t2


def test_the_last_rule_fits_everything_and_roles_exist() -> None:
    rules = declared()["rule"]
    assert not {"any", "all", "none"} & rules[-1].keys()
    assert {Role(rule["role"]) for rule in rules}


def test_every_reason_is_a_sentence() -> None:
    reasons = [rule["reason"] for rule in declared()["rule"] if "reason" in rule]
    assert [
        reason for reason in reasons if not reason.endswith(".") or (not reason[0].isupper() and reason[0] != "{")
    ] == []
