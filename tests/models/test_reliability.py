"""The calibration plot, and the interval its bars are made of."""

from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from models.training.evaluation.reliability import PANELS, SIDE, reliability_svg
from models.training.statistics import wilson

SVG = "{http://www.w3.org/2000/svg}"
POINTS = [
    {"stated": 0.05, "found": 0.02, "n": 1700},
    {"stated": 0.5, "found": 0.5, "n": 8},
    {"stated": 0.97, "found": 1.0, "n": 300},
]


def drawn(tables):
    return ET.fromstring(reliability_svg(tables))


def texts(root):
    return [element.text for element in root.iter(f"{SVG}text")]


def test_both_panels_have_points_axes_labels_and_counts():
    root = drawn({key: POINTS for key, _, _ in PANELS})
    assert len(list(root.iter(f"{SVG}circle"))) == 3
    assert len([e for e in root.iter(f"{SVG}line") if e.get("class") == "diagonal"]) == 2
    shown = texts(root)
    assert shown.count("stated probability") == shown.count("found frequency") == 2
    assert shown.count("1700") == shown.count("8") == 2
    assert {"P(1c or worse)", "P(2 or 3)"} <= set(shown)


def test_a_point_on_the_diagonal_is_drawn_on_it():
    (root,) = [drawn({PANELS[0][0]: POINTS[1:2]})]
    (circle,) = root.iter(f"{SVG}circle")
    assert (float(circle.get("cx")), float(circle.get("cy"))) == (SIDE / 2, SIDE / 2)


def test_the_plot_reads_on_light_and_on_dark_and_without_eyes():
    root = drawn({key: POINTS for key, _, _ in PANELS})
    style = root.find(f"{SVG}style").text
    assert "prefers-color-scheme: dark" in style and ".ground" in style
    assert root.find(f"{SVG}rect").get("class") == "ground"
    assert "0.05 stated, 0.02 found, n 1700" in root.find(f"{SVG}desc").text
    assert root.get("role") == "img" and root.find(f"{SVG}title").text


def test_no_two_counts_meet():
    root = drawn({PANELS[0][0]: [{"stated": s, "found": 0.5, "n": 1000} for s in (0.099, 0.101, 0.299, 0.301, 1.0)]})
    places = sorted(float(e.get("x")) for e in root.iter(f"{SVG}text") if e.text == "1000")
    assert min(b - a for a, b in pairwise(places)) >= SIDE / 10 - 1e-9


def test_without_points_the_panels_say_so():
    assert texts(drawn({})).count("no points") == 2


def test_the_same_points_give_the_same_file():
    tables = {key: POINTS for key, _, _ in PANELS}
    assert reliability_svg(tables) == reliability_svg(tables)


def test_nothing_is_drawn_outside_the_picture():
    root = drawn({key: POINTS for key, _, _ in PANELS})
    width, height = float(root.get("width")), float(root.get("height"))
    for group in root.iter(f"{SVG}g"):
        left, top = (float(v) for v in group.get("transform")[10:-1].split())
        for mark in [*group.iter(f"{SVG}circle"), *group.iter(f"{SVG}text")]:
            x, y = float(mark.get("cx") or mark.get("x")), float(mark.get("cy") or mark.get("y"))
            assert 0 <= left + x <= width and 0 <= top + y <= height


@pytest.mark.parametrize(("share", "count"), [(0.0, 10), (1.0, 10), (0.5, 1), (0.3, 1000)])
def test_the_interval_holds_the_share_and_stays_within_0_and_1(share, count):
    low, high = wilson(share, count)
    assert 0.0 <= low <= share <= high <= 1.0


def test_the_interval_is_that_of_wilson():
    # Newcombe RG 1998, Stat Med 17:857, table I: 15 of 148.
    assert wilson(15 / 148, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)
    assert wilson(0.0, 0) == (0.0, 1.0)
