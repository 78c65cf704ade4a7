"""NIfTI volumes become MR instances with the same voxels at the same places."""

import gzip
import shutil
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nibabel.orientations import axcodes2ornt, ornt_transform

from dashboard.errors import FileRefused, GeometryRefused, InputRefused
from dashboard.ingest import DroppedFile, Instance
from dashboard.ingest.nifti import read_nifti
from dashboard.ingest.pixels import decode_frame
from dashboard.settings import ArchiveLimits
from dashboard.study import Plane, plane_affine, plane_of
from tests.ingest.builders import keyed_door, original_door

AXIAL_AFFINE = np.array([[-0.5, 0, 0, 10], [0, 0.6, 0, -20], [0, 0, 4, 30], [0, 0, 0, 1.0]])


def voxels(shape: tuple[int, ...] = (7, 6, 5)) -> npt.NDArray[np.int16]:
    """Every voxel its own value."""
    return np.arange(np.prod(shape), dtype=np.int16).reshape(shape)


def write(path: Path, data: npt.NDArray[Any], affine: npt.NDArray[Any] = AXIAL_AFFINE, **header: Any) -> Path:
    file = nib.Nifti1Image(data, affine)
    file.set_sform(affine, header.pop("code", 1))
    file.set_qform(None, 0)
    for key, value in header.items():
        file.header[key] = value
    nib.save(file, path)
    return path


def read(path: Path, folder: Path, name: str = "AX_T2.nii", **limits: Any) -> list[Instance]:
    out, scratch = folder / "out", folder / "scratch"
    for made in (out, scratch):
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
    try:
        found = read_nifti(DroppedFile(name, path), original_door(), out, scratch, ArchiveLimits(**limits))
    finally:
        assert list(scratch.iterdir()) == []
    return [accepted.instance for accepted in found]


def value_at(instances: list[Instance], position: npt.NDArray[np.float64]) -> float:
    """Value of the voxel whose centre is nearest to a LPS position."""
    best: tuple[float, float] = (np.inf, np.nan)
    for instance in instances:
        (plane,) = instance.frame_planes
        affine = plane_affine(plane.image_position_patient, plane.image_orientation_patient, plane.pixel_spacing)
        offset, row, column, _ = np.linalg.inv(affine) @ [*position, 1.0]
        if abs(offset) < best[0]:
            best = (abs(offset), float(decode_frame(instance.path, 0)[round(row), round(column)]))
    return best[1]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    codes=st.permutations(["RL", "AP", "IS"]),
    signs=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    index=st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)),
    tilt=st.floats(-0.3, 0.3),
)
def test_every_voxel_lies_where_it_lay(
    tmp_path: Path, codes: list[str], signs: tuple[bool, ...], index: tuple[int, int, int], tilt: float
) -> None:
    wanted = "".join(pair[sign] for pair, sign in zip(codes, signs, strict=True))
    turn = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    tilted = AXIAL_AFFINE.copy()
    tilted[:3, :3] = turn @ tilted[:3, :3]
    file = nib.Nifti1Image(voxels(), tilted)
    turned = file.as_reoriented(ornt_transform(nib.io_orientation(tilted), axcodes2ornt(wanted)))
    path = write(tmp_path / "v.nii", np.asarray(turned.dataobj), turned.affine)
    lps = np.diag([-1, -1, 1, 1]) @ turned.affine @ [*index, 1.0]
    assert value_at(read(path, tmp_path), lps[:3]) == np.asarray(turned.dataobj)[index]


def test_axial_slices_are_shown_the_radiological_way(tmp_path: Path) -> None:
    (plane,) = read(write(tmp_path / "v.nii", voxels()), tmp_path)[0].frame_planes
    affine = plane_affine(plane.image_position_patient, plane.image_orientation_patient, plane.pixel_spacing)
    assert plane_of(affine) is Plane.AXIAL
    assert plane.image_orientation_patient == (1, 0, 0, 0, 1, 0)
    assert plane.pixel_spacing == pytest.approx((0.6, 0.5))
    assert plane.slice_thickness_mm == 4


def test_slices_run_along_the_thickest_voxels_then_the_fewest(tmp_path: Path) -> None:
    assert len(read(write(tmp_path / "v.nii", voxels((5, 7, 6))), tmp_path)) == 6
    cube = np.diag([1.0, 1.0, 1.0, 1.0])
    assert len(read(write(tmp_path / "v.nii", voxels((5, 7, 6)), cube), tmp_path)) == 5


def test_packed_and_plain_files_are_the_same_images(tmp_path: Path) -> None:
    path = write(tmp_path / "v.nii", voxels())
    packed = tmp_path / "v.nii.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    one, other = read(path, tmp_path), read(packed, tmp_path)
    assert [item.sop_instance_uid for item in one] == [item.sop_instance_uid for item in other]
    assert one[0].sha256 == other[0].sha256


def test_keys_decide_the_numbers_and_the_name_the_description(tmp_path: Path) -> None:
    path = write(tmp_path / "v.nii", voxels())
    own = read(path, tmp_path, name="folder/SAG_T2_Smith.nii.gz")[0]
    assert own.acquisition.series_description == "SAG T2"
    assert own.acquisition.modality == "MR"
    (tmp_path / "keyed").mkdir()
    limits = ArchiveLimits()
    found = read_nifti(DroppedFile("v", path), keyed_door(), tmp_path / "keyed", tmp_path / "scratch", limits)
    assert found[0].instance.study_instance_uid != own.study_instance_uid


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_whole_numbers_stay_as_they_are(tmp_path: Path, kind: type) -> None:
    data = voxels().astype(kind)
    assert decode_frame(read(write(tmp_path / "v.nii", data), tmp_path)[0].path, 0).max() == data[..., 0].max()


