"""The shape a dented outline had before: an ellipse through the part of it that nothing touches."""

import numpy as np
import numpy.typing as npt

from dashboard.study.geometry import Array

# Fewer points than this do not hold the five numbers of an ellipse against the pixel grid.
LEAST_POINTS = 12
# conic b^2 - 4ac < 0 with a margin: nearer to zero the ellipse runs away to a parabola.
LEAST_DETERMINANT = 1e-9


def fit_ellipse(points: npt.ArrayLike) -> Array | None:
    """Least-squares ellipse through points (n, 2), or None where they do not hold one.

    Direct fit of Fitzgibbon in the stable form of Halir and Flusser 1998.

    Returns
    -------
    array (6)
        a, b, c, d, e, f of ``a r^2 + b r s + c s^2 + d r + e s + f``, negative inside.
    """
    points = np.asarray(points, np.float64)
    if len(points) < LEAST_POINTS:
        return None
    centre, scale = points.mean(axis=0), float(points.std()) or 1.0
    r, s = ((points - centre) / scale).T
    quadratic, linear = np.stack([r * r, r * s, s * s]), np.stack([r, s, np.ones_like(r)])
    s1, s2, s3 = quadratic @ quadratic.T, quadratic @ linear.T, linear @ linear.T
    if abs(float(np.linalg.det(s3))) < LEAST_DETERMINANT:
        return None
    to_linear = -np.linalg.solve(s3, s2.T)
    reduced = s1 + s2 @ to_linear
    reduced = np.stack([reduced[2] / 2, -reduced[1], reduced[0] / 2])
    vectors = np.real(np.linalg.eig(reduced)[1])
    conditions = 4 * vectors[0] * vectors[2] - vectors[1] ** 2
    if not np.any(conditions > LEAST_DETERMINANT):
        return None
    conic = vectors[:, int(conditions.argmax())]
    conic = conic * np.sign(conic[0])
    return _unscale(np.concatenate([conic, to_linear @ conic]), centre, scale)


def inside_ellipse(conic: Array, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Pixels (rows, columns) whose centre lies within the ellipse."""
    r, s = np.ogrid[: shape[0], : shape[1]]
    a, b, c, d, e, f = conic
    return np.asarray(a * r * r + b * r * s + c * s * s + d * r + e * s + f <= 0)


def _unscale(conic: Array, centre: Array, scale: float) -> Array:
    """The conic in the coordinates the points came in."""
    a, b, c, d, e, f = conic
    a, b, c, d, e = a / scale**2, b / scale**2, c / scale**2, d / scale, e / scale
    r0, s0 = centre
    constant = a * r0 * r0 + b * r0 * s0 + c * s0 * s0 - d * r0 - e * s0 + f
    return np.array([a, b, c, d - 2 * a * r0 - b * s0, e - 2 * c * s0 - b * r0, constant])
