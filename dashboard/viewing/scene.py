"""Everything the slice viewer knows of a study but its pixels: where each plane lies, and what is said of it.

Positions are LPS mm. Texts are those of the de-identified headers; UIDs stay here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.study import Acquisition, Plane, Series, level_is_certain, voxel_spacing
from dashboard.study.geometry import Array
from dashboard.viewing.level_names import level_names, plane_doubt
from dashboard.viewing.picture import Picture
from dashboard.viewing.views import View, ViewKind
from dashboard.viewing.windowing import Window

# Digits of positions and directions as they travel: a thousandth of a mm, and less than that over a metre.
DIGITS, DIRECTION_DIGITS = 3, 7
KIND_WORDS = {
    ViewKind.STORED: "",
    ViewKind.REFORMAT: " reformat",
    ViewKind.THICK: " reformat, thick slices",
}


def scene(
    views: Sequence[View],
    windows: Sequence[Mapping[str, Window]],
    names: Sequence[str],
    document: Mapping[str, Any],
    study_date: str,
) -> dict[str, Any]:
    """The scene as JSON-ready values.

    Parameters
    ----------
    windows, names
        Named windows of each view and what its series is called, in the order of `views`; names are fit to be shown.
    document
        The result document.
    study_date
        As it is shown, or "".

    Returns
    -------
    dict
        ``date``; ``start``, the view and plane to open with; ``views``, each with ``id``, ``name``, ``plane``,
        ``kind``, ``series`` (views of one number share windows), ``space`` (views of one number share
        coordinates), ``code`` and ``windows`` of its values, ``lines`` of annotation, ``graded``, ``outlined``, the
        ``structures`` outlined, ``worst``, and ``planes``: ``grid`` (index into ``grids``), ``origin`` of the first
        pixel's centre, ``centre`` of the canal or the plane, ``grade``, ``level`` if it is sure, its ``name`` and the
        ``doubt`` of it in words; ``spines``, the names beside vertebrae and discs
        (:func:`dashboard.viewing.level_names.level_names`).
    """
    spaces = _spaces(views)
    shown = [_view(*one, document) for one in zip(views, windows, names, spaces, strict=True)]
    places = {
        view.stack.series.series_instance_uid: (one["series"], one["space"])
        for view, one in zip(views, shown, strict=True)
    }
    return {
        "date": study_date,
        "views": shown,
        "start": _start(views, document),
        "spines": level_names(document, places),
    }


def outlines(view: View) -> list[dict[str, list[list[list[float]]]]]:
    """Lines of each plane of a view by structure: points (right, down) in mm on the plane's own axes."""
    return [_projected(view, index) for index in range(len(view))]


def acquisition_lines(acquisition: Acquisition, plane_step_mm: float, cut: bool = False) -> list[str]:
    """How a series was made, as viewers print it in a corner; what the headers leave out is left out.

    The thickness is that of the slices that were acquired: of planes `cut` through them it is said to be that.
    """
    times = [
        f"{name} {value:g}"
        for name, value in (
            ("TR", acquisition.repetition_time_ms),
            ("TE", acquisition.echo_time_ms),
            ("TI", acquisition.inversion_time_ms),
        )
        if value is not None
    ]
    machine = [f"{acquisition.magnetic_field_strength_t:g} T"] if acquisition.magnetic_field_strength_t else []
    machine += [f"b {acquisition.diffusion_b_value:g} s/mm²"] if acquisition.diffusion_b_value is not None else []
    machine += ["contrast given"] if acquisition.contrast_bolus_agent else []
    thick = acquisition.slice_thickness_mm
    apart = f"{plane_step_mm:.1f} mm apart"
    slices = [f"{thick:g} mm thick · {apart}" if thick else apart]
    if cut:
        slices = [f"from slices of {thick:g} mm" if thick else "", f"cuts {apart}"]
    return [line for line in (f"{' · '.join(times)} ms" if times else "", " · ".join(machine), *slices) if line]


def _projected(view: View, index: int) -> dict[str, list[list[list[float]]]]:
    lines = view.outlines(index)
    if not lines:
        return {}
    picture = view.outline(index)
    return {name: [picture.project(loop).round(2).tolist() for loop in loops] for name, loops in lines.items()}


