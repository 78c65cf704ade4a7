"""Every series can be scrolled in three directions, and every shown pixel is a stored one."""

import numpy as np
import pytest

from dashboard.study import LABELS, Acquisition, FrameReference, Plane, Role, Series, Volume, physical_position
from dashboard.viewing.stack import Stack, stored_slices
from dashboard.viewing.views import FEWEST_SLICES, View, ViewKind, views_of

SHAPE = (6, 5, 4)


def volume(step: list[float], down: list[float], across: list[float], shape: tuple[int, ...] = SHAPE) -> Volume:
    """Voxels that tell their own index: slice * 100 + row * 10 + column."""
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2], affine[:3, 3] = step, down, across, (-7.0, 5.0, 11.0)
    voxels = np.add.outer(np.add.outer(np.arange(shape[0]) * 100, np.arange(shape[1]) * 10), np.arange(shape[2]))
    return Volume(voxels.astype(np.uint16), affine, tuple(FrameReference(f"2.25.{n}") for n in range(shape[0])))


def views(*volumes: Volume) -> dict[str, View]:
    series = Series("2.25.1", 1, Acquisition(), Role.OTHER, volumes)
    return {view.id: view for view in views_of([Stack(series, {}, stored_slices(series))])}


AXIAL = volume([0, 0, 4], [0, 1, 0], [1, 0, 0])
SAGITTAL = volume([-4, 0, 0], [0, 0, -1], [0, 1, 0])
CUBIC = volume([0, 0, 1.2], [0, 1, 0], [1, 0, 0])


@pytest.mark.parametrize(
    ("stored", "planes"),
    [
        (AXIAL, {"1": Plane.AXIAL, "1r": Plane.CORONAL, "1c": Plane.SAGITTAL}),
        (SAGITTAL, {"1": Plane.SAGITTAL, "1r": Plane.AXIAL, "1c": Plane.CORONAL}),
    ],
    ids=["axial", "sagittal"],
)
def test_a_volume_is_cut_along_its_other_axes(stored: Volume, planes: dict[str, Plane]) -> None:
    assert {name: view.plane for name, view in views(stored).items()} == planes


@pytest.mark.parametrize("stored", [AXIAL, SAGITTAL, CUBIC])
@pytest.mark.parametrize("name", ["1", "1r", "1c"])
def test_every_pixel_of_every_view_is_the_voxel_at_its_place(stored: Volume, name: str) -> None:
    view = views(stored)[name]
    seen = set()
    for index in range(len(view)):
        picture = view.picture(index)
        for row, down in enumerate(picture.down_mm):
            for column, across in enumerate(picture.across_mm):
                normal = np.cross(picture.right, picture.down)
                place = picture.right * across + picture.down * down + normal * picture.depth_mm
                voxel = np.linalg.inv(stored.affine) @ np.array([*place, 1.0])
                assert voxel[:3] == pytest.approx(np.round(voxel[:3]), abs=1e-9)
                at = tuple(np.round(voxel[:3]).astype(int))
                assert picture.pixels[row, column] == stored.voxels[at]
                seen.add(at)
    assert len(seen) == stored.voxels.size


@pytest.mark.parametrize("name", ["1", "1r", "1c"])
def test_geometry_alone_is_that_of_the_picture_and_reads_no_pixel(name: str) -> None:
    view = views(AXIAL)[name]
    for index in range(len(view)):
        outline, picture = view.outline(index), view.picture(index)
        assert outline.pixels.shape == picture.pixels.shape
        assert not outline.pixels.any()
        for attribute in ("right", "down", "across_mm", "down_mm", "depth_mm"):
            np.testing.assert_allclose(getattr(outline, attribute), getattr(picture, attribute))


@pytest.mark.parametrize("stored", [AXIAL, SAGITTAL, CUBIC])
def test_cuts_show_the_masks_where_they_lie(stored: Volume) -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[2:4, 1:3, 1:3] = LABELS.index("cord")
    series = Series("2.25.1", 1, Acquisition(), Role.OTHER, (stored,))
    found = {view.id: view for view in views_of([Stack(series, {}, stored_slices(series), (labels,))])}
    for name, axis in (("1", 0), ("1r", 1), ("1c", 2)):
        view = found[name]
        lines = [view.outlines(index) for index in range(len(view))]
        assert sum(bool(one) for one in lines) == 2
        loops = np.concatenate([loop for one in lines for loop in one.get("cord", ())])
        inside = np.linalg.inv(stored.affine) @ np.column_stack([loops, np.ones(len(loops))]).T
        low, high = inside[:3].min(axis=1), inside[:3].max(axis=1)
        # Half a voxel round the mask, and through the middle of the planes that were cut.
        expected = np.array([[1.5, 3.5], [0.5, 2.5], [0.5, 2.5]])
        expected[axis] += (0.5, -0.5)
        np.testing.assert_allclose(np.stack([low, high], axis=1), expected, atol=1e-9)


def test_nothing_is_outlined_where_nothing_was_analysed() -> None:
    view = views(AXIAL)["1r"]
    assert not view.outlined
    assert view.outlines(0) == {}


def test_cuts_through_thick_slices_say_so() -> None:
    assert {views(AXIAL)["1r"].kind, views(AXIAL)["1c"].kind} == {ViewKind.THICK}
    assert {views(CUBIC)["1r"].kind, views(CUBIC)["1c"].kind} == {ViewKind.REFORMAT}
    assert views(CUBIC)["1"].kind is ViewKind.STORED


@pytest.mark.parametrize("stored", [AXIAL, volume([0, 0, -4], [0, -1, 0], [-1, 0, 0])])
def test_cuts_are_scrolled_the_usual_way_however_they_are_stored(stored: Volume) -> None:
    found = views(stored)
    depths = {name: [view.outline(index) for index in range(len(view))] for name, view in found.items()}
    fronts = [physical(picture)[1] for picture in depths["1r"]]
    lefts = [physical(picture)[0] for picture in depths["1c"]]
    assert fronts == sorted(fronts)
    assert lefts == sorted(lefts)


def physical(picture: object) -> np.ndarray:
    """LPS position of a picture's first pixel."""
    right, down = picture.right, picture.down  # type: ignore[attr-defined]
    origin = right * picture.across_mm[0] + down * picture.down_mm[0]  # type: ignore[attr-defined]
    return np.asarray(origin + np.cross(right, down) * picture.depth_mm)  # type: ignore[attr-defined]


def test_slices_that_are_not_stacked_square_are_not_cut() -> None:
    assert list(views(volume([0, 1, 4], [0, 1, 0], [1, 0, 0]))) == ["1"]


def test_a_few_slices_are_not_cut() -> None:
    few = volume([0, 0, 4], [0, 1, 0], [1, 0, 0], (FEWEST_SLICES - 1, 5, 4))
    assert list(views(few)) == ["1"]


@pytest.mark.parametrize("index", [-1, len(AXIAL.frames)])
def test_a_plane_that_is_not_there_is_refused(index: int) -> None:
    with pytest.raises(IndexError):
        views(AXIAL)["1"].picture(index)


def test_one_type_holds_the_values_of_all_volumes() -> None:
    other = Volume(AXIAL.voxels.astype(np.float32), AXIAL.affine, AXIAL.frames)
    assert views(AXIAL)["1"].code == "u2"
    assert views(AXIAL, other)["1"].code == "f4"
    assert physical_position(AXIAL.affine, (0, 0, 0)) == pytest.approx(physical(views(AXIAL)["1"].outline(5)))
