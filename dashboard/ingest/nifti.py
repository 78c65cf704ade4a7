"""A NIfTI volume as MR instances, so that everything after the door has one form.

The format has no patient and no study: both are made from the voxels' checksum, so the same file gives the same
identifiers wherever it is dropped. Its RAS coordinates become LPS; slices run along the axis of the thickest voxels.
"""

import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage

from dashboard.errors import FileRefused, GeometryRefused
from dashboard.ingest.deidentify import Door
from dashboard.ingest.file_kind import GZIP, HEAD_BYTES, TAR_MAGIC, is_nifti, read_head
from dashboard.ingest.instance import DroppedFile
from dashboard.ingest.reading import Accepted, read_instance, sha256_of
from dashboard.ingest.uids import UUID_BYTES, UUID_ROOT
from dashboard.settings import ArchiveLimits
from dashboard.study.geometry import Array

CHUNK = 1024**2
# Masks of a few labels deflate a thousandfold; only larger files are judged by their ratio.
RATIO_FREE = 256 * 1024**2
MOST_LABELS = 16
LARGEST_SIDE = 4096
# Voxels this alike count as equally thick; the axis with the fewest slices is then the one they were made along.
ALIKE = 0.05
LABEL_INTENT = 1002
# Beyond this no unit makes a position in a scanner, and arithmetic overflows.
FARTHEST = 1e9
SMALLEST_VOXEL_MM3 = 1e-9
SIZE_TOLERANCE = 0.05
KNOWN_FORMS = frozenset(range(6))
NO_PLACE = "The NIfTI file does not say how its voxels lie in the patient."
MILLIMETRES = {"mm": 1.0, "unknown": 1.0, "meter": 1000.0, "micron": 0.001}
# Patient axis of the normal -> (axis, sign) in LPS that columns, then rows, grow towards on a screen.
SCREEN = {0: ((1, 1), (2, -1)), 1: ((0, 1), (2, -1)), 2: ((0, 1), (1, 1))}
ENDINGS = re.compile(r"\.(nii|gz|img|hdr)$", re.IGNORECASE)


@dataclass(frozen=True)
class NiftiVolume:
    """Voxels (slices, rows, columns) as stored, where they lie, and how they become 16 bit.

    ``affine`` (4, 4) maps (slice, row, column, 1) to LPS mm. Real values are ``voxels * scale + offset``; stored
    ones ``(real - intercept) / slope``.
    """

    voxels: npt.NDArray[np.generic]
    affine: Array
    scale: float
    offset: float
    slope: float
    intercept: float
    signed: bool
    time_points: int


def read_nifti(file: DroppedFile, door: Door, out_dir: Path, scratch: Path, limits: ArchiveLimits) -> list[Accepted]:
    """Read one NIfTI file (``.nii``, ``.nii.gz``, told by content) and store its slices as MR instances.

    Raises
    ------
    FileRefused
        The file is damaged, unfolds beyond the bounds, or holds something other than one grey image.
    GeometryRefused
        It does not say how its voxels lie in the patient.
    RecordsError
        The slices cannot be stored.
    """
    with _plain(file.path, scratch, limits) as path:
        sha256 = sha256_of(path)
        volume = _open(path)
        return list(_instances(volume, file, sha256, door, out_dir, scratch))


@contextmanager
def _plain(path: Path, scratch: Path, limits: ArchiveLimits) -> Iterator[Path]:
    """The file itself, or unpacked into `scratch`."""
    if not read_head(path).startswith(GZIP):
        yield path
        return
    target = scratch / "volume.nii"
    try:
        _gunzip(path, target, limits)
        yield target
    finally:
        target.unlink(missing_ok=True)


def _gunzip(path: Path, target: Path, limits: ArchiveLimits) -> None:
    most = min(limits.max_entry_bytes, max(RATIO_FREE, int(limits.max_ratio * path.stat().st_size)))
    try:
        with gzip.open(path, "rb") as source, target.open("wb") as plain:
            head = source.read(HEAD_BYTES)
            if head[TAR_MAGIC] == b"ustar":
                raise FileRefused("The file is a TAR archive, which is not opened; unpack it or pack it as ZIP.")
            if not is_nifti(head):
                raise FileRefused("The file is packed with gzip and holds no NIfTI image; unpack it.")
            written = plain.write(head)
            while chunk := source.read(CHUNK):
                written += plain.write(chunk)
                if written > most:
                    raise FileRefused("The file unfolds to far more than an image; it is refused.")
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise FileRefused("The compressed file is damaged or cut short.") from None


