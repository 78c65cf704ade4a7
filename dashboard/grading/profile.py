"""Neighbours along the canal: what one slice says counts for the study only when others stand by it.

A slice's P(>= k) is supported as far as the slices beside it show at least a milder form of the same thing: tumour
tapers, so a neighbour of a grade 2 need not be a 2, but it will not be a 0::

    supported(>= k) at i = min( P(>= k) at i, support of >= milder(k) at i )

where each is measured from its own cut, in log odds: a P(>= 1a) short of the cut for 1a lends no support, however large
it is (healthy slices have P(>= 1a) near one half). A slice that is named a 2 shows a 1b: the cut for 2 may lie so low
that a slice reaches it and not the one for 1b.
The support is a morphological opening of the profile of P(>= milder(k)) along the canal: the best run of slices that
holds i, of at least two slices and at least ``LEAST_EXTENT_MM`` from first to last, judged by its weakest slice.
Another series that shows the same place may stand in for the neighbours. Where slices lie so far apart that a
compression fits between two of them, one to a disc or a single one among them, a slice stands alone too, but needs
``ALONE_ODDS`` more of it. Everything here is monotone: a worse slice anywhere never makes a study look better.
"""

from collections.abc import Sequence

import numpy as np

from dashboard.study.geometry import Array

# What a neighbour must at least show, by rank 1 to 5 (>= 1a to >= 3): a step milder for 1b and 1c, two for 2 and 3.
MILDER_RANK = {1: 1, 2: 1, 3: 2, 4: 2, 5: 3}
# Thin slices share their noise: two of them 1 mm apart are one observation. Reformats stand 3 mm apart along the canal,
# stacks 2 mm and more: both pass with two slices, the thinnest run that a compression of one vertebra, 2 to 6 slices,
# gives (two 2 mm slices of a built compression were once passed over as one). The rest is left for centres that are
# not quite above each other.
LEAST_EXTENT_MM = 1.8
# Beyond this two slices are no neighbours. Slice steps of 7.5 mm occur in clinical stacks; 12 mm lets such a stack
# support itself with room for tilt, and never reaches over a slice that is missing from it.
REACH_MM = 12.0
# Of slices 4 mm apart and more (0.1 is rounding's), each is the only one to show what is less than 8 mm tall.
FAR_APART_MM = 3.9
# A slice alone so far apart counts from odds 81 times those of its cut on: of cut 0.45, P(>= 1b) of 0.985. Of 7,428
# untouched slices 4 and 6 mm apart of 15 people, also blurred, noisy, shaded and turned, 14 were called 2 or 3 and none
# had a P(>= 1b) above 0.76. Of 30 stacks 6 mm thick with 12 mm of 2 or 3 in them 24 become urgent by it, without it 11.
ALONE_ODDS = 4.4
# Log odds beyond this are certainty (1 - P under 1e-13) and would only make infinities.
MOST_ODDS = 30.0
# Slices of two series show the same place when the canal's centre differs by less than about one slice step.
SAME_PLACE_MM = 5.0


def support(
    at_least: Array,
    centres_mm: Array,
    apart_mm: Array,
    series: Sequence[int],
    originals: Sequence[int],
    frames_of_reference: Sequence[str],
    cuts: Sequence[float],
) -> Array:
    """Supported P(>= k) of every analysed slice of a study.

    Parameters
    ----------
    at_least
        (slices, 5) combined P(>= 1a, 1b, 1c, 2, 3), head to foot within each series.
    centres_mm
        (slices, 3) centre of the canal, LPS mm.
    apart_mm
        (slices) how far the nearest slice of the series lies away, analysed or not; see :func:`nearest_plane_mm`.
    series
        Number of the series each slice belongs to.
    originals
        Number of the series that it shows, which is another one's where it is a copy: a copy bears nothing out.
    frames_of_reference
        Frame of reference UID of each slice; positions compare between series only within one that is not empty.
    cuts
        (5) P(>= k) from which a grade is named.

    Returns
    -------
    array (slices, 5)
        Never above `at_least`, not rising along the second axis when `at_least` is not.
    """
    odds = log_odds(at_least)
    beyond = odds - log_odds(np.asarray(cuts))
    # What is named a 2 shows a 1b too, wherever the cut for 1b lies.
    worse = np.maximum.accumulate(beyond[:, ::-1], axis=1)[:, ::-1]
    beyond = np.maximum(beyond, np.minimum(worse, beyond[:, :1]))
    standing = np.full_like(odds, -np.inf)
    numbers = np.asarray(series)
    for number in sorted(set(series)):
        members = np.flatnonzero(numbers == number)
        standing[members] = opening(beyond[members], centres_mm[members])
        alone = members[apart_mm[members] >= FAR_APART_MM]
        standing[alone] = np.maximum(standing[alone], beyond[alone] - ALONE_ODDS)
    standing = np.maximum(standing, _other_series(beyond, centres_mm, np.asarray(originals), frames_of_reference))
    needed = [MILDER_RANK[rank] - 1 for rank in range(1, at_least.shape[1] + 1)]
    borne_out = 1 / (1 + np.exp(-np.clip(standing[:, needed] + log_odds(np.asarray(cuts)), -MOST_ODDS, MOST_ODDS)))
    supported = np.minimum(at_least, np.where(np.isneginf(standing[:, needed]), 0.0, borne_out))
    return np.asarray(np.minimum.accumulate(supported, axis=1))


