"""The worst slices of an evaluation as a page, to be looked at one by one.

``python -m models.training.evaluation.failures --data FOLDER --out DIR`` writes ``DIR/index.html``. The pictures are of
people: the page belongs outside the repository, and the model card holds words only.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dashboard.inference import Models, load_models
from dashboard.study import SlicePrediction
from models.training.cases import SeriesCase
from models.training.evaluation.gallery import page
from models.training.evaluation.healthy import test_cases
from models.training.evaluation.implants import Implanted, implant_series
from models.training.evaluation.series import Verdict, judge, predict, thresholds
from models.training.labels import COMPRESSION_PIXEL_MM, GRADES

log = logging.getLogger(__name__)

REPOSITORY = Path(__file__).resolve().parents[3]
C1, TWO = GRADES.index("1c"), GRADES.index("2")


@dataclass(frozen=True, slots=True)
class Shown:
    """One slice to look at.

    ``truth`` masks of sac, cord and tumour by name, each with the (row, column) of its first pixel in the series; they
    have the pixels of :data:`COMPRESSION_PIXEL_MM`.
    """

    person: str
    region: str
    number: int
    rank: int
    implanted: bool
    bone_only: bool
    verdict: Verdict
    prediction: SlicePrediction
    truth: dict[str, np.ndarray]
    corner: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to fail: which slices, the worst first; `among` is what it is counted against."""

    title: str
    fails: Callable[[Shown], bool]
    among: Callable[[Shown], bool]
    worse: Callable[[Shown], float]


KINDS = (
    Kind(
        "true 2 or 3 called 0 to 1b",
        lambda s: s.verdict.graded and s.verdict.rank < C1,
        lambda s: s.rank >= TWO,
        lambda s: -float(s.verdict.at_least[TWO - 1]),
    ),
    Kind(
        "true 1c called 2 or 3",
        lambda s: s.verdict.graded and s.verdict.rank >= TWO,
        lambda s: s.rank == C1,
        lambda s: float(s.verdict.at_least[TWO - 1]),
    ),
    Kind(
        "true 2 called 1c or milder",
        lambda s: s.verdict.graded and s.verdict.rank <= C1,
        lambda s: s.rank == TWO,
        lambda s: -float(s.verdict.at_least[TWO - 1]),
    ),
    Kind(
        "healthy called 1c or worse",
        lambda s: s.verdict.graded and s.verdict.rank >= C1,
        lambda s: not s.implanted,
        lambda s: float(s.verdict.at_least[C1 - 1]),
    ),
    Kind(
        "good slices refused",
        lambda s: not s.verdict.graded,
        lambda s: True,
        lambda s: s.rank - float(s.verdict.scene[0]),
    ),
)


def choose(slices: Sequence[Shown], most: int) -> list[tuple[str, int, int, list[Shown]]]:
    """Title of each kind, how many failed, of how many, and the worst of them."""
    chosen = []
    for kind in KINDS:
        among = [one for one in slices if kind.among(one)]
        failed = sorted((one for one in among if kind.fails(one)), key=kind.worse, reverse=True)
        chosen.append((kind.title, len(failed), len(among), failed[:most]))
    return chosen


def slices_of(models: Models, made: Implanted) -> Iterator[Shown]:
    """Every slice of a series as the dashboard sees it, with the truth beside it."""
    series, cuts = made.series, thresholds(models)
    spacing = (series.spacing_mm, COMPRESSION_PIXEL_MM, COMPRESSION_PIXEL_MM)
    prediction = predict(models, made.images, spacing)
    for one, verdict in zip(prediction.slices, judge(prediction, cuts), strict=True):
        index = one.slice_index
        yield Shown(
            series.person,
            series.region,
            index + 1,
            int(made.truth[index]),
            bool(made.done[index]),
            bool(made.bone[index]),
            verdict,
            one,
            _truth(made, index),
            series.windows[index],
        )


def _truth(made: Implanted, index: int) -> dict[str, np.ndarray]:
    masks = made.masks[index]
    if masks is None:
        return {"sac": made.series.sacs[index], "cord": made.series.cords[index]}
    return {"sac": masks.sac, "cord": masks.cord, "tumour": masks.tumour}


def untouched(series: SeriesCase) -> Implanted:
    """A series as it was taken."""
    count = len(series.images)
    nothing = np.zeros(count, bool)
    return Implanted(series, series.images, np.zeros(count, int), nothing, nothing, [None] * count)


def outside(folder: str) -> Path:
    """A folder named on the command line, made absolute.

    Raises
    ------
    argparse.ArgumentTypeError
        It lies in the repository, where pictures of people must never be.
    """
    found = Path(folder).resolve()
    if found == REPOSITORY or REPOSITORY in found.parents:
        raise argparse.ArgumentTypeError("name a folder outside the repository: the page holds pictures of people")
    return found


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m models.training.evaluation.failures", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of public volumes, models/training/README.md")
    parser.add_argument("--out", type=outside, required=True, help="a folder outside the repository")
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=1, help="implanted copies of each test series")
    parser.add_argument("--most", type=int, default=12, help="slices shown of each kind")
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    rng = np.random.default_rng(args.seed)
    models = load_models(args.models, threads=2)
    slices: list[Shown] = []
    for series in test_cases(args.data):
        log.info("%s", series.person)
        slices += slices_of(models, untouched(series))
        # Healthy slices are the same in every copy: they are looked at once.
        copies = [implant_series(series, rng) for _ in range(args.rounds)]
        slices += [one for made in copies for one in slices_of(models, made) if one.implanted]
    chosen = choose(slices, args.most)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "index.html").write_text(page(chosen), encoding="utf-8")
    for title, failed, among, _ in chosen:
        sys.stdout.write(f"{failed:5d} of {among:<5d} {title}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