def _view(
    view: View, windows: Mapping[str, Window], name: str, space: int, document: Mapping[str, Any]
) -> dict[str, Any]:
    grids: list[dict[str, Any]] = []
    planes = []
    for index in range(len(view)):
        picture = view.outline(index)
        grid = _grid(picture)
        if grid not in grids:
            grids.append(grid)
        planes.append(_plane(view, index, picture, grids.index(grid), document))
    return {
        "id": view.id,
        "name": f"{name} · {view.plane.value}{KIND_WORDS[view.kind]}",
        "plane": view.plane.value,
        "kind": view.kind.value,
        "series": int(view.id.rstrip("nrc")),
        "space": space,
        "code": view.code,
        "windows": [[name, window.low, window.high] for name, window in windows.items()],
        "lines": acquisition_lines(view.stack.series.acquisition, _step_mm(view), cut=view.kind is not ViewKind.STORED),
        "graded": view.graded,
        "outlined": view.outlined,
        "structures": view.structures,
        "worst": view.stack.worst(document) if view.graded else None,
        "grids": grids,
        "planes": planes,
    }


def _plane(view: View, index: int, picture: Picture, grid: int, document: Mapping[str, Any]) -> dict[str, Any]:
    origin = (
        picture.right * picture.across_mm[0] + picture.down * picture.down_mm[0] + _normal(picture) * picture.depth_mm
    )
    found = view.slice(index)
    result = (found.result if found else None) or {}
    plane: dict[str, Any] = {"grid": grid, "origin": _rounded(origin, DIGITS)}
    if found is not None and found.result is not None:
        plane |= {
            "centre": _rounded(found.centre_mm, DIGITS),
            # Other studies are followed by level only where it is sure; its name is shown either way.
            "level": result.get("level") if level_is_certain(document, result) else None,
            "name": result.get("level"),
            "doubt": plane_doubt(document, result),
            "grade": result.get("grade"),
        }
    return plane


def _grid(picture: Picture) -> dict[str, Any]:
    across, down = picture.across_mm, picture.down_mm
    return {
        "rows": int(down.size),
        "columns": int(across.size),
        "right": _rounded(picture.right, DIRECTION_DIGITS),
        "down": _rounded(picture.down, DIRECTION_DIGITS),
        "step": [_step(across), _step(down)],
    }


def _start(views: Sequence[View], document: Mapping[str, Any]) -> dict[str, Any]:
    """The worst slice, and the sagittal view that shows where it lies; None where there is no such view."""
    if not views:
        return {"view": None, "plane": 0, "beside": None}
    first = views[0]
    sagittal = [view for view in views if view.plane is Plane.SAGITTAL and view is not first]
    # Stored slices come before cuts, sharp cuts before thick ones.
    order = list(ViewKind)
    sagittal.sort(key=lambda view: (order.index(view.kind), view.stack is not first.stack))
    return {
        "view": first.id,
        "plane": first.stack.first(document),
        "beside": sagittal[0].id if sagittal else None,
    }


def _spaces(views: Sequence[View]) -> list[int]:
    """Number of each view's frame of reference; cuts share that of their series even where the headers name none."""
    names: list[str] = []
    for view in views:
        name = _space_name(view.stack.series)
        if name not in names:
            names.append(name)
    return [names.index(_space_name(view.stack.series)) for view in views]


def _space_name(series: Series) -> str:
    return series.frame_of_reference_uid or f"of series {series.series_instance_uid} alone"


def _step_mm(view: View) -> float:
    if isinstance(view.source, tuple):
        depths = [view.outline(index).depth_mm for index in range(min(2, len(view)))]
        return abs(depths[-1] - depths[0]) if len(depths) > 1 else float(voxel_spacing(view.source[0].volume.affine)[0])
    return float(voxel_spacing(view.source.volume.affine)[view.source.axis])


def _normal(picture: Picture) -> Array:
    # The cross product of two unit vectors that are square to each other.
    right, down = picture.right, picture.down
    return right[[1, 2, 0]] * down[[2, 0, 1]] - right[[2, 0, 1]] * down[[1, 2, 0]]


def _step(coordinates: Array) -> float:
    return (
        round(float(coordinates[-1] - coordinates[0]) / (coordinates.size - 1), DIRECTION_DIGITS)
        if coordinates.size > 1
        else 1.0
    )


def _rounded(values: Array, digits: int) -> list[float]:
    # Adding 0 turns -0.0 into 0.0.
    return [round(float(value), digits) + 0.0 for value in values]
