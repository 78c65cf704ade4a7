"""What a model saw in a slice: the form in which inference hands it to grading."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dashboard.study.geometry import Array
from dashboard.study.model import FrameReference

# Bilsky MH et al. 2010, J Neurosurg Spine 13:324. Ordinal words, never numbers; the order is their rank.
GRADES = ("0", "1a", "1b", "1c", "2", "3")
# Classes of `SlicePrediction.labels`, by value.
LABELS = ("other", "csf", "cord", "tumour", "bone")
# What a slice may be besides gradable; each of the others is a reason not to grade it.
SCENES = ("gradable", "wrong_contrast", "no_cord", "wrong_geometry", "not_spine")


@dataclass(frozen=True, eq=False)
class SlicePrediction:
    """The model's view of one axial slice.

    Attributes
    ----------
    volume_index, slice_index
        Place among the series' volumes, and in head-to-foot order counted from 0 within that volume (native
        slice index for axial stacks, running number for reformats).
    frame
        Source frame, or None for a reformat, which crosses many.
    affine
        (4, 4), (0, row, column, 1) of the crop to LPS mm; column 0 is the unit normal times 1 mm.
    pixel_mm
        Side of a crop pixel.
    image
        (rows, columns) float32, the crop as the model saw it (normalised); rows run front to back, columns
        from the patient's right to the left.
    labels
        (rows, columns) uint8, values index :data:`LABELS`.
    at_least
        (5) calibrated probabilities of grade >= 1a, 1b, 1c, 2, 3; not rising.
    scene
        (5) calibrated probabilities in the order of :data:`SCENES`.
    canal_score
        0 to 1, how sure the localiser is that the crop's centre lies in the spinal canal.
    inside
        Fraction of the crop that lies within the acquired field of view, 0 to 1.
    canal_inside
        The same for the 8 mm around the cord, or around the crop's centre where no cord was segmented: below about
        0.9 the edge of the field cuts the canal itself.
    signal_void
        Whether an area without signal, as metal or a saturation band leaves, lies over or beside the canal.
    """

    volume_index: int
    slice_index: int
    frame: FrameReference | None
    affine: Array
    pixel_mm: float
    image: npt.NDArray[np.float32]
    labels: npt.NDArray[np.uint8]
    at_least: Array
    scene: Array
    canal_score: float
    inside: float
    canal_inside: float = 1.0
    signal_void: bool = False

    @property
    def normal(self) -> Array:
        """Unit normal of the crop's plane, LPS (3)."""
        return self.affine[:3, 0]

    @property
    def centre_mm(self) -> Array:
        """Centre of the crop, LPS mm (3)."""
        rows, columns = self.labels.shape
        return np.asarray((self.affine @ np.array([0.0, (rows - 1) / 2, (columns - 1) / 2, 1.0]))[:3])


@dataclass(frozen=True, eq=False)
class SeriesPrediction:
    """All slices of one series, head to foot, and the same labels in the grid of each of its volumes.

    ``native_labels[i]`` is uint8 (slices, rows, columns) like ``series.volumes[i].voxels``.
    """

    series_instance_uid: str
    slices: tuple[SlicePrediction, ...]
    native_labels: tuple[npt.NDArray[np.uint8], ...]
