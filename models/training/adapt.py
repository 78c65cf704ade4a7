"""Adapts the compression model to a site's confirmed readings: ``train --from-readings EXPORT --out FOLDER``.

Three candidates: the model as it is, recalibrated, fine-tuned. Each is kept only if it is no worse than the one before
on people held out, and fine-tuning only if drawn slices show that it forgot nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from dashboard.errors import InputRefused
from models.training.calibration import (
    STEPS,
    Calibration,
    Outputs,
    drawn_outputs,
    platt,
    slice_weights,
    temperature_of,
)
from models.training.evaluation.held_out import (
    KAPPA,
    LOSS,
    RECOGNISED,
    changes,
    figures,
    judge,
    not_worse,
    outputs_of,
    value,
)
from models.training.export import compression_onnx
from models.training.readings import Reading, enough_to_tune, graded, people, read_readings, split
from models.training.site_model import Base, read_base, site_manifest, site_version, write_folder
from models.training.statistics import Table
from models.training.tune import TunePlan, fine_tune
from models.training.weights import load_compression

log = logging.getLogger(__name__)

# Drawn slices of every scene and grade: a site confirms few ungradable ones, and perhaps none of the worst grades.
DRAWN = 400
# A new calibration moves slices that lie at a cut, one or two where there are few; the loss says whether it is better.
_CUT_SLACK = 0.05
# What fine-tuning may cost on drawn slices: about twice the uncertainty of the difference on that many.
_DRAWN_SLACK = {KAPPA: 0.03, RECOGNISED: 0.06}
NOTE = (
    "Confirmed readings of one site, one slice at a time. Readers may have seen the model's suggestion before they "
    "confirmed. What was kept was chosen with the held-out people in sight, so 'after' flatters a little."
)


@dataclass(frozen=True, slots=True)
class Order:
    """What to adapt to what; ``today`` goes into the version."""

    export: Path
    models: Path
    out: Path
    seed: int
    today: date
    plan: TunePlan = field(default_factory=TunePlan)
    drawn: int = DRAWN


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to read slices; ``held`` and ``drawn`` are what it says about held-out readings and drawn slices."""

    name: str
    content: bytes
    calibration: Calibration
    held: Table
    drawn: Table
    fitted_on: str


def adapt(order: Order) -> Candidate:
    """Read the export, choose, write ``out/compression``; returns what was kept.

    Raises
    ------
    TriageError
        The export or the model cannot be used, or ``out`` holds a model already.
    """
    if (order.out / "compression" / "model.onnx").exists():
        raise InputRefused("--out holds a compression model already; name another folder, so that both stay.")
    base = read_base(order.models / "compression")
    readings = read_readings(order.export, base.version, base.sha256)
    fit, held = split(readings, order.seed)
    log.info("readings to learn from: %s; held out: %s", _words(fit), _words(held))
    drawn = drawn_outputs(base.content, None, order.seed, order.drawn)
    fitted_on = base.document["calibration"].get("fitted_on", "")
    shipped = _judged("unchanged", base.content, base.calibration, held, drawn, fitted_on)
    candidates = [shipped, _calibrated("recalibrated", base.content, base.calibration, fit, held, drawn)]
    if enough_to_tune(readings):
        candidates.append(_tuned(base, fit, held, order))
    kept = choose(candidates)
    for one in candidates:
        log.info("%-12s %s", one.name, _summary(one))
    log.info("kept: %s", kept.name)
    _write(order, base, candidates, kept, fit, held)
    return kept


def recalibrate(own: Outputs, drawn: Outputs, base: Calibration, persons: int) -> Calibration:
    """Move the base's calibration towards a site's readings; the operating points stay, their meaning with them.

    ``drawn`` takes part in the scenes alone. Slices of one person are much alike, so that the pull back to the base
    falls with the number of ``persons``.
    """
    known = own.ranks >= 0
    logits = own.ordinal[known] * np.array(base.scale) + np.array(base.offset)
    ranks = own.ranks[known]
    weight = slice_weights(ranks, np.ones(len(ranks), bool))
    pairs = [platt(logits[:, k], ranks > k, weight, ridge=0.5 / persons) for k in range(STEPS)]
    scenes = Outputs.join([own, drawn])
    return Calibration(
        scale=[round(a * s, 4) for (a, _), s in zip(pairs, base.scale, strict=True)],
        offset=[round(a * o + b, 4) for (a, b), o in zip(pairs, base.offset, strict=True)],
        scene_temperature=round(
            temperature_of(scenes.scene.astype(np.float64), scenes.scenes, np.ones(len(scenes.scenes))), 4
        ),
        gradable_min=base.gradable_min,
        grade_cut=base.grade_cut,
        narrowing_weight=base.narrowing_weight,
        change_weight=base.change_weight,
    )


