"""Sagittal triage asks for axial images with a level, and never gives a grade."""

from dataclasses import replace

import pytest

from dashboard.grading.spine.canal import CanalStation, canal_profile
from dashboard.grading.spine.canal_findings import canal_finding
from dashboard.grading.spine.triage import LEAST_CORD_STATIONS, canal_features, sagittal_triage
from dashboard.grading.urgency import Tier
from dashboard.study.levels import LEVELS
from tests.grading.spine.drawn import Drawing, blocked, drawn, flat_models, one_model

SURE = frozenset(LEVELS)
# In plain units: a canal half as wide is suspected.
NARROW = one_model("canal_cauda", (10.0,), offset=-4.0)
FLATTENED = one_model("canal_cord", (10.0, 0.0, 0.0), offset=-2.0)
MODELS = replace(flat_models(), canal_cord=FLATTENED, canal_cauda=NARROW)


def triage(drawing: Drawing | None = None, certain: bool = True):
    return sagittal_triage("1.2.3", SURE if certain else frozenset(), canal_profile(*drawn(drawing)), MODELS)


def test_a_plain_canal_is_not_suspected() -> None:
    found = triage()
    assert not found.suspected
    assert found.claim() is None


def test_a_narrow_cauda_is_suspected_at_its_level() -> None:
    found = triage(Drawing(canal={"L3/4": 5.6}))
    assert found.suspected
    assert found.worst.station.level == "L3/4"
    assert found.claim().tier is Tier.SOON


def test_a_flattened_cord_is_urgent_and_asks_for_axial_images() -> None:
    claim = triage(Drawing(canal={"L1/2": 7.2}, cord_end="L4")).claim()
    assert claim.tier is Tier.URGENT
    assert "compression of the cord suspected on sagittal images" in claim.reasons[0]
    assert "axial images needed" in claim.reasons[0]


def pressed_flat(level: str, cord_end: str) -> tuple[CanalStation, ...]:
    """A canal that is narrow at a level, where no cord could be outlined."""
    stations = canal_profile(*drawn(Drawing(canal={level: 5.6}, cord_end=cord_end)))
    return tuple(replace(one, cord_mm=None, mscc_percent=None) if one.level == level else one for one in stations)


def test_a_cord_too_flat_to_outline_is_a_cord_all_the_same() -> None:
    found = sagittal_triage("1.2.3", SURE, pressed_flat("L1/2", "L4"), MODELS)
    assert found.worst.station.level == "L1/2"
    assert found.worst.station.cord_mm is None
    assert found.to_document()["of"] == "cord"
    assert found.claim().tier is Tier.URGENT


@pytest.mark.parametrize("top_mm", [40.0, 66.0])
def test_a_shut_canal_asks_for_axial_images_even_where_it_hides_the_end_of_the_cord(top_mm: float) -> None:
    prediction, spine = drawn()
    stations = canal_profile(blocked(prediction, top_mm, 14.0), spine)
    found = sagittal_triage("1.2.3", SURE, stations, MODELS)
    document = found.to_document()
    assert found.claim().tier is Tier.URGENT
    assert document["of"] == "cord"
    assert document["worst"]["canal_diameter_AP_mm"] is None
    assert document["worst"]["canal_norm_z"] is None
    level = document["level"]
    place = {
        "level": level,
        "level_certain": True,
        "series_instance_uid": "1.2.3",
        "level_series_instance_uid": "1.2.3",
    }
    words = canal_finding(found, level, place).text
    assert words == "canal narrowing suspected (no canal could be outlined there): axial images needed"


def test_a_shut_canal_far_below_the_cord_is_one_of_the_cauda() -> None:
    prediction, spine = drawn()
    found = sagittal_triage("1.2.3", SURE, canal_profile(blocked(prediction, 150.0, 14.0), spine), MODELS)
    assert (found.to_document()["of"], found.claim().tier) == ("cauda equina", Tier.SOON)


def test_below_the_last_of_the_cord_a_narrow_canal_is_one_of_the_cauda() -> None:
    found = sagittal_triage("1.2.3", SURE, pressed_flat("L3/4", "L2"), MODELS)
    assert found.worst.station.level == "L3/4"
    assert (found.to_document()["of"], found.claim().tier) == ("cauda equina", Tier.SOON)


def test_roots_that_look_like_a_cord_for_a_place_or_two_make_none() -> None:
    stations = canal_profile(*drawn(Drawing(canal={"L3/4": 5.6})))
    lowest = [replace(one, cord_mm=6.0) if one.level == "L5" else one for one in stations]
    seen = [one for one in lowest if one.level == "L5"][: LEAST_CORD_STATIONS - 1]
    few = tuple(one if one in seen or one.level != "L5" else replace(one, cord_mm=None) for one in lowest)
    assert sagittal_triage("1.2.3", SURE, few, MODELS).to_document()["of"] == "cauda equina"


