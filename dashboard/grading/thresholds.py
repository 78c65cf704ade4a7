"""The numbers that turn probabilities into categories, gathered so that a model's manifest can set its own."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from dashboard.errors import ModelError


@dataclass(frozen=True)
class GradingThresholds:
    """Cuts on calibrated probabilities.

    Attributes
    ----------
    gradable_min
        Least P(gradable) of a slice that is graded; below it the answer is "not analysed".
    grade_cut
        Least combined P(>= 1a, 1b, 1c, 2, 3) for which that grade is named.
    narrowing_weight, change_weight
        What the cord's narrowing and its change against the cord beside weigh in P(>= 1a, 1b, 1c, 2, 3)
        (:mod:`dashboard.grading.beside`).
    """

    gradable_min: float = 0.5
    grade_cut: tuple[float, float, float, float, float] = (0.5, 0.5, 0.5, 0.5, 0.5)
    narrowing_weight: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)
    change_weight: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)


def thresholds_from(stated: Mapping[str, float | tuple[float, ...]]) -> GradingThresholds:
    """Thresholds of a manifest, defaults for those it does not state; others belong to inference.

    Raises
    ------
    ModelError
        One is a list where it must be a number, or not a list of as many numbers as it must be; or the manifest asks
        for what this version no longer does.
    """
    if stated.get("rules_weight"):
        raise ModelError(
            "Model compression: manifest.toml gives measurements a vote in the grade, which they no longer have; "
            "adapt the model anew."
        )
    defaults = asdict(GradingThresholds())
    known = {name: value for name, value in stated.items() if name in defaults}
    for name, value in known.items():
        if np.shape(value) != np.shape(defaults[name]):
            shape = np.shape(defaults[name])
            words = f"a list of {shape[0]} numbers" if shape else "one number"
            raise ModelError(f"Model compression: thresholds.{name} in manifest.toml must be {words}.")
    return replace(GradingThresholds(), **known)  # type: ignore[arg-type]
