"""A made-up thoracic spine with one epidural tumour: numbers only, no patient.

Anatomy is a set of closed-form shapes around a curved canal, evaluated at any point in LPS mm, so that every
plane of every series shows the same patient. Sizes are those of an adult mid-thoracic spine to the nearest
millimetre or two; nothing here is a norm.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from dashboard.study.geometry import Array

# T2 signal of each tissue, arbitrary scanner units.
TISSUES: dict[str, float] = {
    "air": 4.0,
    "skin_fat": 620.0,
    "muscle": 190.0,
    "lung": 25.0,
    "vessel": 45.0,
    "marrow": 330.0,
    "disc": 260.0,
    "cortex": 70.0,
    "epidural_fat": 640.0,
    "csf": 980.0,
    "cord": 430.0,
    "tumour": 400.0,
}
SIGNAL = np.array(list(TISSUES.values()))
CODE = {name: code for code, name in enumerate(TISSUES)}
Paint = Callable[[npt.NDArray[np.bool_], str], None]
# Points across the thickness of a slice.
SUBSAMPLES = 3
VERTEBRA_MM, DISC_MM = 22.0, 5.0
SAC_RL_MM, SAC_AP_MM = 8.6, 7.6
CORD_RL_MM, CORD_AP_MM = 4.6, 3.5


@dataclass(frozen=True)
class Tumour:
    """An epidural mass that grows from a vertebral body into the canal.

    Attributes
    ----------
    z_mm
        Height of its thickest point.
    depth_mm
        How far its front passes the front of the sac there.
    half_height_mm
        Standard deviation of that depth along the canal.
    side
        -1 (patient's right) to 1 (left): where along the front wall it is thickest.
    """

    z_mm: float = 0.0
    depth_mm: float = 11.0
    half_height_mm: float = 8.0
    side: float = 0.35


def canal_centre(z_mm: Array) -> tuple[Array, Array]:
    """Left and back position of the canal's centre at heights `z_mm`: a gentle kyphosis and a slight sway."""
    return 2.5 * np.sin(z_mm / 80.0), 9.0 * np.cos(z_mm / 110.0) - 9.0


def tissue_at(x: Array, y: Array, z: Array, tumour: Tumour | None) -> npt.NDArray[np.uint8]:
    """Tissue code of each point; the three arrays hold LPS mm and share one shape."""
    centre_x, centre_y = canal_centre(z)
    dx, dy = x - centre_x, y - centre_y
    code = np.full(dx.shape, CODE["air"], np.uint8)

    def paint(mask: npt.NDArray[np.bool_], name: str) -> None:
        code[mask] = CODE[name]

    paint(_ellipse(dx, dy + 42, 165, 112), "skin_fat")
    paint(_ellipse(dx, dy + 44, 150, 96), "muscle")
    for side in (-1, 1):
        paint(_ellipse(dx - side * 78, dy + 62, 52, 58), "lung")
        paint(_ellipse(dx - side * 20, dy - 25, 16, 12), "skin_fat")
        paint(_ellipse(dx - side * 14, dy - 25, 10, 12.4), "muscle")
        paint(_ellipse(dx - side * 29, dy - 25, 9.5, 12.4), "muscle")
    paint(_ellipse(dx - 22, dy + 40, 11, 11), "vessel")
    _paint_bone(paint, dx, dy, z)
    paint(_ellipse(dx, dy, 10.8, 9.6), "cortex")
    paint(_ellipse(dx, dy, 9.8, 8.6), "muscle")
    paint(_ellipse(dx, dy, 10.4, 9.3) & (dy > 3.5), "epidural_fat")
    _paint_canal(paint, dx, dy, z, tumour)
    return code


def signal_of(code: npt.NDArray[np.uint8]) -> Array:
    """T2 signal of tissue codes."""
    return SIGNAL[code]


def sampled(affine: Array, shape: tuple[int, int, int], tumour: Tumour | None) -> Array:
    """Signal of each voxel of a series, averaged over the slice thickness as a scanner does.

    Parameters
    ----------
    affine
        (4, 4), (slice, row, column, 1) to LPS mm.
    shape
        Slices, rows, columns.
    tumour
        The epidural mass, or None for a spine without one.
    """
    signal = np.zeros(shape)
    rows, columns = np.meshgrid(np.arange(shape[1]), np.arange(shape[2]), indexing="ij")
    for index in range(shape[0]):
        for part in (np.arange(SUBSAMPLES) + 0.5) / SUBSAMPLES - 0.5:
            voxel = np.stack([np.full(rows.shape, index + part), rows, columns, np.ones(rows.shape)])
            x, y, z, _ = np.tensordot(affine, voxel, axes=1)
            signal[index] += signal_of(tissue_at(x, y, z, tumour)) / SUBSAMPLES
    return signal


def noisy(signal: Array, pixel_mm: float, rng: np.random.Generator) -> npt.NDArray[np.uint16]:
    """Texture, coil shading and Rician noise on slices (slices, rows, columns); 12-bit result."""
    slices, rows, columns = signal.shape
    texture = gaussian_filter(rng.standard_normal(signal.shape), (0.5, 1.6 / pixel_mm, 1.6 / pixel_mm))
    texture /= texture.std()
    depth = np.linspace(0.72, 1.18, rows)[None, :, None]
    clean = gaussian_filter(signal * (1 + 0.05 * texture) * depth, (0, 0.55, 0.55))
    real = clean + rng.normal(0, 9, (slices, rows, columns))
    imaginary = rng.normal(0, 9, (slices, rows, columns))
    return np.asarray(np.clip(np.hypot(real, imaginary), 0, 4095), dtype=np.uint16)


def _ellipse(dx: Array, dy: Array, radius_x: float | Array, radius_y: float | Array) -> npt.NDArray[np.bool_]:
    return np.asarray((dx / radius_x) ** 2 + (dy / radius_y) ** 2 < 1)


def _paint_bone(paint: Paint, dx: Array, dy: Array, z: Array) -> None:
    height = np.mod(z + VERTEBRA_MM / 2, VERTEBRA_MM + DISC_MM)
    in_body = height < VERTEBRA_MM
    near_end = in_body & ((height < 1.2) | (height > VERTEBRA_MM - 1.2))
    outline, inner = _ellipse(dx, dy + 22.5, 16.5, 13), _ellipse(dx, dy + 22.5, 15.3, 11.8)
    paint(outline & in_body, "cortex")
    paint(inner & in_body & ~near_end, "marrow")
    paint(outline & ~in_body, "disc")
    arch = _ellipse(dx, dy, 15.5, 14.5) & (dy > -9) & (height > 6)
    paint(arch, "cortex")
    paint(_ellipse(dx, dy, 14.2, 13.2) & (dy > -8) & (height > 7), "marrow")
    spinous = (np.abs(dx) < 3.4) & (dy > 9) & (dy < 36) & (height > 9)
    paint(spinous, "cortex")
    paint(spinous & (np.abs(dx) < 2.2) & (dy < 34.5), "marrow")
    transverse = (np.abs(dy - 5) < 5) & (np.abs(dx) > 11) & (np.abs(dx) < 34) & (height > 10) & (height < 19)
    paint(transverse, "cortex")
    paint(transverse & (np.abs(dy - 5) < 3.6) & (np.abs(dx) < 32.5), "marrow")


def _paint_canal(paint: Paint, dx: Array, dy: Array, z: Array, tumour: Tumour | None) -> None:
    sac = _ellipse(dx, dy, SAC_RL_MM, SAC_AP_MM)
    if tumour is None:
        paint(sac, "csf")
        paint(_ellipse(dx, dy, CORD_RL_MM, CORD_AP_MM), "cord")
        return
    swell = np.exp(-0.5 * ((z - tumour.z_mm) / tumour.half_height_mm) ** 2)
    body = _ellipse(dx - 3, dy + 21, 13.5, 12) & (np.abs(z - tumour.z_mm) < VERTEBRA_MM / 2 + 1)
    paint(body, "tumour")
    # The front is a parabola across the canal, thickest off the midline and open to the sides.
    front = -SAC_AP_MM - 1.2 + tumour.depth_mm * swell - 0.02 * (dx - 5 * tumour.side) ** 2
    mass = _ellipse(dx, dy, 10.6, 9.4) & (dy < front) & (swell > 0.08)
    # The cord gives way to the back and to the far side, is flattened, and fills what is left of the sac.
    apex = -SAC_AP_MM - 1.2 + tumour.depth_mm * swell
    push = np.clip(apex + CORD_AP_MM + 0.4, 0, 5.6)
    flat = CORD_AP_MM - 0.2 * push
    cord = _ellipse(dx + tumour.side * push, dy - 0.72 * push, CORD_RL_MM + 0.45 * push, flat)
    paint(sac, "csf")
    paint(cord & sac, "cord")
    paint(mass, "tumour")
