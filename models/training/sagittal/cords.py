"""Cord masks for the lumbar volumes, whose published masks know the canal only: what the compression model finds in it.

``python -m models.training.sagittal.cords --data FOLDER --out CORDS`` writes ``CORDS/<id>.npz``, training people only.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy import ndimage

from dashboard.inference import Models, analyse_series, load_models
from dashboard.study import Acquisition, FrameReference, Role, Series, Volume
from models.training.volumes import CANAL_VALUE, load, spider_split

CORD_LABEL = 2
# A cord is one body; what the model calls cord further down are bundles of roots.
LEAST_MM3 = 600.0


def upright_series(image: np.ndarray, spacing: np.ndarray, role: Role) -> Series:
    """A volume with axes (right to left, head to foot, front to back) as a series."""
    affine = np.eye(4)
    affine[:3, :3] = np.array([[spacing[0], 0, 0], [0, 0, spacing[2]], [0, -spacing[1], 0]])
    frames = tuple(FrameReference(f"1.2.{k + 1}") for k in range(len(image)))
    return Series("1.2", 1, Acquisition(modality="MR"), role, (Volume(np.ascontiguousarray(image), affine, frames),))


def find_cord(image: np.ndarray, mask: np.ndarray, spacing: np.ndarray, models: Models) -> np.ndarray:
    """Bool like ``image``: the cord within the canal of the published mask."""
    seen = analyse_series(upright_series(image, spacing, Role.VOLUME_T2), models)
    cord = (seen.native_labels[0] == CORD_LABEL) & (mask == CANAL_VALUE)
    parts, count = ndimage.label(cord)
    if count == 0:
        return cord
    size = np.bincount(parts.ravel(), minlength=count + 1)
    size[0] = 0
    largest = int(np.argmax(size))
    return np.asarray(parts == largest) & (size[largest] * float(np.prod(spacing)) >= LEAST_MM3)


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m models.training.sagittal.cords", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=Path("models"))
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    models = load_models(args.models)
    for person in spider_split(args.data)["training"]:
        image, affine = load(args.data / "spider" / f"{person}_t2.nii.gz")
        mask, _ = load(args.data / "spider" / f"{person}_mask.nii.gz")
        spacing = np.sqrt((affine[:3, :3] ** 2).sum(0))
        np.savez_compressed(args.out / f"{person}.npz", cord=find_cord(image, mask, spacing, models))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