def log_odds(probability: Array) -> Array:
    """Log odds, kept finite."""
    inside = np.clip(probability, 1 / (1 + np.exp(MOST_ODDS)), 1 / (1 + np.exp(-MOST_ODDS)))
    return np.asarray(np.log(inside) - np.log1p(-inside))


def opening(values: Array, centres_mm: Array) -> Array:
    """Opening of each column of values (slices, k) by the least run that counts, head to foot; -inf outside runs."""
    opened = np.full_like(values, -np.inf)
    for first, last in least_runs(centres_mm):
        weakest = values[first : last + 1].min(axis=0)
        opened[first : last + 1] = np.maximum(opened[first : last + 1], weakest)
    return opened


def least_runs(centres_mm: Array) -> list[tuple[int, int]]:
    """First and last index of each shortest run of neighbours that is long enough to count."""
    steps = np.linalg.norm(np.diff(centres_mm, axis=0), axis=1)
    runs = []
    for first in range(len(centres_mm)):
        last, extent = first, 0.0
        while last + 1 < len(centres_mm) and steps[last] <= REACH_MM and extent < LEAST_EXTENT_MM:
            last += 1
            extent = float(np.linalg.norm(centres_mm[last] - centres_mm[first]))
        if extent >= LEAST_EXTENT_MM:
            runs.append((first, last))
    return runs


def plane_steps_mm(centres_mm: Array, normals: Array) -> Array:
    """Distance from each picture's plane to the next one's (n - 1), of n centres (n, 3) and unit normals (n, 3).

    A picture centred on something beside the canal is no farther off; of planes that lean, the larger distance counts.
    """
    away = np.diff(centres_mm, axis=0)
    distances = [np.abs(np.sum(away * normal, axis=1)) for normal in (normals[:-1], normals[1:])]
    return np.asarray(np.maximum(*distances))


def nearest_plane_mm(centres_mm: Array, normals: Array) -> Array:
    """Distance of each picture (n) of a series, head to foot, from the nearer of those beside; inf where alone."""
    steps = plane_steps_mm(centres_mm, normals)
    nearest = np.minimum(np.concatenate([[np.inf], steps]), np.concatenate([steps, [np.inf]]))
    return np.asarray(nearest[: len(centres_mm)])


def along_canal_mm(centres_mm: Array) -> Array:
    """Distance of each slice (n) from the first along the line through the centres, mm."""
    if not len(centres_mm):
        return np.zeros(0)
    steps = np.linalg.norm(np.diff(centres_mm, axis=0), axis=1)
    return np.concatenate([[0.0], np.cumsum(steps)])


def _other_series(
    values: Array, centres_mm: Array, series: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]", frames: Sequence[str]
) -> Array:
    """Best of what other series show at the same place, (slices, 5); -inf where none does."""
    names = np.asarray(frames)
    distance = np.linalg.norm(centres_mm[:, None] - centres_mm[None], axis=2)
    same = (distance <= SAME_PLACE_MM) & (series[:, None] != series[None])
    same &= (names[:, None] == names[None]) & (names != "")[:, None]
    return np.asarray(np.where(same[:, :, None], values[None], -np.inf).max(axis=1, initial=-np.inf))
