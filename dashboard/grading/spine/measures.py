"""Everything measured on one sagittal volume, in one pass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard.grading.spine.canal import CanalStation, canal_profile
from dashboard.grading.spine.contrasts import OtherContrast
from dashboard.grading.spine.csf import with_csf_signal
from dashboard.grading.spine.disc_measures import DiscMeasures, measure_discs
from dashboard.grading.spine.endplates import EndplateMeasures, measure_endplates
from dashboard.grading.spine.outlines import WIDE_MM, Outline, misses_canal, nearer, outlines
from dashboard.grading.spine.vertebrae import BodyMeasures, measure_bodies
from dashboard.study.sagittal import SagittalPrediction
from dashboard.study.spine import Spine


@dataclass(frozen=True, eq=False)
class SpineMeasures:
    """Measures by place in ``spine.named``.

    `near` are the outlines they were read from; `lateral` are the places where all planes lie beside the canal, where
    nothing is measured.
    """

    near: tuple[tuple[Outline, ...], ...]
    lateral: frozenset[int]
    stations: tuple[CanalStation, ...]
    discs: Mapping[int, DiscMeasures]
    bodies: Mapping[int, BodyMeasures]
    endplates: Mapping[int, EndplateMeasures]


def measure_spine(prediction: SagittalPrediction, spine: Spine, others: Sequence[OtherContrast] = ()) -> SpineMeasures:
    """Measure discs, bodies, endplates and the canal of one sagittal volume.

    Parameters
    ----------
    prediction, spine
        The model's view and the named segments in its grid; masks may be a pixel off, lengths are read between pixels
        and over several planes.
    others
        STIR and T1 volumes of the same frame of reference.
    """
    lateral = frozenset(k for k, one in enumerate(spine.named) if misses_canal(prediction, one.segment.mask))
    wide = [[] if k in lateral else found for k, found in enumerate(outlines(prediction, spine, WIDE_MM))]
    near = nearer(prediction, wide, spine)
    stations = with_csf_signal(canal_profile(prediction, spine), prediction)
    return SpineMeasures(
        near=tuple(tuple(one) for one in near),
        lateral=lateral,
        stations=stations,
        discs=measure_discs(prediction, spine, near, wide, stations),
        bodies=measure_bodies(prediction, spine, near),
        endplates=measure_endplates(prediction, spine, near, others),
    )
