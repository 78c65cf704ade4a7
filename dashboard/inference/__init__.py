"""From the pixels of a series to what the models see in it. The only package that runs onnxruntime."""

from dashboard.inference.analysis import analyse_series
from dashboard.inference.registry import ModelInfo, Models, load_models
from dashboard.inference.sagittal import analyse_sagittal, shows_sagittal
from dashboard.inference.sessions import DEFAULT_THREADS

__all__ = [
    "DEFAULT_THREADS",
    "ModelInfo",
    "Models",
    "analyse_sagittal",
    "analyse_series",
    "load_models",
    "shows_sagittal",
]
