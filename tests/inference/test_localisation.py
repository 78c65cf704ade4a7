import numpy as np
import pytest

from dashboard.inference.heatmaps import TILE_MM, PlaneHeat, Tile, anchors, tile_centres
from dashboard.inference.localisation import find_peaks, localise, trace_canal
from dashboard.inference.manifest import CANAL
from dashboard.inference.orientation import crop_affine, patient_axes
from dashboard.inference.planes import CutPlane, stack_plane
from dashboard.inference.preprocessing import Window, nonzero_window
from tests.inference.phantoms import axial_affine, straight, volume


def plane(z, normal=(0.0, 0.0, 1.0), extent=180.0, volume_index=0):
    def cut(affine, size):
        return np.ones((size, size), np.float32), np.ones((size, size), bool)

    return CutPlane(
        volume_index, 0, None, patient_axes(np.array(normal)), np.array([0.0, 0.0, z]), (extent, extent), cut
    )


def heat(z, spots, normal=(0.0, 0.0, 1.0)):
    """A plane with warm spots: (x, y, strength) in its own axes."""
    where = plane(z, normal)
    affine = crop_affine(where.centre_mm, where.axes, CANAL.size_px, CANAL.pixel_mm)
    y, x = (np.mgrid[0:96, 0:96] - 47.5) * 2.0
    values = np.zeros((96, 96), np.float32)
    for sx, sy, strength in spots:
        values = np.maximum(values, strength * np.exp(-((x - sx) ** 2 + (y - sy) ** 2) / 32)).astype(np.float32)
    return PlaneHeat(where, (Tile(affine, values, np.ones((96, 96), bool)),))


def centres(points):
    return np.array([point.centre_mm for point in points])


def test_a_peak_is_found_between_pixels():
    (peak,) = find_peaks(heat(0, [(11.3, -20.6, 0.9)]))
    np.testing.assert_allclose(peak.position_mm, [11.3, -20.6, 0], atol=0.3)


def test_a_single_slice_takes_its_hottest_spot():
    (point,) = trace_canal([heat(0, [(10, 10, 0.9), (-40, 0, 0.6)])])
    np.testing.assert_allclose(point.centre_mm, [10, 10, 0], atol=0.3)
    assert point.found and point.score == pytest.approx(0.9, abs=0.06)


def test_one_brighter_vessel_does_not_move_the_path():
    planes = [heat(z, [(0, 20, 0.8)] + [(0, -40, 1.0)] * (z == -12)) for z in range(0, -40, -4)]
    np.testing.assert_allclose(centres(trace_canal(planes))[:, 1], 20, atol=0.3)


def without_heat(highest_mm, lowest_mm):
    """Points of a leaning canal, every 4 mm, without heat between two heights."""
    heights = range(0, -80, -4)
    points = trace_canal([heat(z, [] if lowest_mm < z < highest_mm else [(0, -z * 0.5, 0.9)]) for z in heights])
    np.testing.assert_allclose(centres(points)[:, 1], [-z * 0.5 for z in heights], atol=0.4)
    return points


def test_slices_without_heat_between_near_neighbours_take_their_place_and_score():
    points = without_heat(-8, -24)
    assert [point.found for point in points].count(False) == 3
    assert min(point.score for point in points) > 0.7


def test_slices_without_heat_far_from_a_neighbour_take_its_place_and_no_score():
    lost = [point for point in without_heat(-8, -60) if not point.found]
    assert len(lost) == 12 and all(point.score == 0 for point in lost)


def test_slices_above_the_canal_stay_without():
    planes = [heat(z, [] if z > -20 else [(5, 5, 0.9)]) for z in range(0, -60, -4)]
    points = trace_canal(planes)
    assert [point.score > 0.3 for point in points] == [False] * 5 + [True] * 10


def test_a_canal_may_lean_as_far_as_a_spine_can():
    planes = [heat(z, [(0, -0.7 * z - 20, 0.7), (0, 50, 0.5)]) for z in range(0, -60, -4)]
    np.testing.assert_allclose(centres(trace_canal(planes))[:, 1], [-0.7 * z - 20 for z in range(0, -60, -4)], atol=0.5)


def test_a_far_spot_is_not_followed():
    planes = [heat(z, [(0, 0, 0.9)] if z > -20 else [(60, 0, 0.5)]) for z in range(0, -40, -4)]
    assert np.abs(centres(trace_canal(planes))[:, 0]).max() < 1


def test_stacks_of_different_obliquity_are_one_path():
    tilted = (0.0, -0.5, 0.87)
    upper = [heat(z, [(3, 10, 0.9)]) for z in range(0, -20, -4)]
    lower = [heat(z, [(3, 10 * 0.87, 0.9)] + [(50, 0, 0.95)] * (z == -48), tilted) for z in range(-40, -60, -4)]
    points = trace_canal(upper + lower)
    np.testing.assert_allclose(centres(points)[:, 0], 3, atol=0.5)
    assert all(point.found for point in points)


def test_no_heat_at_all_gives_the_middle_and_no_score():
    points = trace_canal([heat(z, []) for z in (0, -4)])
    np.testing.assert_allclose(centres(points), [[0, 0, 0], [0, 0, -4]], atol=1e-9)
    assert not any(point.found or point.score for point in points)


def test_no_planes_give_no_points(models):
    assert trace_canal([]) == []
    assert localise([], nonzero_window([]), models.canal, 2) == []


@pytest.mark.parametrize("extent", [50, 192, 224, 230, 300, 420, 500])
def test_tiles_cover_all_but_the_edge_of_a_field(extent):
    middles = np.sort([centre[1] for centre in tile_centres(plane(0, extent=extent))])
    seen = np.zeros(2 * extent + 1, bool)
    grid = np.arange(-extent, extent + 1) / 2
    for middle in middles:
        seen |= np.abs(grid - middle) <= TILE_MM / 2
    assert seen[np.abs(grid) <= extent / 2 - 16].all()
    assert (len(middles) == 1) is (extent <= 224)


def test_anchors_hold_both_ends_and_one_plane_each_12_mm():
    assert anchors([plane(-z) for z in range(0, 50, 4)]) == [0, 3, 6, 9, 12]


def test_a_canal_far_off_the_middle_of_a_wide_field_is_found(models):
    shape = (14, 256, 256)
    affine = axial_affine((4, 1.6, 1.6), shape=shape)
    stored = volume(affine, shape, straight(30, 140))
    planes = [stack_plane(stored, 0, k) for k in range(13, -1, -1)]
    points = localise(planes, Window(100, 1000), models.canal, 2)
    np.testing.assert_allclose(centres(points)[:, :2], np.tile([30, 140], (14, 1)), atol=1.0)
    assert min(point.score for point in points) > 0.9
