"""Signal of the CSF along the canal: tissue that fills a canal takes the CSF's place, whatever its outline says.

The model is taught that tumour in the canal is canal no longer, and the width that is left tells most of it. Where it
takes the tissue for canal all the same, diameters tell nothing. On T2 the CSF does: beside a cord or roots that have
room some of it is as bright as above and below.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dashboard.grading.spine.canal import EXTENT_MM, GAP_MM, LEAST_BESIDE, STEADY, CanalStation
from dashboard.grading.spine.outlines import CANAL, CORD, planes_near
from dashboard.study.geometry import Array
from dashboard.study.sagittal import SagittalPrediction

# What lies about a station: half a canal to either side of its middle, the canal's depth, and the rows next to it.
REACH_MM, ASIDE_MM, ROWS_MM = 6.0, 12.0, 2.0
# The brighter third of what the canal holds is CSF where cord and roots have room. Fewer pixels have no third.
BRIGHT, LEAST_PIXELS = 0.7, 10
# Compared over half as much again as diameters are: CSF is dark here and there where it flows.
FAR_MM = GAP_MM + 1.5 * EXTENT_MM
# In 13 of 16 people for training and calibration the CSF was nowhere darker than 0.66 of that above and below; in three
# it was at a disc that narrows the canal (0.39 to 0.45). Tissue of intermediate signal built into the canals of seven
# left 0.27 to 0.43 where it filled the canal (12 of 13 places) and 0.46 to 0.59 where it filled three quarters of its
# depth (11 of 13); where half was left open mostly more.
CSF_EFFACED = 0.6


def with_csf_signal(stations: Sequence[CanalStation], prediction: SagittalPrediction) -> tuple[CanalStation, ...]:
    """The stations, each with how bright the CSF about it is against that 10 to 40 mm above and below.

    A surface coil's field falls off towards the ends of a picture: where either side was not seen, nothing is told.
    """
    bright = np.array([_brightest(one, prediction) for one in stations])
    along = np.array([one.along_mm for one in stations])
    ratios = [_against_neighbours(bright, along, place) for place in range(len(stations))]
    # As diameters are: less than 6 mm of the canal is a speck.
    steady = [_median(ratios[max(0, place - STEADY // 2) : place + STEADY // 2 + 1]) for place in range(len(ratios))]
    return tuple(replace(one, csf_signal=ratio) for one, ratio in zip(stations, steady, strict=True))


def csf_effaced(station: CanalStation) -> bool:
    """Whether something is in the place of the CSF; where nothing is told of it, no."""
    return station.csf_signal is not None and station.csf_signal < CSF_EFFACED


def _brightest(station: CanalStation, prediction: SagittalPrediction) -> float:
    """Signal of the CSF about a station; NaN where too little of the canal was outlined."""
    plane, row, column = (np.linalg.inv(prediction.affine) @ np.append(station.position_mm, 1.0))[:3]
    rows, columns = (
        slice(max(0, round(middle - reach / prediction.pixel_mm)), round(middle + reach / prediction.pixel_mm) + 1)
        for middle, reach in ((row, ROWS_MM), (column, ASIDE_MM))
    )
    values = []
    for layer in planes_near(prediction, plane, REACH_MM):
        labels = prediction.labels[layer, rows, columns]
        values.append(prediction.image[layer, rows, columns][(labels == CANAL) | (labels == CORD)])
    found = np.concatenate(values)
    return float(np.quantile(found, BRIGHT)) if len(found) >= LEAST_PIXELS else np.nan


def _against_neighbours(bright: Array, along: Array, place: int) -> float:
    distance = along - along[place]
    sides = []
    for side in (-1, 1):
        known = (side * distance >= GAP_MM) & (side * distance <= FAR_MM) & np.isfinite(bright)
        if known.sum() < LEAST_BESIDE:
            return np.nan
        sides.append(float(np.median(bright[known])))
    beside = float(np.mean(sides))
    return float(bright[place]) / beside if beside > 0 else np.nan


def _median(ratios: Sequence[float]) -> float | None:
    known = [one for one in ratios if np.isfinite(one)]
    return float(np.median(known)) if known else None
