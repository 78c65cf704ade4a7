"""Cord and canal are measured across the canal, and compared with what lies above and below."""

from dataclasses import replace

import numpy as np
import pytest

from dashboard.grading.spine.canal import canal_profile
from dashboard.study.spine import Spine
from tests.grading.spine.drawn import CANAL, CANAL_MM, CORD, CORD_MM, PIXEL_MM, Drawing, blocked, drawn


def profile(drawing: Drawing | None = None):
    return canal_profile(*drawn(drawing))


def at(stations, level: str):
    found = [one for one in stations if one.level == level]
    assert found
    return found


def test_diameters_are_those_of_the_drawing() -> None:
    middle = at(profile(), "T12/L1")
    assert all(one.canal_mm == pytest.approx(CANAL_MM, abs=PIXEL_MM) for one in middle)
    assert all(one.cord_mm == pytest.approx(CORD_MM, abs=PIXEL_MM) for one in middle)


def test_what_lies_round_the_cord_makes_up_the_canal() -> None:
    for one in at(profile(), "T12/L1"):
        assert one.front_mm + one.back_mm + one.cord_mm == pytest.approx(one.canal_mm, abs=PIXEL_MM)


def test_there_is_no_cord_below_its_end() -> None:
    assert all(one.cord_mm is None for one in at(profile(), "L3"))


def test_a_plain_canal_is_narrowed_nowhere() -> None:
    assert max(one.mcc_percent for one in profile()) < 8


@pytest.mark.parametrize("left", [10.8, 7.2, 4.8])
def test_mcc_compares_with_the_middles_of_the_vertebrae(left: float) -> None:
    stations = profile(Drawing(canal={"L3/4": left}))
    worst = max(stations, key=lambda one: one.mcc_percent)
    assert worst.level == "L3/4"
    assert worst.mcc_percent == pytest.approx(100 * (1 - left / CANAL_MM), abs=8)


def test_mscc_of_a_flattened_cord() -> None:
    drawing = Drawing(canal={"L1/2": 7.2}, cord_end="L4")
    worst = max(profile(drawing), key=lambda one: one.mscc_percent or 0)
    # A wall at 7.2 mm leaves half of the cord, which is pushed nowhere in the drawing.
    assert worst.level == "L1/2"
    assert worst.mscc_percent == pytest.approx(50, abs=10)


def test_the_end_of_the_cord_is_no_narrowing() -> None:
    assert max(one.mscc_percent or 0 for one in profile()) < 8


def test_the_same_canal_tilted_has_the_same_diameter() -> None:
    prediction, _ = drawn()
    labels = prediction.labels
    rows = np.arange(labels.shape[1])
    shift = np.round(0.3 * (rows - rows.mean())).astype(int)
    sheared = np.stack([np.stack([np.roll(line, s) for line, s in zip(plane, shift, strict=True)]) for plane in labels])
    tilted = replace(prediction, labels=sheared)
    found = canal_profile(tilted, Spine("", 0, (), "guess", False))
    expected = CANAL_MM * np.cos(np.arctan(0.3))
    assert np.median([one.canal_mm for one in found]) == pytest.approx(expected, abs=PIXEL_MM)


def test_no_canal_gives_no_stations() -> None:
    prediction, spine = drawn()
    assert canal_profile(replace(prediction, labels=np.zeros_like(prediction.labels)), spine) == ()


def test_a_canal_that_leaves_the_planes_is_not_measured() -> None:
    prediction, spine = drawn()
    # Half of the planes are gone: the canal is deepest in the last one left.
    kept = slice(0, 3)
    named = tuple(replace(one, segment=replace(one.segment, mask=one.segment.mask[kept])) for one in spine.named)
    part = replace(
        prediction, labels=prediction.labels[kept], image=prediction.image[kept], inside=prediction.inside[kept]
    )
    assert canal_profile(part, replace(spine, named=named)) == ()


