"""From the pixels of a series to what the models see in it. The only package that runs onnxruntime."""

from dashboard.inference.analysis import analyse_series
from dashboard.inference.registry import ModelInfo, Models, load_models

__all__ = ["ModelInfo", "Models", "analyse_series", "load_models"]
