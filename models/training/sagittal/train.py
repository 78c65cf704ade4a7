"""Trains and exports the sagittal model: ``python -m models.training.sagittal.train [--data FOLDER]``."""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.training.export import Source
from models.training.feed import FeedOptions
from models.training.fit import Job, Plan, fit
from models.training.sagittal.export import average, sagittal_onnx, write_sagittal
from models.training.sagittal.network import CHANNELS, SagittalNet, sagittal_loss
from models.training.sagittal.samples import build, drawn_sample
from models.training.start import revive
from models.training.weights import load_weights

log = logging.getLogger(__name__)

PROGRAM, OPTIONS = "models.training.sagittal.train", "--data FOLDER --cords CORDS"
PLAN = Plan(samples=110_000, minutes=75, batch=16, rate=2e-3, workers=1)
FEED = FeedOptions(chunk=32, pool=1536, reuse=3.0)
SMOKE_PLAN = Plan(samples=24, minutes=1, batch=8, workers=1, meet=1)
# Patches by which the norms of a net that goes on are made anew.
START_PATCHES = 48
SMOKE_FEED = FeedOptions(chunk=8, pool=16, reuse=4)


def loss_of(outputs: Any, target: tuple[Tensor, ...]) -> Tensor:
    """The loss in the form the loop wants."""
    return sagittal_loss(outputs, target)


def start_net(file: Path | None, seed: int) -> SagittalNet:
    """A new net, or one that goes on from a ``model.onnx`` of this network, with norms that learn again."""
    net = SagittalNet()
    if file is not None:
        load_weights(net, file.read_bytes(), shape=(1, CHANNELS, 64, 64))
        rng = np.random.default_rng(seed + 80_000)
        images = np.stack([drawn_sample(rng)[0] for _ in range(START_PATCHES)])
        revive(net, torch.from_numpy(images).float())
    return net


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m models.training.sagittal.train", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of public volumes laid out as models/training/README.md says")
    parser.add_argument("--cords", type=Path, help="cord masks made by models.training.sagittal.cords")
    parser.add_argument("--out", type=Path, default=Path("models"), help="where sagittal/ is written")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, help="time limit in place of the plan's")
    parser.add_argument("--start", type=Path, help="a model.onnx of the sagittal model to train on from")
    parser.add_argument(
        "--keep", type=float, default=0.0, metavar="SHARE", help="mix so much of the weights before into those after"
    )
    parser.add_argument("--workers", type=int, help="processes that train and average, in place of the plan's")
    parser.add_argument("--rate", type=float, help="learning rate in place of the plan's")
    parser.add_argument("--smoke", action="store_true", help="a few seconds, to show that the path works")
    parser.add_argument("--checkpoint", type=Path, help="file for weights while training")
    args = parser.parse_args(argv)
    if args.keep and args.start is None:
        parser.error("--keep goes with --start")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    plan = SMOKE_PLAN if args.smoke else PLAN
    plan = replace(
        plan,
        minutes=args.minutes or plan.minutes,
        rate=args.rate or plan.rate,
        workers=args.workers or plan.workers,
    )
    options = SMOKE_FEED if args.smoke else FEED
    job = Job(
        partial(start_net, args.start, args.seed), partial(build, args.data, args.cords), loss_of, args.seed, options
    )
    net, seen = fit(job, plan, args.checkpoint)
    start = args.start.read_bytes() if args.start else None
    how = "--start FILE" + (f" --keep {args.keep}" if args.keep else "")
    source = Source(args.seed, seen, args.data, "", PROGRAM, OPTIONS, start, how)
    content = sagittal_onnx(net)
    content = average(start, content, args.keep) if start and args.keep else content
    write_sagittal(content, args.out / "sagittal", source)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
