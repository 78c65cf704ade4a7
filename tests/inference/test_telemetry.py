"""The inference runtime tells nobody that it runs."""

import os
import subprocess
import sys
from pathlib import Path

from dashboard.settings import REPOSITORY


def test_nothing_is_prepared_to_be_sent(models_dir: Path, tmp_path: Path) -> None:
    """With telemetry on, importing the runtime leaves a session file and a device number behind."""
    code = (
        f"from pathlib import Path; from dashboard.inference import load_models; load_models(Path({str(models_dir)!r}))"
    )
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY")}
    folders = {"TMPDIR": str(tmp_path), "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment = {**kept, **folders, "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, env=environment, check=True)
    assert list(tmp_path.iterdir()) == []
