"""What was asked of the sagittal model, beside what was measured and what others published. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from models.training.evaluation.bars import Bar, Line, Row, find, row_of

# van der Graaf et al. 2024, doi 10.1038/s41597-024-03090-w, on patients of the same collection.
_NNUNET = "nnU-Net on SPIDER: about {}"
ON = "SPIDER, people not trained on"

BARS: tuple[Bar, ...] = (
    Bar("Dice, vertebrae, mean of people", ON, 0.93, "dice_vertebra", published=_NNUNET.format("0.92 to 0.93")),
    Bar("Dice, discs, mean of people", ON, 0.90, "dice_disc", published=_NNUNET.format("0.85 to 0.89")),
    Bar("Dice, canal, mean of people", ON, 0.93, "dice_canal", published=_NNUNET.format("0.92")),
    Bar("discs named correctly, sacrum in view", ON, 0.95, "discs_named_correctly"),
    Bar("Pfirrmann, quadratic weighted kappa", ON, 0.75, "pfirrmann_quadratic_kappa"),
    Bar("disc narrowing, AUC", ON, 0.85, "narrowing_auc"),
    Bar("disc herniation, AUC", ON, 0.85, "herniation_auc"),
    Bar("spondylolisthesis, AUC", ON, 0.90, "listhesis_auc"),
    Bar(
        "studies with a false canal-narrowing alarm, at levels without herniation, bulge or listhesis",
        ON,
        0.05,
        "canal_false_alarms_clear_levels",
        at_most=True,
    ),
)


def bars(metrics: Sequence[Line]) -> list[Row]:
    """All bars in their order."""
    return [row_of(bar, find(metrics, bar)) for bar in BARS]
