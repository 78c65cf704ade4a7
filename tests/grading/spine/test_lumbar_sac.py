"""CSF in the sac at lumbar discs: Schizas A or B where there is some, C or D where there is none; Lee by the front."""

from dataclasses import replace

import numpy as np
import pytest

from dashboard.grading.spine.lumbar_sac import FRONT_LOST_PERCENT, NO_CSF_PERCENT, lumbar_findings, sacs_at_discs
from tests.grading.crops import CSF, ellipse, prediction
from tests.grading.spine.drawn import place

PLACE = place("L4/5")
SAC = ellipse(13.0, 16.0)


def slice_of(csf_share: float, z: float, csf: float = 1.1, **more):
    """A slice whose sac holds CSF in its front part, roots of a third of that brightness behind it."""
    rows = np.flatnonzero(SAC.any(axis=1))
    bright = SAC & (np.arange(len(SAC))[:, None] < rows[0] + csf_share * len(rows))
    image = np.where(bright, csf, np.where(SAC, csf / 3, 0.2)).astype(np.float32)
    return replace(prediction(z_mm=z, labels=np.where(SAC, CSF, 0).astype(np.uint8)), image=image, **more)


def series(*shares: float, level="L4/5", csf: float = 1.1, step: float = 5.0, **more):
    """Slices down a canal, the first of them at `level`."""
    return [
        ("1.2.7", slice_of(share, -step * k, csf, **more), level if k == 0 else "L5") for k, share in enumerate(shares)
    ]


def finding(slices):
    return lumbar_findings(sacs_at_discs(slices), "L4/5", PLACE)[0]


def lee(slices):
    return lumbar_findings(sacs_at_discs(slices), "L4/5", PLACE)[1]


def test_a_sac_without_csf_is_suspected_where_its_neighbours_have_some() -> None:
    one = finding(series(0.0, 0.9, 0.9, 0.9))
    assert (one.status, one.grade, one.unit) == ("suspected", "C or D", "%")
    assert one.value < NO_CSF_PERCENT
    assert (one.series_instance_uid, one.level_series_instance_uid) == ("1.2.7", "1.2.3")


def test_a_sac_with_csf_is_not_flagged_and_says_how_much() -> None:
    one = finding(series(0.6, 0.9, 0.9, 0.9))
    assert (one.status, one.grade) == ("not_flagged", "A or B")
    assert one.value == pytest.approx(60, abs=8)
    assert f"{one.value:.0f} %" in one.text


def test_of_the_slices_at_a_disc_the_emptiest_speaks() -> None:
    slices = series(0.9, 0.9, 0.9, 0.9) + series(0.3, 0.9, 0.9, 0.9)
    assert finding(slices).value == pytest.approx(30, abs=8)


@pytest.mark.parametrize(
    "slices",
    [
        series(0.0, 0.9),
        series(0.0, 0.9, 0.9, 0.9, csf=0.3),
        series(0.0, 0.9, 0.9, 0.9, step=100.0),
        series(0.0, 0.9, 0.9, 0.9, canal_inside=0.5),
        series(0.0, 0.9, 0.9, 0.9, signal_void=True),
        series(0.0, 0.9, 0.9, 0.9, level=None),
        [],
    ],
    ids=["too few", "no bright CSF", "CSF far away", "cut by the field", "signal void", "level unknown", "none"],
)
def test_without_a_sac_beside_csf_it_is_not_analysed(slices) -> None:
    for one in (finding(slices), lee(slices)):
        assert one.status == "not_analysed" and "no axial T2 slice" in one.reason and one.value is None


@pytest.mark.parametrize(("share", "status"), [(0.9, "not_analysed"), (0.0, "suspected")])
def test_a_disc_with_a_slice_in_which_hardly_any_sac_was_outlined_is_not_cleared(share: float, status: str) -> None:
    hidden = [("1.2.7", replace(slice_of(0.9, -2.0), labels=np.zeros(SAC.shape, np.uint8)), "L4/5")]
    found = finding(series(share, 0.9, 0.9, 0.9) + hidden)
    assert found.status == status and ("hardly any sac was outlined" in (found.reason or "")) is (share > 0)


def test_a_series_in_which_nothing_is_bright_does_not_hide_one_that_shows_csf() -> None:
    dark = [("1.2.8", one, level) for _, one, level in series(0.0, 0.9, 0.9, 0.9, csf=0.3)]
    assert finding(series(0.6, 0.9, 0.9, 0.9) + dark).status == "not_flagged"


@pytest.mark.parametrize(("share", "status", "grade"), [(0.6, "not_flagged", "0 or 1"), (0.05, "suspected", "2 or 3")])
def test_lee_goes_by_the_csf_in_front(share: float, status: str, grade: str) -> None:
    one = lee(series(share, 0.9, 0.9, 0.9))
    assert (one.kind, one.status, one.grade) == ("anterior_csf_loss", status, grade)
    assert (one.value < FRONT_LOST_PERCENT) == (status == "suspected")
    assert f"{one.value:.0f} %" in one.text and "Lee" in one.scale and one.source_status == "verified"


def test_csf_behind_the_roots_does_not_count_as_in_front() -> None:
    turned = [
        (uid, replace(one, image=one.image[::-1].copy()) if level == "L4/5" else one, level)
        for uid, one, level in series(0.6, 0.9, 0.9, 0.9)
    ]
    assert lee(turned).grade == "2 or 3"
    assert finding(turned).grade == "A or B"


def test_each_scale_has_the_slice_that_is_worst_for_it() -> None:
    behind = slice_of(0.5, -2.0)
    slices = [*series(0.4, 0.9, 0.9, 0.9), ("1.2.7", replace(behind, image=behind.image[::-1].copy()), "L4/5")]
    assert finding(slices).position_mm[2] == pytest.approx(0.0)
    assert lee(slices).position_mm[2] == pytest.approx(-2.0)


def test_a_sac_too_flat_for_a_front_has_no_lee_grade() -> None:
    flat = ellipse(2.0, 30.0)
    thin = replace(prediction(z_mm=0.0, labels=np.where(flat, CSF, 0).astype(np.uint8)), image=np.ones_like(SAC, float))
    slices = [("1.2.7", thin, "L4/5"), *series(0.9, 0.9, 0.9, 0.9)[1:]]
    assert finding(slices).status == "not_flagged"
    assert lee(slices).status == "not_analysed"
