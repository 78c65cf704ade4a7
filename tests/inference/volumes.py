"""Public NIfTI volumes as the series that ingest would make of them."""

from pathlib import Path

import nibabel
import numpy as np

from dashboard.study import Acquisition, FrameReference, Role, Series, Volume

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
# Patient axis of slices, rows and columns.
STORED = {"axial": (2, 1, 0), "sagittal": (0, 2, 1), "coronal": (1, 2, 0)}


def load(path: Path, plane: str) -> tuple[np.ndarray, np.ndarray]:
    """Voxels (slices, rows, columns) stored in a plane, and their affine to LPS."""
    image = nibabel.load(path)
    affine = RAS_TO_LPS @ image.affine
    of_axis = [int(np.abs(affine[:3, k]).argmax()) for k in range(3)]
    order = [of_axis.index(axis) for axis in STORED[plane]]
    voxels = np.asarray(image.dataobj)
    voxels = voxels[..., 0] if voxels.ndim == 4 else voxels
    return np.ascontiguousarray(np.transpose(voxels, order)), affine[:, [*order, 3]]


def as_series(path: Path, plane: str, role: Role) -> Series:
    voxels, affine = load(path, plane)
    frames = tuple(FrameReference(f"1.2.3.{k}") for k in range(len(voxels)))
    return Series("1.2.3", 1, Acquisition(modality="MR"), role, (Volume(voxels, affine, frames),))


def dice(found: np.ndarray, truth: np.ndarray) -> float:
    total = int(found.sum() + truth.sum())
    return 2 * int((found & truth).sum()) / total if total else 1.0