def _open(path: Path) -> NiftiVolume:
    header = _header(path)
    shape, kind, offset, scale, shift = _layout(header)
    if kind.kind not in "iufb" or kind.itemsize > 8:
        raise FileRefused("The NIfTI file holds colours or complex numbers, not a grey image.")
    if int(header["intent_code"]) == LABEL_INTENT:
        raise FileRefused("The NIfTI file holds labels, not an image.")
    spatial, times = (*shape, 1, 1)[:3], shape[3:4]
    if len(shape) < 3 or any(side > 1 for side in shape[4:]) or not all(0 < side <= LARGEST_SIDE for side in spatial):
        raise FileRefused("The NIfTI file holds no volume of three dimensions.")
    needed = offset + int(np.prod(shape, dtype=object)) * kind.itemsize
    if offset < int(header["sizeof_hdr"]) or needed > path.stat().st_size:
        raise FileRefused("The NIfTI file is shorter than its header says; it is cut short.")
    voxels = np.memmap(path, kind, "r", offset, spatial, order="F")
    stack, affine = _as_slices(voxels, _affine(header))
    return _scaled(stack, affine, scale, shift, times[0] if times else 1)


def _header(path: Path) -> Any:
    head = read_head(path)
    if head[344:347] == b"ni1" or head[4:7] == b"ni2":
        raise FileRefused("The NIfTI image is in two files (.hdr, .img), which is not read; convert it to .nii.")
    kind: Any = nib.Nifti2Header if head[4:7] == b"n+2" else nib.Nifti1Header
    try:
        with path.open("rb") as file:
            # Unchecked: nibabel's check repairs what is wrong and only logs it.
            return kind.from_fileobj(file, check=False)
    except Exception as error:  # noqa: BLE001 - nibabel raises whatever a damaged header provokes
        raise FileRefused(f"The header of the NIfTI file is damaged ({type(error).__name__}).") from None


def _layout(header: Any) -> tuple[tuple[int, ...], np.dtype[Any], int, float, float]:
    """Shape, type, offset, slope and intercept of the voxels."""
    try:
        shape = tuple(int(side) for side in header.get_data_shape())
        slope, intercept = header.get_slope_inter()
        scale, shift = 1.0 if slope is None else float(slope), 0.0 if intercept is None else float(intercept)
        return shape, header.get_data_dtype(), int(header.get_data_offset()), scale, shift
    except Exception as error:  # noqa: BLE001 - nibabel raises whatever a damaged header provokes
        raise FileRefused(f"The header of the NIfTI file is damaged ({type(error).__name__}).") from None


def _affine(header: Any) -> Array:
    """(4, 4), array indices to LPS mm."""
    codes = {int(header["sform_code"]), int(header["qform_code"])}
    if codes == {0} or not codes <= KNOWN_FORMS:
        raise GeometryRefused(NO_PLACE)
    try:
        ras = np.asarray(header.get_best_affine(), dtype=np.float64)
        unit = MILLIMETRES[header.get_xyzt_units()[0]]
        sizes = np.asarray(header.get_zooms()[:3], dtype=np.float64)
    except Exception as error:  # noqa: BLE001 - nibabel raises whatever a damaged header provokes
        raise GeometryRefused(f"The position in the NIfTI file is damaged ({type(error).__name__}).") from None
    if not np.all(np.isfinite(ras)) or np.abs(ras).max() > FARTHEST:
        raise GeometryRefused(NO_PLACE)
    lps: Array = np.diag([-1.0, -1.0, 1.0, 1.0]) @ ras
    if abs(np.linalg.det(lps[:3, :3])) < SMALLEST_VOXEL_MM3:
        raise GeometryRefused(NO_PLACE)
    if not np.allclose(np.linalg.norm(lps[:3, :3], axis=0), sizes, rtol=SIZE_TOLERANCE):
        raise GeometryRefused("The NIfTI file gives two sizes for its voxels; which one holds cannot be told.")
    lps[:3] *= unit
    return lps


def _as_slices(voxels: npt.NDArray[np.generic], affine: Array) -> tuple[npt.NDArray[np.generic], Array]:
    """Turn (i, j, k) into (slices, rows, columns) as a screen shows them, with the affine to match."""
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    thick = [axis for axis in range(3) if sizes[axis] >= sizes.max() * (1 - ALIKE)]
    normal = min(thick, key=lambda axis: voxels.shape[axis])
    orientation: Any = nib.io_orientation
    patient = orientation(affine)[:, 0]
    if np.any(np.isnan(patient)):
        raise GeometryRefused(NO_PLACE)
    axis_of = {int(patient[axis]): axis for axis in range(3)}
    (column_axis, column_sign), (row_axis, row_sign) = SCREEN[int(patient[normal])]
    order = (normal, axis_of[row_axis], axis_of[column_axis])
    stack = np.transpose(voxels, order)
    turned = np.eye(4)
    turned[:, :3] = affine[:, order]
    turned[:3, 3] = affine[:3, 3]
    for position, patient_axis, sign in ((1, row_axis, row_sign), (2, column_axis, column_sign)):
        if np.sign(turned[patient_axis, position]) != sign:
            stack = np.flip(stack, position)
            turned[:3, 3] += turned[:3, position] * (stack.shape[position] - 1)
            turned[:3, position] *= -1
    return stack, turned


