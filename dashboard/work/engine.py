"""What a process needs to analyse studies: the models, kept warm, and the thresholds they ask for."""

from dataclasses import asdict, dataclass
from pathlib import Path

from dashboard.errors import ModelError
from dashboard.grading import GradingThresholds, thresholds_from
from dashboard.inference import DEFAULT_THREADS, Models, load_models
from dashboard.study.finding_models import SpineModels


@dataclass(frozen=True)
class Engine:
    """Models and thresholds, or the reason why there are none: then nothing is graded, and every study says so."""

    models: Models | None
    thresholds: GradingThresholds
    failure: str = ""

    @property
    def sagittal_failure(self) -> str:
        """Why there is no sagittal model, empty where there is one."""
        return "" if self.models is None else self.models.sagittal_failure

    @property
    def finding_models(self) -> SpineModels | None:
        """The fitted models behind findings, None where there is no sagittal model."""
        return None if self.models is None or self.models.findings is None else self.models.findings.models

    def describe(self) -> tuple[dict[str, str], ...]:
        """The models as results cite them."""
        return () if self.models is None else tuple(asdict(info) for info in self.models.describe())


def threads_of(workers: int, cores: int) -> int:
    """Threads of the analysis of one of several workers of a machine: what speeds one study up slows others down."""
    return max(1, min(DEFAULT_THREADS, cores // workers))


def load_engine(models_dir: Path, threads: int = DEFAULT_THREADS) -> Engine:
    """Load and check the models. `threads` changes speed only.

    Raises
    ------
    ModelError
        A model folder is incomplete, altered or does not fit.
    """
    models = load_models(models_dir, threads)
    return Engine(models, thresholds_from(models.compression.manifest.thresholds))


def load_engine_or_reason(models_dir: Path, threads: int = DEFAULT_THREADS) -> Engine:
    """Load the models; where that fails, an engine that answers every study with the reason."""
    try:
        return load_engine(models_dir, threads)
    except ModelError as error:
        return Engine(None, GradingThresholds(), str(error))
