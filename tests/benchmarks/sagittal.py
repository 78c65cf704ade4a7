"""Time of the sagittal view beside one ResNet-50 forward pass, in the same run on one thread.

A series of 25 slices of 512x512 at 0.6 mm: outlines of the model in the series' own grid, then names of levels,
measures and findings.

usage: python -m tests.benchmarks.sagittal [MODELS_DIR]
"""

import resource
import sys
from pathlib import Path

import numpy as np

from dashboard.grading import grade_study
from dashboard.inference import analyse_sagittal, load_models
from dashboard.settings import REPOSITORY
from dashboard.study import Acquisition, FrameReference, Role, Series, Study, Volume
from tests.benchmarks.timing import baseline_s, median_s
from tests.spines import Whole, picture_of

SLICES, SIDE, PIXEL_MM, STEP_MM = 25, 512, 0.6, 4.0
TARGET_S = 3.0


def lumbar_series() -> Series:
    """The lower half of the drawn whole spine."""
    affine = np.eye(4)
    affine[:3, :3] = [[STEP_MM, 0, 0], [0, 0, PIXEL_MM], [0, -PIXEL_MM, 0]]
    whole = Whole()
    bottom = whole.centre_mm("L5")
    affine[:3, 3] = [-STEP_MM * SLICES / 2, bottom[1] - PIXEL_MM * SIDE / 2, bottom[2] - 60 + PIXEL_MM * SIDE]
    voxels = picture_of(whole.sample(affine, (SLICES, SIDE, SIDE))[0], PIXEL_MM)
    frames = tuple(FrameReference(f"1.2.{k + 1}") for k in range(SLICES))
    return Series("1.2", 1, Acquisition(modality="MR"), Role.SAGITTAL_T2, (Volume(voxels, affine, frames),))


def main() -> None:
    models = load_models(Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "models", threads=1)
    if models.sagittal is None or models.findings is None:
        raise SystemExit(models.sagittal_failure)
    series, baseline = lumbar_series(), baseline_s()
    outlines = median_s(lambda: analyse_sagittal(series, models), 3)
    seen = {series.series_instance_uid: analyse_sagittal(series, models)}
    study = Study("1.1", (series,))
    fitted = models.findings.models
    found = median_s(lambda: grade_study(study, {}, sagittal=seen, finding_models=fitted), 3)
    total = outlines + found
    verdict = "met" if total <= TARGET_S else "missed"
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for words, seconds in (
        ("ResNet-50, 224x224", baseline),
        (f"outlines of {SLICES} slices {SIDE}x{SIDE}", outlines),
        ("names of levels, measures, findings", found),
        (f"both (at most {TARGET_S:g} s: {verdict})", total),
    ):
        print(f"{words:40}{seconds:8.3f} s{seconds / baseline:8.1f} ResNet-50")
    print(f"{'most memory':40}{memory:8.0f} MiB")


if __name__ == "__main__":
    main()
