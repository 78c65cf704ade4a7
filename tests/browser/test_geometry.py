"""The viewer's geometry in a browser's own engine, compared with numpy: crossing lines, nearest planes, areas."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page
from scipy.spatial.transform import Rotation

from dashboard.screens.parts import FOLDER

pytestmark = [pytest.mark.browser]

GEOMETRY = (FOLDER / "viewer" / "geometry.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def engine(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


def run(engine: Page, expression: str, **values: Any) -> Any:
    """Value of an expression over the viewer's functions."""
    names = ", ".join(values)
    return engine.evaluate(f"({{{names}}}) => {{ {GEOMETRY}; return {expression}; }}", values)


def view(rotation: Rotation, origin: np.ndarray, count: int = 5, step: float = 4.0) -> dict[str, Any]:
    """A stack of planes of 40 x 30 pixels of 1.5 x 2 mm, turned in space."""
    right, down, normal = rotation.as_matrix().T
    grid = {"rows": 30, "columns": 40, "right": right.tolist(), "down": down.tolist(), "step": [1.5, 2.0]}
    planes = [{"grid": 0, "origin": (origin + normal * step * index).tolist()} for index in range(count)]
    return {"grids": [grid], "planes": planes}


def corners(one: dict[str, Any], index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edge of a plane's picture and its sides, LPS mm."""
    grid = one["grids"][0]
    right, down = np.array(grid["right"]), np.array(grid["down"])
    edge = np.array(one["planes"][index]["origin"]) - right * 0.75 - down * 1.0
    return edge, right * 60.0, down * 60.0


@pytest.mark.parametrize("seed", range(12))
def test_crossing_lines_lie_in_both_planes_and_end_at_the_other_s_edges(engine: Page, seed: int) -> None:
    rng = np.random.default_rng(seed)
    here = view(Rotation.random(rng=rng), rng.normal(0, 10, 3))
    other = view(Rotation.random(rng=rng), rng.normal(0, 10, 3))
    ends = run(
        engine,
        "crossing(place(here, 0), place(other, 0))?.map((end) => point(place(here, 0), end))",
        here=here,
        other=other,
    )
    normals = [np.cross(one["grids"][0]["right"], one["grids"][0]["down"]) for one in (here, other)]
    if abs(normals[0] @ normals[1]) > 0.9:
        assert ends is None
        return
    edge, across, down = corners(other, 0)
    if ends is None:
        # The line passes beside the other picture: none of its four corners' sides changes sign within it.
        side = [
            (edge + across * a + down * b - np.array(here["planes"][0]["origin"])) @ normals[0]
            for a in (0, 1)
            for b in (0, 1)
        ]
        assert min(side) > 0 or max(side) < 0
        return
    for end in np.array(ends):
        assert (end - np.array(here["planes"][0]["origin"])) @ normals[0] == pytest.approx(0, abs=1e-6)
        assert (end - edge) @ normals[1] == pytest.approx(0, abs=1e-6)
        shares = sorted([(end - edge) @ across / 3600, (end - edge) @ down / 3600])
        assert -1e-9 <= shares[0] <= shares[1] <= 1 + 1e-9
        assert any(share == pytest.approx(border, abs=1e-9) for share in shares for border in (0, 1))


def test_an_axial_plane_crosses_a_sagittal_picture_at_its_height(engine: Page) -> None:
    sagittal = view(Rotation.from_matrix(np.array([[0, 1, 0], [0, 0, -1], [-1, 0, 0]]).T), np.array([0.0, -30.0, 30.0]))
    axial = view(Rotation.identity(), np.array([-30.0, -30.0, 12.0]))
    ends = np.array(run(engine, "crossing(place(sagittal, 0), place(axial, 0))", sagittal=sagittal, axial=axial))
    np.testing.assert_allclose(ends[:, 1], -12.0, atol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_the_nearest_plane_is_the_nearest(engine: Page, seed: int) -> None:
    rng = np.random.default_rng(seed)
    stack = view(Rotation.random(rng=rng), rng.normal(0, 10, 3), count=20)
    at = rng.normal(0, 40, 3)
    normal = np.cross(stack["grids"][0]["right"], stack["grids"][0]["down"])
    distances = [abs((at - np.array(plane["origin"])) @ normal) for plane in stack["planes"]]
    found = run(engine, "nearest(stack, at)", stack=stack, at=at.tolist())
    assert found["index"] == int(np.argmin(distances))
    assert found["distance"] == pytest.approx(min(distances))


@pytest.mark.parametrize("seed", range(6))
def test_a_place_on_the_plane_is_a_point_of_the_patient_and_back(engine: Page, seed: int) -> None:
    rng = np.random.default_rng(seed)
    stack = view(Rotation.random(rng=rng), rng.normal(0, 100, 3))
    spot = rng.normal(0, 30, 2).tolist()
    back = run(engine, "project(place(stack, 2), point(place(stack, 2), spot))", stack=stack, spot=spot)
    assert back == pytest.approx(spot)
    origin = run(engine, "point(place(stack, 2), [place(stack, 2).left + 0.75, place(stack, 2).top + 1])", stack=stack)
    assert origin == pytest.approx(stack["planes"][2]["origin"])


def test_letters_are_the_patient_s(engine: Page) -> None:
    ways = {"L": [1, 0, 0], "R": [-1, 0.1, 0], "P": [0, 1, 0.2], "A": [0, -1, 0], "H": [0, 0, 1], "F": [0.3, 0, -1]}
    assert run(engine, "ways.map(letter)", ways=list(ways.values())) == list(ways)


def test_an_area_is_that_of_its_polygon(engine: Page) -> None:
    assert run(engine, "polygonArea(points)", points=[[0, 0], [4, 0], [4, 3], [0, 3]]) == 12
    assert run(engine, "polygonArea(points)", points=[[0, 3], [4, 0], [0, 0]]) == 6
    assert json.dumps(run(engine, "polygonArea(points)", points=[[1, 1]])) == "0"


def test_a_place_is_kept_as_near_as_the_reach_allows(engine: Page) -> None:
    assert run(engine, "keptNear(own, wanted, 20)", own=[0, 0], wanted=[12, -35]) == [12, -20]
    assert run(engine, "keptNear(own, wanted, 0)", own=[5, 60], wanted=[0, 0]) == [5, 60]
