"""Where a stack of slices has gaps: cut there, or mended where a volume misses single slices; and what was lost."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from dashboard.ingest.stacks import FrameSource, Kind, Stack, frame_affine, slice_depths
from dashboard.study import Plane, plane_of, stack_affine
from dashboard.study.geometry import STEP_TOLERANCE, Array, missing_slices

# Neighbours of one stack may differ from the usual step by this much, or by a tenth of it.
STEP_TOLERANCE_MM = 0.15
# A volume may miss one slice in so many, and a slice across the body is thin up to here.
FRAMES_A_GAP, THIN_MM = 10, 2.0


def at_gaps(kind: Kind, layer: Sequence[FrameSource]) -> tuple[list[Stack], list[str]]:
    """Order frames along their normal and cut where the step breaks, saying so in words."""
    depth = slice_depths(layer)
    order = sorted(range(len(layer)), key=lambda index: depth[index])
    frames, steps = [layer[index] for index in order], np.diff(depth[order])
    usual = _usual_step(steps, frames)
    tolerance = max(STEP_TOLERANCE_MM, STEP_TOLERANCE * usual)
    uneven = [index for index, step in enumerate(steps) if abs(step - usual) > tolerance]
    if uneven and _may_be_bridged(frames, steps[uneven], usual):
        return [_bridged(kind, frames, uneven)], [_bridged_words(uneven)]
    runs, warnings = [[frames[0]]], []
    for index, step in enumerate(steps):
        if index in uneven:
            runs.append([])
            warnings.append(_gap_words(float(step), usual, index + 1))
        runs[-1].append(frames[index + 1])
    if len(warnings) > 2:
        warnings = [f"Slices lie in {len(runs)} blocks, with gaps or another spacing between them."]
    return [_stack(kind, run) for run in runs], warnings


def _may_be_bridged(frames: Sequence[FrameSource], gaps_mm: Array, usual: float) -> bool:
    """Whether frames are a volume that misses single slices and nothing else is wrong.

    A volume in pieces, or half of a spine seen from the side, is read for what it is not. Thick axial slices are read
    one by one, and between them a compression may lie.
    """
    if len(gaps_mm) > max(1, len(frames) // FRAMES_A_GAP) or len(frames) < FRAMES_A_GAP:
        return False
    across = plane_of(frame_affine(frames[0])) in (Plane.AXIAL, Plane.OBLIQUE)
    single = all(missing_slices(float(gap), usual) == 1 for gap in gaps_mm)
    return single and not (across and usual > THIN_MM)


def _bridged(kind: Kind, frames: Sequence[FrameSource], gaps: Sequence[int]) -> Stack:
    """One stack of frames between which single slices are missing."""
    places = [index + sum(gap < index for gap in gaps) for index in range(len(frames))]
    affine = stack_affine([frame_affine(source) for source in frames])
    affine[:3, 0] *= (len(frames) - 1) / places[-1]
    return Stack(kind, tuple(frames), affine, tuple(places))


def _bridged_words(gaps: Sequence[int]) -> str:
    after = " and ".join(str(gap + 1) for gap in gaps)
    if len(gaps) == 1:
        return (
            f"A slice is missing after slice {after}; for the analysis it is made from those beside it, and not shown."
        )
    return f"Slices are missing after slices {after}; for the analysis they are made from those beside, and not shown."


def absent_slices(stacks: Sequence[Stack]) -> int:
    """How many slices are lost between the stacks that one layer was cut into: as many as their numbers skip.

    A gap alone proves nothing, for blocks that were planned apart are numbered on.
    """
    numbers = [[source.instance.instance_number for source in stack.frames] for stack in stacks]
    if any(number is None for own in numbers for number in own):
        return 0
    counted = [np.array(own, dtype=np.float64) for own in numbers]
    steps = np.abs(np.concatenate([np.diff(own) for own in counted]))
    usual = float(np.median(steps)) if len(steps) else 0.0
    step_mm = max(
        (float(np.linalg.norm(stack.affine[:3, 0])) for stack in stacks if len(stack.frames) > 1), default=0.0
    )
    if not usual or not step_mm:
        return 0
    lost = 0
    for (above, own), (below, other) in pairwise(zip(stacks, counted, strict=True)):
        gap_mm = float(np.ptp(slice_depths([above.frames[-1], below.frames[0]])))
        missing, skipped = round(gap_mm / step_mm) - 1, round(abs(other[0] - own[-1]) / usual) - 1
        lost += missing if missing == skipped > 0 else 0
    return lost


def _usual_step(steps: Array, frames: Sequence[FrameSource]) -> float:
    """The step between neighbours, mm: the median; of two slices alone, what the header says if it is shorter."""
    if len(steps) == 0:
        return 0.0
    if len(steps) > 1:
        # The lower of the middle two, so that a step that really occurs is chosen.
        return float(np.sort(steps)[(len(steps) - 1) // 2])
    said = frames[0].instance.acquisition.spacing_between_slices_mm or 0.0
    thickness = frames[0].plane.slice_thickness_mm or 0.0
    said = max(said, thickness)
    return said if 0 < said < steps[0] / (1 + STEP_TOLERANCE) else float(steps[0])


def _gap_words(step: float, usual: float, after: int) -> str:
    missing = missing_slices(step, usual)
    if missing:
        return f"A gap of {step:.1f} mm after slice {after}: {counted(missing, 'slice')} may be missing."
    if step > usual:
        return f"A gap of {step:.1f} mm after slice {after}; the slices on either side are separate stacks."
    return f"A step of only {step:.1f} mm after slice {after}, elsewhere {usual:.1f} mm; treated as separate stacks."


def _stack(kind: Kind, run: Sequence[FrameSource]) -> Stack:
    return Stack(kind, tuple(run), stack_affine([frame_affine(source) for source in run]))


def counted(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"
