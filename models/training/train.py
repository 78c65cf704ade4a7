"""Trains, calibrates and exports both models: ``python -m models.training.train [--data FOLDER] [--out models]``.

With ``--from-readings EXPORT --out FOLDER`` it adapts the compression model to a site instead, with ``--recalibrate``
it only calibrates it anew.
"""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from torch import Tensor

from dashboard.errors import TriageError
from models.training.adapt import Order, adapt
from models.training.export import Source, export_canal, export_compression, recalibrate_compression
from models.training.feed import FeedOptions
from models.training.fit import Job, Plan, fit
from models.training.losses import compression_loss, heatmap_loss
from models.training.makers import build_canal, build_compression
from models.training.network import CanalNet, CompressionNet
from models.training.start import started
from models.training.tune import TunePlan

log = logging.getLogger(__name__)

COMPRESSION_PLAN = Plan(samples=1_000_000, minutes=65)
CANAL_PLAN = Plan(samples=90_000, minutes=9, batch=48)
# Of weights that are trained on from: a third of what a fresh net begins with.
START_RATE = 1e-3
SMOKE_PLAN = Plan(samples=96, minutes=1, batch=16, workers=1, meet=1)
SMOKE_FEED = FeedOptions(chunk=16, pool=64, reuse=4)


def canal_loss(outputs: Tensor, target: tuple[Tensor, ...]) -> Tensor:
    """Loss of the localiser; its one target is the heatmap."""
    return heatmap_loss(outputs, target[0])


def job_of(name: str, folder: Path | None, seed: int, options: FeedOptions, start: Path | None = None) -> Job:
    """What it takes to train one of the two models; ``start`` is a ``model.onnx`` of the compression model."""
    if name == "canal":
        return Job(CanalNet, partial(build_canal, folder, seed), canal_loss, seed, options)
    options = replace(options, mirror=True, reuse=max(options.reuse, 2.4))
    build_net = partial(started, start, seed) if start else CompressionNet
    return Job(build_net, partial(build_compression, folder, seed), compression_loss, seed, options)


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m models.training.train", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of public volumes laid out as models/training/README.md says")
    parser.add_argument("--out", type=Path, help="where canal/ and compression/ are written (default: models)")
    parser.add_argument("--only", choices=("canal", "compression"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, help="time limit of each training, in place of the plan's")
    parser.add_argument("--start", type=Path, help="a model.onnx of the compression model to train on from")
    parser.add_argument(
        "--recalibrate", action="store_true", help="keep the compression model's weights in --out, fit its calibration"
    )
    parser.add_argument("--smoke", action="store_true", help="a few seconds, to show that the path works")
    parser.add_argument("--checkpoints", type=Path, help="folder for weights while training")
    parser.add_argument(
        "--from-readings", type=Path, help="adapt to the confirmed readings in this folder instead; needs --out"
    )
    parser.add_argument("--models", type=Path, default=Path("models"), help="with --from-readings: what to adapt")
    args = parser.parse_args(argv)
    if args.recalibrate and (args.only or args.start or args.minutes or args.checkpoints):
        parser.error("--recalibrate trains nothing: it goes with --data, --out, --seed and --smoke alone")
    if args.from_readings is None:
        args.out = args.out or Path("models")
        if args.data and args.only == "compression" and not (args.out / "canal" / "manifest.toml").exists():
            parser.error(f"calibration looks at whole series: copy models/canal into {args.out} first")
    elif args.out is None:
        parser.error("--from-readings needs --out, the folder for the adapted model")
    elif args.data or args.only or args.smoke or args.checkpoints or args.recalibrate:
        parser.error("--from-readings goes with --out, --models, --seed and --minutes alone")
    return args


def adapt_to_readings(args: argparse.Namespace) -> int:
    """Adapt the compression model to a site; exit status 2 where the readings or the model cannot be used."""
    plan = TunePlan(minutes=args.minutes) if args.minutes else TunePlan()
    today = datetime.now(UTC).date()
    try:
        adapt(Order(args.from_readings, args.models, args.out, args.seed, today, plan))
    except TriageError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    args = arguments(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    if args.from_readings is not None:
        return adapt_to_readings(args)
    if args.recalibrate:
        recalibrate_compression(args.out / "compression", Source(args.seed, 0, args.data), smoke=args.smoke)
        return 0
    options = SMOKE_FEED if args.smoke else FeedOptions()
    for name in ("canal", "compression"):
        if args.only not in (None, name):
            continue
        plan = SMOKE_PLAN if args.smoke else {"canal": CANAL_PLAN, "compression": COMPRESSION_PLAN}[name]
        if args.minutes:
            plan = replace(plan, minutes=args.minutes)
        scratch = args.checkpoints / f"{name}.pt" if args.checkpoints else None
        log.info("training %s: %s", name, plan)
        start = args.start if name == "compression" else None
        if start:
            plan = replace(plan, rate=START_RATE)
        net, seen = fit(job_of(name, args.data, args.seed, options, start), plan, scratch)
        source = Source(args.seed, seen, args.data, start=start.read_bytes() if start else None)
        if isinstance(net, CanalNet):
            export_canal(net, args.out / name, source)
        elif isinstance(net, CompressionNet):
            export_compression(net, args.out / name, source, smoke=args.smoke)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
