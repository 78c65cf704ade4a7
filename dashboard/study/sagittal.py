"""What the sagittal model saw in a series: the form in which inference hands it to grading."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dashboard.study.geometry import Array

# Classes of `SagittalPrediction.labels`, by value. A vertebra is the whole bone, its arch and processes included; the
# second cervical one and the disc under the last free vertebra have classes of their own: levels are counted from them.
# "canal" is what the canal holds besides the cord. The sacrum is "other".
SAGITTAL_CLASSES = ("other", "vertebra", "disc", "canal", "cord", "lumbosacral_disc", "c2")


@dataclass(frozen=True, eq=False)
class SagittalPrediction:
    """The sagittal model's view of one volume, in sagittal planes that stand upright.

    Attributes
    ----------
    series_instance_uid, volume_index
        Whose planes these are.
    affine
        (4, 4), (plane, row, column, 1) to LPS mm; planes run from the patient's right to the left, rows from head to
        foot, columns from front to back.
    pixel_mm
        Side of a pixel within a plane; planes are as far apart as they were acquired.
    image
        (planes, rows, columns) float32, as the model saw it (normalised by series, 0 to 1.5).
    inside
        (planes, rows, columns) bool, where the field of view reaches.
    labels
        (planes, rows, columns) uint8, values index :data:`SAGITTAL_CLASSES`.
    certainty
        (planes, rows, columns) uint8, 255 times the probability of the label given there.
    native_labels
        (slices, rows, columns) uint8, the same labels in the grid of the series' own volume.
    """

    series_instance_uid: str
    volume_index: int
    affine: Array
    pixel_mm: float
    image: npt.NDArray[np.float32]
    inside: npt.NDArray[np.bool_]
    labels: npt.NDArray[np.uint8]
    certainty: npt.NDArray[np.uint8]
    native_labels: npt.NDArray[np.uint8]

    @property
    def plane_spacing_mm(self) -> float:
        """Distance between neighbouring planes."""
        return float(np.linalg.norm(self.affine[:3, 0]))


@dataclass(frozen=True, eq=False)
class SagittalMasks:
    """What is kept of a :class:`SagittalPrediction`: the labels in the grid of one volume of the series.

    ``labels`` is uint8 (slices, rows, columns), values index :data:`SAGITTAL_CLASSES`.
    """

    volume_index: int
    labels: npt.NDArray[np.uint8]
