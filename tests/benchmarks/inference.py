"""Time from pixels to grades beside one ResNet-50 forward pass, in the same run on the same threads.

A slice whose first crop lay off the cord is looked at twice; of real slices about one in six is.

usage: python -m tests.benchmarks.inference [MODELS_DIR]
"""

import sys
import tempfile
from pathlib import Path
from unittest.mock import patch

import numpy as np

from dashboard.grading import thresholds_from
from dashboard.grading.series import GradedSeries, grade_series
from dashboard.inference import Models, analyse_series, analysis, load_models
from dashboard.settings import REPOSITORY
from dashboard.study import Series
from tests.benchmarks.timing import paired_s
from tests.inference.phantoms import axial_affine, paint, series, straight, wrap

SLICES = 200
TARGET_RATIO = 1 / 5


def noisy_series(folder: Path, slices: int) -> Series:
    """Slices of 512x512 at 0.39 mm, read from a memory map as in use."""
    shape = (slices, 512, 512)
    affine = axial_affine((3.0, 0.39, 0.39), shape=shape)
    one = paint(axial_affine((3.0, 0.39, 0.39), shape=(1, 512, 512)), (1, 512, 512), straight(6, 10))
    noise = np.random.default_rng(2).integers(0, 200, shape, dtype=np.uint16)
    path = folder / f"{slices}.npy"
    np.save(path, noise + one)
    return series(wrap(np.load(path, mmap_mode="r"), affine))


def grades_of(many: Series, models: Models) -> GradedSeries:
    """Outlines, measures and grades, as in use."""
    return grade_series(analyse_series(many, models), thresholds_from(models.compression.manifest.thresholds))


def main() -> None:
    models_dir = Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "models"
    with tempfile.TemporaryDirectory() as folder:
        many = noisy_series(Path(folder), SLICES)
        for threads in (1, 2):
            models = load_models(models_dir, threads)
            for looks, recentre_mm in (("once", np.inf), ("twice", -1.0)):
                with patch.object(analysis, "RECENTRE_MM", recentre_mm):
                    total, resnet, ratio = paired_s(lambda models=models: grades_of(many, models))
                print(f"{SLICES} slices 512x512, {threads} thread(s), looked at {looks:6}{total:8.2f} s")
                if threads == 1:
                    verdict = "met" if ratio / SLICES <= TARGET_RATIO else "missed"
                    print(f"  a slice, pixels to grade            {total / SLICES * 1e3:8.1f} ms")
                    print(f"  ResNet-50, 224x224, meanwhile       {resnet * 1e3:8.1f} ms")
                    print(f"  ratio, pair by pair (at most 0.20)  {ratio / SLICES:8.3f} {verdict}")


if __name__ == "__main__":
    main()
