"""What a sagittal model outlined, in its own slices and in cuts through them."""

from dataclasses import replace

import numpy as np
import pytest

from dashboard.study import Study
from dashboard.study.sagittal import SAGITTAL_CLASSES, SagittalMasks
from dashboard.viewing.outlines import SAGITTAL_STRUCTURES, sagittal_outlines
from dashboard.viewing.stack import Stack, stacks_of
from dashboard.viewing.views import View, views_of
from tests.screens.site import SAGITTAL_UID, axial_series, document
from tests.screens.spines import NAMES, SLICES, place_of, sagittal_only, seen, spinal_series, suspicion


@pytest.fixture(scope="module")
def stacks() -> tuple[Stack, ...]:
    series = spinal_series()
    masks = {SAGITTAL_UID: (SagittalMasks(0, seen(series).native_labels),)}
    return stacks_of(Study("2.25.1", (axial_series(), series)), {}, document(None) | sagittal_only(), masks)


@pytest.fixture(scope="module")
def views(stacks: tuple[Stack, ...]) -> dict[str, View]:
    return {view.id: view for view in views_of(stacks)}


def test_each_structure_is_outlined_where_its_pixels_are(views: dict[str, View]) -> None:
    found = views["1"].outlines(SLICES // 2)
    assert set(found) == set(SAGITTAL_STRUCTURES)
    sizes = [(np.ptp(loop[:, 1]), np.ptp(loop[:, 2])) for loop in found["disc"]]
    assert len(sizes) == len(NAMES) - 1
    # The phantom's discs are 26 mm deep and 5 mm high; a pixel is 1.2 mm.
    assert np.array(sizes) == pytest.approx(np.array([[26.0, 5.0]] * len(sizes)), abs=1.3)


def test_c2_is_a_vertebra_and_the_lumbosacral_disc_a_disc() -> None:
    labels = np.zeros((8, 8), np.uint8)
    labels[1:3, 1:3] = SAGITTAL_CLASSES.index("c2")
    labels[5:7, 5:7] = SAGITTAL_CLASSES.index("lumbosacral_disc")
    assert set(sagittal_outlines(labels, np.eye(4))) == {"vertebra", "disc"}


def test_cuts_show_what_the_slices_do(views: dict[str, View]) -> None:
    coronal = views["1c"]
    assert coronal.structures == tuple(SAGITTAL_STRUCTURES)
    assert any("disc" in coronal.outlines(index) for index in range(60, 90))


def test_a_series_that_was_not_looked_at_has_none(views: dict[str, View]) -> None:
    assert views["2"].structures == ()
    assert views["2"].outlines(3) == {}


def test_the_series_in_which_levels_were_counted_comes_first_and_opens_at_the_suspicion(
    stacks: tuple[Stack, ...],
) -> None:
    assert stacks[0].series.series_instance_uid == SAGITTAL_UID
    assert stacks[0].worst(document(None) | sagittal_only()) == SLICES // 2


def test_a_study_opens_where_sagittal_images_raise_suspicion_unless_a_graded_slice_is_flagged() -> None:
    study = Study("2.25.1", (axial_series(), spinal_series()))
    quiet, flagged = (document(grade) | {"sagittal": suspicion("T8")} for grade in ("0", "3"))
    axial = stacks_of(study, {}, quiet)[0]
    assert axial.slices[axial.first(quiet)].centre_mm[2] == pytest.approx(place_of("T8")[2], abs=2.0)
    assert axial.first(quiet) != axial.worst(quiet)
    assert axial.first(flagged) == axial.worst(flagged)


@pytest.mark.parametrize("changes", [{"frame_of_reference_uid": "2.25.77"}, {"frame_of_reference_uid": ""}])
def test_a_suspicion_of_another_frame_of_reference_is_not_looked_for(changes: dict[str, str]) -> None:
    result = document("0") | {"sagittal": suspicion("T8")}
    axial, _ = stacks_of(Study("2.25.1", (replace(axial_series(), **changes), spinal_series())), {}, result)
    assert axial.first(result) == axial.worst(result)


def test_a_suspicion_beyond_the_axial_slices_leaves_them_at_their_worst() -> None:
    far = suspicion("T8")
    far["worst"]["position_mm"] = [0.0, 0.0, -300.0]
    result = document("0") | {"sagittal": far}
    axial, _ = stacks_of(Study("2.25.1", (axial_series(), spinal_series())), {}, result)
    assert axial.first(result) == axial.worst(result)
