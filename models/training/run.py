"""Running an exported file without the dashboard around it."""

from __future__ import annotations

import os

import numpy as np


def run_onnx(content: bytes, images: np.ndarray, batch: int = 16) -> list[np.ndarray]:
    """All outputs of a model for (N, 1, 96, 96) float32 images."""
    # The wheel reports to its maker unless told otherwise before it is imported; nothing is sent from here.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    parts = [session.run(None, {"slices": images[i : i + batch]}) for i in range(0, len(images), batch)]
    return [np.concatenate(column) for column in zip(*parts, strict=True)]