def _scaled(
    stack: npt.NDArray[np.generic], affine: Array, scale: float, offset: float, time_points: int
) -> NiftiVolume:
    """Find how the values fit 16 bits, slice by slice."""
    low, high, whole = np.inf, -np.inf, True
    values: set[float] = set()
    for plane in stack:
        with np.errstate(all="ignore"):
            real = plane.astype(np.float64) * scale + offset
        if not np.all(np.isfinite(real)):
            raise FileRefused("The NIfTI file holds values that are no numbers.")
        low, high = min(low, float(real.min())), max(high, float(real.max()))
        whole = whole and bool(np.all(real == np.rint(real)))
        if len(values) <= MOST_LABELS:
            values.update(np.unique(real).tolist())
    if low == high:
        raise FileRefused("The NIfTI image is empty: all its voxels are equal.")
    if len(values) <= MOST_LABELS:
        raise FileRefused("The NIfTI file holds labels, not an image.")
    if whole and low >= 0 and high <= 65535:
        return NiftiVolume(stack, affine, scale, offset, 1.0, 0.0, False, time_points)
    if whole and low >= -32768 and high <= 32767:
        return NiftiVolume(stack, affine, scale, offset, 1.0, 0.0, True, time_points)
    # As the header will print them, so that stored values are made with what readers multiply by.
    slope, intercept = float(f"{(high - low) / 65535:.9g}"), float(f"{low:.9g}")
    if not slope > 0:
        raise FileRefused("The NIfTI image is empty: all its voxels are equal.")
    return NiftiVolume(stack, affine, scale, offset, slope, intercept, False, time_points)


def _instances(
    volume: NiftiVolume, file: DroppedFile, sha256: str, door: Door, out_dir: Path, scratch: Path
) -> Iterator[Accepted]:
    """Write each slice as a plain MR object and take it through the door like any other."""
    name = _description(file.name)
    times = f"The file holds {volume.time_points} volumes one after the other; the first is used."
    notes = (times,) if volume.time_points > 1 else ()
    path = scratch / "slice.dcm"
    try:
        for index, plane in enumerate(volume.voxels):
            dataset = _slice(volume, plane.astype(np.float64), index, sha256, name)
            dataset.save_as(path, enforce_file_format=True)
            accepted = read_instance(DroppedFile(file.name, path), door, out_dir, sha256)
            yield replace(accepted, instance=replace(accepted.instance, warnings=accepted.instance.warnings + notes))
    finally:
        path.unlink(missing_ok=True)


def _slice(volume: NiftiVolume, plane: npt.NDArray[np.float64], index: int, sha256: str, description: str) -> Dataset:
    real = plane * volume.scale + volume.offset
    stored = np.rint((real - volume.intercept) / volume.slope)
    kind = np.dtype("<i2" if volume.signed else "<u2")
    limits = np.iinfo(kind)
    along_rows, along_columns = volume.affine[:3, 1], volume.affine[:3, 2]
    spacing = [float(np.linalg.norm(along_rows)), float(np.linalg.norm(along_columns))]
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = MRImageStorage
    dataset.SOPInstanceUID = _uid(sha256, f"slice {index}")
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = _uid(sha256, "study"), _uid(sha256, "series")
    dataset.FrameOfReferenceUID = _uid(sha256, "frame of reference")
    dataset.Modality, dataset.ImageType = "MR", ["DERIVED", "SECONDARY"]
    dataset.PatientName, dataset.PatientID = "", f"NIfTI {sha256[:8]}"
    dataset.PatientBirthDate = dataset.PatientSex = dataset.StudyDate = dataset.StudyTime = ""
    dataset.AccessionNumber = dataset.ReferringPhysicianName = dataset.StudyID = ""
    dataset.SeriesDescription = dataset.ProtocolName = description
    dataset.SeriesNumber, dataset.InstanceNumber = 1, index + 1
    dataset.SliceThickness = _decimal(float(np.linalg.norm(volume.affine[:3, 0])))
    dataset.PixelSpacing = [_decimal(size) for size in spacing]
    directions = [*(along_columns / spacing[1]), *(along_rows / spacing[0])]
    dataset.ImageOrientationPatient = [_decimal(float(cosine)) for cosine in directions]
    dataset.ImagePositionPatient = [_decimal(float(mm)) for mm in (volume.affine @ [index, 0.0, 0.0, 1.0])[:3]]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = plane.shape
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, int(volume.signed)
    if (volume.slope, volume.intercept) != (1.0, 0.0):
        dataset.RescaleSlope, dataset.RescaleIntercept = f"{volume.slope:.9g}", f"{volume.intercept:.9g}"
        dataset.RescaleType = "US"
    dataset.PixelData = np.clip(stored, limits.min, limits.max).astype(kind).tobytes()
    return dataset


def _description(name: str) -> str:
    stem = PurePosixPath(name).name
    while ENDINGS.search(stem):
        stem = ENDINGS.sub("", stem)
    return re.sub(r"[^A-Za-z0-9*+.]+", " ", stem).strip()[:64]


def _uid(sha256: str, what: str) -> UID:
    digest = hashlib.sha256(f"{sha256}|{what}".encode()).digest()[:UUID_BYTES]
    return UID(UUID_ROOT + str(int.from_bytes(digest, "big")))


def _decimal(value: float) -> str:
    """A DS of at most 16 characters."""
    return f"{0.0 if abs(value) < 1e-9 else value:.8g}"