def test_negative_numbers_stay_negative(tmp_path: Path) -> None:
    found = read(write(tmp_path / "v.nii", voxels() - 100), tmp_path)
    assert min(float(decode_frame(item.path, 0).min()) for item in found) == -100


def test_fractions_keep_sixteen_bits(tmp_path: Path) -> None:
    data = np.random.default_rng(0).normal(0, 1e-3, (7, 6, 5)).astype(np.float32)
    found = read(write(tmp_path / "v.nii", data), tmp_path)
    # Rows run to the back, columns to the left: array axes (i to the left, j to the front) turned.
    expected = np.flip(data[:, :, 2].T, 0)
    step = float(data.max() - data.min()) / 65535
    assert np.allclose(decode_frame(found[2].path, 0), expected, atol=step)


def test_slope_and_intercept_of_the_header_are_applied(tmp_path: Path) -> None:
    path = write(tmp_path / "v.nii", voxels(), code=1)
    raw = bytearray(path.read_bytes())
    raw[112:120] = np.array([2.0, 5.0], "<f4").tobytes()
    path.write_bytes(raw)
    found = read(path, tmp_path)
    assert max(float(decode_frame(item.path, 0).max()) for item in found) == 209 * 2 + 5


def test_the_first_of_several_volumes_is_used_and_said(tmp_path: Path) -> None:
    found = read(write(tmp_path / "v.nii", voxels((7, 6, 5, 3))), tmp_path)
    assert len(found) == 5
    assert "holds 3 volumes" in found[0].warnings[-1]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (np.zeros((7, 6, 5), np.int16), "empty"),
        (voxels() % 3, "labels"),
        (voxels().astype(np.complex64), "complex"),
        (np.full((7, 6, 5), np.nan, np.float32), "no numbers"),
        (np.where(voxels() == 7, np.inf, voxels()).astype(np.float32), "no numbers"),
        (voxels((7, 6)), "three dimensions"),
        (voxels((7, 6, 1, 1, 5)), "three dimensions"),
    ],
)
def test_what_is_no_grey_volume_is_refused(tmp_path: Path, data: npt.NDArray[Any], words: str) -> None:
    with pytest.raises(FileRefused, match=words):
        read(write(tmp_path / "v.nii", data), tmp_path)


def test_colours_are_refused(tmp_path: Path) -> None:
    colours = np.zeros((7, 6, 5), np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))
    with pytest.raises(FileRefused, match="colours"):
        read(write(tmp_path / "v.nii", colours), tmp_path)


def test_a_volume_that_does_not_say_where_it_lies_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GeometryRefused, match="how its voxels lie"):
        read(write(tmp_path / "v.nii", voxels(), code=0), tmp_path)


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_a_broken_affine_is_refused(tmp_path: Path, value: float) -> None:
    path = write(tmp_path / "v.nii", voxels())
    raw = bytearray(path.read_bytes())
    raw[280:328] = np.full(12, value, "<f4").tobytes()
    path.write_bytes(raw)
    with pytest.raises(GeometryRefused):
        read(path, tmp_path)


def test_sizes_that_contradict_the_affine_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "v.nii", voxels())
    raw = bytearray(path.read_bytes())
    raw[80:84] = np.array([0.8], "<f4").tobytes()
    path.write_bytes(raw)
    with pytest.raises(GeometryRefused, match="two sizes"):
        read(path, tmp_path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0, 0.0, 1e30])
def test_an_impossible_offset_is_refused(tmp_path: Path, value: float) -> None:
    path = write(tmp_path / "v.nii", voxels())
    raw = bytearray(path.read_bytes())
    raw[108:112] = np.array([value], "<f4").tobytes()
    path.write_bytes(raw)
    with pytest.raises(FileRefused):
        read(path, tmp_path)


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "v.nii", voxels())
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FileRefused, match="cut short"):
        read(path, tmp_path)
    packed = tmp_path / "v.nii.gz"
    packed.write_bytes(gzip.compress(path.read_bytes())[:-20])
    with pytest.raises(FileRefused, match="cut short"):
        read(packed, tmp_path)


def test_a_packed_file_beyond_the_bound_is_refused(tmp_path: Path) -> None:
    packed = tmp_path / "v.nii.gz"
    packed.write_bytes(gzip.compress(write(tmp_path / "v.nii", voxels((64, 64, 64))).read_bytes()))
    with pytest.raises(FileRefused, match="far more than an image"):
        read(packed, tmp_path, max_entry_bytes=1000)


@pytest.mark.parametrize(("content", "words"), [(b"hello" * 300, "no NIfTI"), (b"\0" * 257 + b"ustar" * 99, "TAR")])
def test_other_packed_files_are_refused_by_name(tmp_path: Path, content: bytes, words: str) -> None:
    packed = tmp_path / "thing.gz"
    packed.write_bytes(gzip.compress(content))
    with pytest.raises(FileRefused, match=words):
        read(packed, tmp_path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 347), value=st.integers(0, 255))
def test_a_damaged_header_never_raises_anything_else(tmp_path: Path, place: int, value: int) -> None:
    path = write(tmp_path / "v.nii", voxels())
    raw = bytearray(path.read_bytes())
    raw[place] = value
    path.write_bytes(raw)
    try:
        read(path, tmp_path)
    except InputRefused as refusal:
        assert str(refusal).endswith(".")
