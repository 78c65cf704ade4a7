"""Trains and exports the sagittal model: ``python -m models.training.sagittal.train [--data FOLDER]``."""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.training.export import Source
from models.training.feed import FeedOptions
from models.training.fit import Job, Plan, fit
from models.training.sagittal.export import export_sagittal
from models.training.sagittal.network import SagittalNet, sagittal_loss
from models.training.sagittal.samples import build

log = logging.getLogger(__name__)

PROGRAM, OPTIONS = "models.training.sagittal.train", "--data FOLDER --cords CORDS"
PLAN = Plan(samples=110_000, minutes=75, batch=16, rate=2e-3, workers=1)
FEED = FeedOptions(chunk=32, pool=1536, reuse=3.0)
SMOKE_PLAN = Plan(samples=24, minutes=1, batch=8, workers=1, meet=1)
SMOKE_FEED = FeedOptions(chunk=8, pool=16, reuse=4)


def loss_of(outputs: Any, target: tuple[Tensor, ...]) -> Tensor:
    """The loss in the form the loop wants."""
    return sagittal_loss(outputs, target)


def start_net(weights: Path | None) -> SagittalNet:
    """A new net, or one that goes on from a checkpoint."""
    net = SagittalNet()
    if weights is not None:
        net.load_state_dict(torch.load(weights))
    return net


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m models.training.sagittal.train", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of public volumes laid out as models/training/README.md says")
    parser.add_argument("--cords", type=Path, help="cord masks made by models.training.sagittal.cords")
    parser.add_argument("--out", type=Path, default=Path("models"), help="where sagittal/ is written")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, help="time limit in place of the plan's")
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--start-samples", type=int, default=0, help="samples that those weights had seen")
    parser.add_argument("--rate", type=float, help="learning rate in place of the plan's")
    parser.add_argument("--smoke", action="store_true", help="a few seconds, to show that the path works")
    parser.add_argument("--checkpoint", type=Path, help="file for weights while training")
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    plan = SMOKE_PLAN if args.smoke else PLAN
    plan = replace(plan, minutes=args.minutes or plan.minutes, rate=args.rate or plan.rate)
    options = SMOKE_FEED if args.smoke else FEED
    job = Job(partial(start_net, args.start), partial(build, args.data, args.cords), loss_of, args.seed, options)
    net, seen = fit(job, plan, args.checkpoint)
    note = f"went on from weights of the same command after {args.start_samples} samples" if args.start else ""
    total = args.start_samples + seen
    export_sagittal(net, args.out / "sagittal", Source(args.seed, total, args.data, note, PROGRAM, OPTIONS))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
