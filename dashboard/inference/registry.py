"""Which models there are, and that their files are the ones they claim to be."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from dashboard.errors import ModelError
from dashboard.inference.finding_models import FindingModels, read_finding_models
from dashboard.inference.manifest import CANAL, COMPRESSION, SAGITTAL, Contract, read_manifest
from dashboard.inference.sessions import DEFAULT_THREADS, Session

MAX_FILE_BYTES = 5_000_000


@dataclass(frozen=True)
class ModelInfo:
    """Name, version and file of a model, as results cite it."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True)
class Models:
    """The models of one process. `threads` changes speed only, never a result.

    `sagittal` is None where its folder is missing or damaged, and `sagittal_failure` says so: then levels have no
    names, while the grade, which does not need it, stands. `findings` are the fitted models of the same folder, there
    whenever `sagittal` is.
    """

    canal: Session
    compression: Session
    threads: int = DEFAULT_THREADS
    sagittal: Session | None = None
    sagittal_failure: str = ""
    findings: FindingModels | None = None

    def describe(self) -> tuple[ModelInfo, ...]:
        """What a result must cite, in a fixed order."""
        sessions = (self.canal, self.compression, self.sagittal)
        manifests = (session.manifest for session in sessions if session is not None)
        found = tuple(ModelInfo(m.name, m.version, m.sha256) for m in manifests)
        if self.sagittal is None or self.findings is None:
            return found
        return (*found, ModelInfo("sagittal_findings", self.sagittal.manifest.version, self.findings.sha256))


def load_models(models_dir: Path, threads: int = DEFAULT_THREADS) -> Models:
    """Load and verify the models; keep the answer, it takes a fraction of a second to make.

    Parameters
    ----------
    models_dir
        Folder with one folder a model: ``canal/``, ``compression/`` and ``sagittal/``.
    threads
        Python threads that share a session.

    Raises
    ------
    ModelError
        A file of the grade's two models is missing, altered, too large or does not fit; the message names what differs.
        The same of the sagittal model is kept as `sagittal_failure`.
    """
    canal, compression = load_session(models_dir, CANAL), load_session(models_dir, COMPRESSION)
    try:
        sagittal, findings = load_session(models_dir, SAGITTAL), read_finding_models(models_dir / SAGITTAL.name)
    except ModelError as error:
        return Models(canal, compression, threads, sagittal_failure=str(error))
    return Models(canal, compression, threads, sagittal, findings=findings)


def load_session(models_dir: Path, contract: Contract) -> Session:
    """One verified model of a models folder.

    Raises
    ------
    ModelError
        A file is missing, altered, too large or does not fit.
    """
    manifest = read_manifest(models_dir / contract.name, contract)
    try:
        content = manifest.path.read_bytes()
    except OSError:
        raise ModelError(f"Model {contract.name}: {manifest.path.name} is missing; restore the model folder.") from None
    if len(content) > MAX_FILE_BYTES:
        raise ModelError(f"Model {contract.name}: file of {len(content)} bytes, at most {MAX_FILE_BYTES} are allowed.")
    found = hashlib.sha256(content).hexdigest()
    if found != manifest.sha256:
        raise ModelError(f"Model {contract.name}: sha256 is {found}, the manifest says {manifest.sha256}.")
    return Session(manifest, content)
