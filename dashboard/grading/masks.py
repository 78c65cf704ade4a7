"""The shapes that are measured, under the name by which measuring them is known; they are made in the study room."""

from dashboard.study.masks import Mask, SliceMasks, slice_masks

__all__ = ["Mask", "SliceMasks", "slice_masks"]
