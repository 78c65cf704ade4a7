"""Arrays -> what a browser shows: orientation, windows, outlines, plotly figures. Pure functions."""

from dashboard.viewing.outlines import mask_outlines, slice_outlines
from dashboard.viewing.picture import Picture, picture_of, plane_picture, resampled_picture
from dashboard.viewing.windowing import Window, png, window_presets

# The figures are imported from their modules: plotly costs a third of a second, and the list does not need it.

__all__ = [
    "Picture",
    "Window",
    "mask_outlines",
    "picture_of",
    "plane_picture",
    "png",
    "resampled_picture",
    "slice_outlines",
    "window_presets",
]