def test_a_canal_that_the_back_edge_of_the_field_cuts_is_not_measured_there() -> None:
    prediction, spine = drawn()
    whole = canal_profile(prediction, spine)
    canal = np.flatnonzero((prediction.labels == CANAL).any(axis=(0, 1)))
    inside = prediction.inside.copy()
    rows = round(whole[0].along_mm / PIXEL_MM) + 60
    inside[:, :rows, (canal[0] + canal[-1]) // 2 :] = False
    found = canal_profile(replace(prediction, inside=inside, labels=prediction.labels * inside), spine)
    assert 0 < len(found) < len(whole)
    assert min(one.canal_mm for one in found) == pytest.approx(CANAL_MM, abs=PIXEL_MM)


def test_vertebrae_above_the_canal_that_is_seen_give_it_no_name() -> None:
    prediction, spine = drawn()
    labels = prediction.labels.copy()
    first = np.flatnonzero(next(one for one in spine.named if one.level == "L2").segment.mask.any(axis=(0, 2)))[0]
    labels[:, :first][np.isin(labels[:, :first], (CANAL, CORD))] = 0
    found = {one.level for one in canal_profile(replace(prediction, labels=labels), spine)}
    assert {"L2", "L3"} <= found
    assert not {"T12", "T12/L1", "L1"} & found


def test_without_names_narrowing_is_still_found() -> None:
    prediction, _ = drawn(Drawing(canal={"L3/4": 6.0}))
    stations = canal_profile(prediction, Spine("", 0, (), "guess", False))
    assert {one.level for one in stations} == {None}
    assert max(one.mcc_percent for one in stations) > 40


def test_a_seam_between_cord_and_canal_is_no_wall() -> None:
    prediction, spine = drawn()
    labels = prediction.labels.copy()
    # The first pixel of the canal before the cord is given to nothing.
    first = (labels == 4) & ~np.roll(labels == 4, 1, axis=2)
    labels[np.roll(first, -1, axis=2)] = 0
    assert at(canal_profile(replace(prediction, labels=labels), spine), "T12/L1")[0].canal_mm == pytest.approx(
        CANAL_MM, abs=PIXEL_MM
    )


@pytest.mark.parametrize("length_mm", [8.0, 16.0, 60.0])
def test_a_canal_that_is_nowhere_to_be_outlined_between_its_parts_is_as_narrow_as_can_be(length_mm: float) -> None:
    prediction, spine = drawn()
    stations = canal_profile(blocked(prediction, 70.0, length_mm), spine)
    shut = [one for one in stations if one.canal_mm == 0]
    assert 2.0 * len(shut) == pytest.approx(length_mm, abs=4.0)
    assert all(one.cord_mm is None for one in shut)
    assert all(one.mcc_percent == 100 for one in shut)
    # Every place has its station: nothing is left out.
    assert np.allclose(np.diff([one.along_mm for one in stations]), 2.0)


@pytest.mark.parametrize("plane", [0, -1])
def test_what_tissue_leaves_of_the_canal_in_the_last_plane_hides_no_block(plane: int) -> None:
    prediction, spine = drawn()
    shut = blocked(prediction, 70.0, 16.0)
    labels = shut.labels.copy()
    rows = np.flatnonzero(((prediction.labels[plane] == CANAL) & (labels[plane] == 0)).any(axis=1))
    for row in rows:
        # A rim of two pixels, at the back of the outermost plane.
        labels[plane, row, np.flatnonzero(prediction.labels[plane, row] == CANAL)[-2:]] = CANAL
    stations = canal_profile(replace(shut, labels=labels), spine)
    assert len(rows)
    assert np.allclose(np.diff([one.along_mm for one in stations]), 2.0)
    narrow = [one for one in stations if one.canal_mm < CANAL_MM / 3]
    assert 2.0 * len(narrow) == pytest.approx(16.0, abs=4.0)


def test_a_seam_across_the_canal_shuts_nothing() -> None:
    prediction, spine = drawn()
    stations = canal_profile(blocked(prediction, 70.0, 2.4), spine)
    assert stations
    assert all(one.canal_mm > 0 for one in stations)


def test_a_shut_canal_stands_for_no_neighbour() -> None:
    prediction, spine = drawn()
    for named in (spine, Spine("", 0, (), "guess", False)):
        stations = canal_profile(blocked(prediction, 60.0, 70.0), named)
        beyond = [one for one in stations if one.canal_mm > CANAL_MM - PIXEL_MM]
        assert len(beyond) > 20
        assert max(abs(one.mcc_percent) for one in beyond if one.mcc_percent is not None) < 8


def test_below_the_canal_s_end_nothing_is_shut() -> None:
    prediction, spine = drawn()
    rows = prediction.labels.shape[1] * PIXEL_MM
    stations = canal_profile(blocked(prediction, 120.0, rows), spine)
    assert stations
    assert all(one.canal_mm > 0 for one in stations)


def test_a_speck_far_from_the_canal_moves_no_station() -> None:
    prediction, spine = drawn()
    labels = prediction.labels.copy()
    labels[:, :4] = 0
    whole = canal_profile(replace(prediction, labels=labels), spine)
    labels[3, 1:3, 2:4] = CANAL
    found = canal_profile(replace(prediction, labels=labels), spine)
    assert [one.position_mm for one in found] == [one.position_mm for one in whole]