def choose(candidates: Sequence[Candidate]) -> Candidate:
    """The last of unchanged, recalibrated and fine-tuned that is no worse than the one kept before it."""
    kept = candidates[0]
    for one in candidates[1:]:
        tuned = one.content != kept.content
        if tuned and _forgot(one.drawn, kept.drawn):
            continue
        if not_worse(one.held, kept.held, kappa_slack=0.0 if tuned else _CUT_SLACK):
            kept = one
    return kept


def _forgot(new: Table, old: Table) -> bool:
    return any(value(old, name) - value(new, name) > slack for name, slack in _DRAWN_SLACK.items())


def _tuned(base: Base, fit: Sequence[Reading], held: Sequence[Reading], order: Order) -> Candidate:
    """Learn from two thirds of the people at hand and calibrate on the rest, whom the weights have not seen."""
    learn, apart = split(fit, order.seed + 1)
    net = load_compression(base.content)
    fine_tune(net, learn, order.seed, order.plan)
    content = compression_onnx(net, site_version(base.version, order.today))
    drawn = drawn_outputs(content, None, order.seed, order.drawn)
    return _calibrated("fine-tuned", content, base.calibration, apart, held, drawn)


def _calibrated(
    name: str, content: bytes, base: Calibration, own: Sequence[Reading], held: Sequence[Reading], drawn: Outputs
) -> Candidate:
    calibration = recalibrate(outputs_of(content, own)[0], drawn, base, people(graded(own)))
    fitted_on = f"confirmed readings of one site ({_words(own)}); scenes also on {len(drawn.ranks)} synthetic slices"
    return _judged(name, content, calibration, held, drawn, fitted_on)


def _judged(
    name: str, content: bytes, calibration: Calibration, held: Sequence[Reading], drawn: Outputs, fitted_on: str
) -> Candidate:
    found, overlaps = outputs_of(content, held)
    held_table = judge(found, calibration) | overlaps
    return Candidate(name, content, calibration, held_table, judge(drawn, calibration), fitted_on)


def _words(readings: Sequence[Reading]) -> str:
    return f"{len(readings)} readings, {len(graded(readings))} graded, {people(readings)} people"


def _summary(one: Candidate) -> dict[str, float | None]:
    """The figures that decide; None where the readings do not allow one."""
    found = {name: value(one.held, name) for name in (KAPPA, LOSS)}
    found |= {f"{name}_drawn": value(one.drawn, name) for name in _DRAWN_SLACK}
    return {name: round(number, 4) if np.isfinite(number) else None for name, number in found.items()}


def _write(
    order: Order,
    base: Base,
    candidates: Sequence[Candidate],
    kept: Candidate,
    fit: Sequence[Reading],
    held: Sequence[Reading],
) -> None:
    command = f"python -m models.training.train --from-readings EXPORT --out FOLDER --seed {order.seed}"
    provenance = {
        "command": command,
        "seed": order.seed,
        "samples": len(fit),
        "data": f"confirmed readings of one site: {_words(fit)}; held out: {_words(held)}",
        "date": order.today,
        "kept": kept.name,
        "adapted_from": base.sha256,
        "adapted_from_version": base.version,
    }
    manifest = site_manifest(base, kept.content, kept.calibration, kept.fitted_on, provenance)
    rng, person = np.random.default_rng(order.seed), np.array([reading.person for reading in held])
    before = candidates[0].held
    metrics = figures(before, person, "before", rng) + figures(kept.held, person, "after", rng)
    evaluation: dict[str, Any] = {
        "model": {"name": "compression", "version": manifest["version"], "sha256": manifest["sha256"]},
        "adapted_from": {"name": "compression", "version": base.version, "sha256": base.sha256},
        "date": order.today.isoformat(),
        "command": command,
        "note": NOTE,
        "intervals": "95 %, bootstrap by person; null under 3 people",
        "splits": "test: people held out, seen by neither training nor calibration",
        "kept": kept.name,
        "candidates": [{"name": one.name, **_summary(one)} for one in candidates],
        "readings": {"fit": _words(fit), "held_out": _words(held)},
        "metrics": metrics + changes(before, kept.held, person, rng),
    }
    write_folder(order.out / "compression", kept.content, manifest, evaluation)
