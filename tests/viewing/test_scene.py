"""What the viewer is told of a study: geometry that leads back to the voxels, results, annotations, no UIDs."""

import json
from dataclasses import replace

import numpy as np
import pytest

from dashboard.study import Acquisition, Study
from dashboard.viewing.scene import acquisition_lines, outlines, scene
from dashboard.viewing.stack import stacks_of
from dashboard.viewing.views import View, ViewKind, views_of
from dashboard.viewing.windowing import Window
from tests.screens.site import axial_series, document, prediction, sagittal_series
from tests.viewing.test_stack import SeriesPrediction

WINDOW = {"Standard": Window(1.0, 900.0)}


def made(
    grade: str | None = "3", space: str = "2.25.13", level: tuple[str, bool] | None = None
) -> tuple[tuple[View, ...], dict]:
    axial, sagittal = (replace(one, frame_of_reference_uid=space) for one in (axial_series(), sagittal_series()))
    seen = SeriesPrediction(axial.series_instance_uid, tuple(prediction(axial, n) for n in range(12)), ())
    result = document(grade)
    for one in result["slices"] if level else ():
        one["level"], one["level_certain"] = level
    predictions = {axial.series_instance_uid: seen} if grade else {}
    views = views_of(stacks_of(Study("2.25.1", (sagittal, axial)), predictions, result))
    told = scene(views, [WINDOW] * len(views), ["a series"] * len(views), result, "2026-03-01")
    return views, json.loads(json.dumps(told, allow_nan=False))


def test_planes_are_where_their_pixels_are() -> None:
    views, told = made()
    for view, shown in zip(views, told["views"], strict=True):
        for index in (0, len(view) - 1):
            plane, picture = shown["planes"][index], view.picture(index)
            grid = shown["grids"][plane["grid"]]
            assert (grid["rows"], grid["columns"]) == picture.pixels.shape
            assert np.dot(plane["origin"], grid["right"]) == pytest.approx(picture.across_mm[0], abs=2e-3)
            assert np.dot(plane["origin"], grid["down"]) == pytest.approx(picture.down_mm[0], abs=2e-3)
            assert grid["step"] == pytest.approx(
                [picture.across_mm[1] - picture.across_mm[0], picture.down_mm[1] - picture.down_mm[0]], abs=1e-6
            )
            volume = view.stack.series.volumes[0]
            voxel = np.linalg.inv(volume.affine) @ np.array([*plane["origin"], 1.0])
            assert voxel[:3] == pytest.approx(np.round(voxel[:3]), abs=0.01)


def test_it_opens_at_the_worst_slice_beside_the_stored_sagittal() -> None:
    _, told = made()
    assert told["start"] == {"view": "1", "plane": 7, "beside": "2"}
    assert told["views"][0]["worst"] == 7
    assert [plane["grade"] for plane in told["views"][0]["planes"]][7:9] == ["3", "0"]
    assert told["views"][0]["planes"][11]["grade"] is None
    assert "grade" not in told["views"][1]["planes"][0]


def test_without_a_result_it_opens_in_the_middle() -> None:
    _, told = made(None)
    assert not any(view["graded"] for view in told["views"])
    assert told["start"]["plane"] == len(told["views"][0]["planes"]) // 2


def test_series_share_coordinates_where_the_headers_say_so() -> None:
    assert {view["space"] for view in made()[1]["views"]} == {0}
    spaces = {view["id"]: view["space"] for view in made(space="")[1]["views"]}
    assert spaces["1"] == spaces["1r"] == spaces["1c"] != spaces["2"]


def test_no_uid_leaves_with_the_scene() -> None:
    views, told = made()
    assert "2.25." not in json.dumps(told)
    assert "2.25." not in json.dumps(outlines(views[0]))


def test_outlines_lie_on_the_plane_s_own_axes() -> None:
    views, _ = made()
    lines = outlines(views[0])
    assert set(lines[0]) == {"cord", "sac", "tumour"}
    cord = np.array(lines[0]["cord"][0])
    # A disc of 8 pixels of 0.5 mm about the origin of the made-up patient.
    assert cord.mean(axis=0) == pytest.approx([0.25, 0.25], abs=0.3)
    assert np.ptp(cord, axis=0) == pytest.approx([8.5, 8.5], abs=0.6)
    # The last slice was not analysed.
    assert lines[11] == {}


def test_annotations_leave_out_what_the_headers_do() -> None:
    assert acquisition_lines(Acquisition(), 4.0) == ["4.0 mm apart"]
    full = Acquisition(
        repetition_time_ms=4000.0, echo_time_ms=100.5, magnetic_field_strength_t=1.5, slice_thickness_mm=3.5
    )
    assert acquisition_lines(full, 3.85) == ["TR 4000 · TE 100.5 ms", "1.5 T", "3.5 mm thick · 3.9 mm apart"]
    assert acquisition_lines(full, 0.5, cut=True)[2:] == ["from slices of 3.5 mm", "cuts 0.5 mm apart"]
    diffusion = Acquisition(diffusion_b_value=0.0, contrast_bolus_agent="yes")
    assert acquisition_lines(diffusion, 1.0)[0] == "b 0 s/mm² · contrast given"


def test_a_cut_does_not_pass_for_slices_as_thick_as_those_it_goes_through() -> None:
    views, told = made()
    for view, shown in zip(views, told["views"], strict=True):
        assert shown["lines"][-1].startswith("cuts ") is (view.kind is not ViewKind.STORED)


@pytest.mark.parametrize(
    ("level", "followed", "name", "doubt"),
    [(("T8", True), "T8", "T8", ""), (("T8", False), None, "T8", "level uncertain"), (None, None, None, "")],
)
def test_a_guessed_level_is_shown_as_such_and_not_followed(level, followed, name, doubt) -> None:
    _, told = made(level=level)
    planes = [plane for view in told["views"] for plane in view["planes"] if "level" in plane]
    assert planes and {(plane["level"], plane["name"], plane["doubt"]) for plane in planes} == {(followed, name, doubt)}