@pytest.mark.parametrize(
    ("level", "certain", "what"), [("T8", True, "cord"), ("T8", False, "cauda equina"), ("L3", True, "cauda equina")]
)
def test_above_t12_the_canal_holds_a_cord_outlined_or_not(level: str, certain: bool, what: str) -> None:
    stations = [
        CanalStation(level, 2.0 * k, (0, 0, -2.0 * k), 0, None, 6.0, None, None, None, 60.0 if 20 < k < 25 else 0.0)
        for k in range(40)
    ]
    found = sagittal_triage("1.2.3", SURE if certain else frozenset(), stations, MODELS)
    assert found.to_document()["of"] == what
    assert found.claim().tier is (Tier.URGENT if what == "cord" else Tier.SOON)


def test_a_cord_comes_before_a_narrower_cauda() -> None:
    drawing = Drawing(canal={"L1/2": 7.6, "L5": 3.0}, cord_end="L3")
    assert "the cord" in triage(drawing).claim().reasons[0]


def test_what_graded_axial_slices_show_asks_for_no_images() -> None:
    found = triage(Drawing(canal={"L3/4": 5.6}))
    shown = found.shown_across([found.worst.station.position_mm])
    every = found.shown_across([one.station.position_mm for one in found.places])
    assert shown.suspected and every.suspected
    assert every.claim() is None and every.to_document()["needs"] is None
    elsewhere = found.shown_across([[0.0, 0.0, 900.0]])
    assert elsewhere.claim() == found.claim()
    assert found.to_document()["needs"] == "axial images"


def test_slices_of_the_same_height_show_a_place_whose_middle_tumour_has_moved() -> None:
    found = triage(Drawing(canal={"L3/4": 5.6}))
    places = [one.station.position_mm for one in found.places]
    assert found.shown_across([(x + 4.0, y - 6.0, z + 2.0) for x, y, z in places]).claim() is None
    assert found.shown_across([(x + 40.0, y, z) for x, y, z in places]).claim() == found.claim()


def test_the_worst_place_comes_with_its_own_measures() -> None:
    document = triage(Drawing(canal={"L3/4": 5.6})).to_document()
    assert document["worst"] in document["canal"]
    assert (document["worst"]["level"], document["of"]) == (document["level"], "cauda equina")
    assert document["worst"]["probability"] == document["probability"]


def test_the_claim_names_no_level_for_the_result_has_it_in_a_field() -> None:
    found = triage(Drawing(canal={"L3/4": 5.6}), certain=False)
    assert found.claim().reasons == (
        "compression of the cauda equina suspected on sagittal images: axial images needed",
    )
    assert (found.to_document()["level"], found.to_document()["level_certain"]) == ("L3/4", False)


def test_a_canal_that_was_not_seen_is_not_analysed() -> None:
    found = sagittal_triage("1.2.3", SURE, (), MODELS)
    assert found.status == "not_analysed"
    assert "not found" in found.reason
    assert found.to_document() is None


def test_the_document_has_no_grade() -> None:
    document = triage(Drawing(canal={"L3/4": 5.6})).to_document()
    assert document["suspected"] is True
    assert document["level"] == "L3/4"
    assert document["needs"] == "axial images"
    assert not any("grade" in key for key in document)
    assert {"level", "position_mm", "cord_diameter_AP_mm", "canal_diameter_AP_mm", "mscc_percent", "mcc_percent",
            "norm_z", "probability"} <= set(document["canal"][0])  # fmt: skip


def test_norms_are_given_at_vertebrae_that_have_them() -> None:
    canal = triage(Drawing()).to_document()["canal"]
    vertebra = [one for one in canal if one["level"] == "T12" and one["cord_diameter_AP_mm"]]
    disc = [one for one in canal if one["level"] == "T12/L1"]
    assert vertebra
    assert disc
    assert all(one["norm_z"] is not None for one in vertebra)
    assert all(one["norm_z"] is None for one in disc)


def test_a_guessed_level_has_no_norm() -> None:
    canal = triage(Drawing(), certain=False).to_document()["canal"]
    assert canal
    assert all(one["norm_z"] is None and one["canal_norm_z"] is None for one in canal)


def test_features_are_the_worst_within_reach() -> None:
    def station(along: float, cord: float, mcc: float) -> CanalStation:
        return CanalStation("T8", along, (0, 0, 0), 0, cord, 12.0, 1.0, 1.0, 10.0, mcc)

    stations = [station(0, 6.0, 5.0), station(2, 6.0, 40.0), station(20, 6.0, 80.0)]
    assert canal_features(stations, 0)["canal_narrowing"] == pytest.approx(0.4)


def test_a_narrower_canal_is_never_less_suspicious() -> None:
    chances = [triage(Drawing(canal={"L3/4": left})).worst.probability for left in (12.0, 9.6, 7.2, 4.8)]
    assert chances == sorted(chances)
