"""Trains, calibrates and exports both models: ``python -m models.training.train [--data FOLDER] [--out models]``."""

from __future__ import annotations

import argparse
import logging
import sys
from functools import partial
from pathlib import Path

import torch

from models.training.export import export_canal, export_compression
from models.training.feed import Feed, FeedOptions
from models.training.fit import Plan, fit
from models.training.losses import compression_loss, heatmap_loss
from models.training.makers import build_canal, build_compression
from models.training.network import CanalNet, CompressionNet

log = logging.getLogger(__name__)

COMPRESSION_PLAN = Plan(samples=220_000, minutes=27)
CANAL_PLAN = Plan(samples=90_000, minutes=9, batch=48)
SMOKE_PLAN = Plan(samples=96, minutes=1, batch=16)
SMOKE_FEED = FeedOptions(chunk=16, pool=64, reuse=4)


def train_compression(folder: Path | None, seed: int, plan: Plan, options: FeedOptions, scratch: Path | None) -> tuple[CompressionNet, int]:
    """Train the compression net; returns it with the number of samples seen."""
    torch.manual_seed(seed)
    net = CompressionNet()
    feed = Feed(partial(build_compression, folder, seed), seed, options)
    try:
        seen = fit(net, feed, plan, compression_loss, scratch)
    finally:
        feed.close()
    return net, seen


def train_canal(folder: Path | None, seed: int, plan: Plan, options: FeedOptions, scratch: Path | None) -> tuple[CanalNet, int]:
    """Train the localiser; returns it with the number of samples seen."""
    torch.manual_seed(seed)
    net = CanalNet()
    feed = Feed(partial(build_canal, folder, seed), seed, options)
    try:
        seen = fit(net, feed, plan, lambda out, target: heatmap_loss(out, target[0]), scratch)
    finally:
        feed.close()
    return net, seen


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
            plan = Plan(plan.samples, args.minutes, plan.batch)
        scratch = args.checkpoints / f"{name}.pt" if args.checkpoints else None
        log.info("training %s: %s", name, plan)
        if name == "canal":
            canal, seen = train_canal(args.data, args.seed, plan, options, scratch)
            export_canal(canal, args.out / name, seed=args.seed, seen=seen, folder=args.data)
        else:
            compression, seen = train_compression(args.data, args.seed, plan, options, scratch)
            export_compression(compression, args.out / name, seed=args.seed, seen=seen, folder=args.data, smoke=args.smoke)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
