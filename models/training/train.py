"""Trains, calibrates and exports both models: ``python -m models.training.train [--data FOLDER] [--out models]``."""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

from torch import Tensor

from models.training.export import Source, export_canal, export_compression
from models.training.feed import FeedOptions
from models.training.fit import Job, Plan, fit
from models.training.losses import compression_loss, heatmap_loss
from models.training.makers import build_canal, build_compression
from models.training.network import CanalNet, CompressionNet

log = logging.getLogger(__name__)

COMPRESSION_PLAN = Plan(samples=330_000, minutes=40)
CANAL_PLAN = Plan(samples=90_000, minutes=9, batch=48)
SMOKE_PLAN = Plan(samples=96, minutes=1, batch=16, workers=1, meet=1)
SMOKE_FEED = FeedOptions(chunk=16, pool=64, reuse=4)


def canal_loss(outputs: Tensor, target: tuple[Tensor, ...]) -> Tensor:
    """Loss of the localiser; its one target is the heatmap."""
    return heatmap_loss(outputs, target[0])


def job_of(name: str, folder: Path | None, seed: int, options: FeedOptions) -> Job:
    """What it takes to train one of the two models."""
    if name == "canal":
        return Job(CanalNet, partial(build_canal, folder, seed), canal_loss, seed, options)
    return Job(CompressionNet, partial(build_compression, folder, seed), compression_loss, seed, options)


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m models.training.train", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of public volumes laid out as models/training/README.md says")
    parser.add_argument("--out", type=Path, default=Path("models"), help="where canal/ and compression/ are written")
    parser.add_argument("--only", choices=("canal", "compression"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, help="time limit of each training, in place of the plan's")
    parser.add_argument("--smoke", action="store_true", help="a few seconds, to show that the path works")
    parser.add_argument("--checkpoints", type=Path, help="folder for weights while training")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    args = arguments(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    options = SMOKE_FEED if args.smoke else FeedOptions()
    for name in ("canal", "compression"):
        if args.only not in (None, name):
            continue
        plan = SMOKE_PLAN if args.smoke else {"canal": CANAL_PLAN, "compression": COMPRESSION_PLAN}[name]
        if args.minutes:
            plan = replace(plan, minutes=args.minutes)
        scratch = args.checkpoints / f"{name}.pt" if args.checkpoints else None
        log.info("training %s: %s", name, plan)
        net, seen = fit(job_of(name, args.data, args.seed, options), plan, scratch)
        source = Source(args.seed, seen, args.data)
        if isinstance(net, CanalNet):
            export_canal(net, args.out / name, source)
        elif isinstance(net, CompressionNet):
            export_compression(net, args.out / name, source, smoke=args.smoke)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
