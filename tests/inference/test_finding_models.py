"""findings.toml is read once, and refused with the entry's name where it does not fit."""

from pathlib import Path

import pytest

from dashboard.errors import ModelError
from dashboard.inference.finding_models import read_finding_models
from dashboard.study.finding_models import FEATURES, STEPS_OF


def text(**changes: str) -> str:
    """A file that fits; `changes` replace lines of the model of bulges by key, "" leaves a line out."""
    lines = ["contract = 1"]
    for name, features in FEATURES.items():
        ones = "[" + ", ".join(["1.0"] * len(features)) + "]"
        entries = {
            "features": "[" + ", ".join(f'"{one}"' for one in features) + "]",
            "centre": ones,
            "spread": ones,
            "weights": ones,
            "offsets": "[" + ", ".join(f"{-k}.0" for k in range(STEPS_OF[name])) + "]",
            "scale": "1.0",
            "shift": "0.0",
            "cut": "0.5",
        }
        if name == "bulge":
            entries |= changes
        lines += [f"[findings.{name}]", *(f"{key} = {value}" for key, value in entries.items() if value)]
    return "\n".join(lines)


def read(folder: Path, content: str):
    (folder / "findings.toml").write_text(content, encoding="utf-8")
    return read_finding_models(folder)


def test_numbers_come_as_they_stand(tmp_path: Path) -> None:
    models = read(tmp_path, text(weights="[0.5, 0.25]", cut="0.3")).models
    assert models.bulge.weights == (0.5, 0.25)
    assert models.bulge.cut == 0.3


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"weights": "[1.0]"}, "findings.bulge.weights"),
        ({"weights": ""}, "findings.bulge.weights"),
        ({"centre": "[nan, 1.0]"}, "findings.bulge.centre"),
        ({"spread": "[0.0, 1.0]"}, "findings.bulge.spread"),
        ({"features": '["bulge_mm", "age"]'}, "findings.bulge.features"),
        ({"scale": "-1.0"}, "findings.bulge.scale"),
        ({"cut": "1.0"}, "findings.bulge.cut"),
        ({"shift": "true"}, "findings.bulge.shift"),
    ],
)
def test_an_entry_that_does_not_fit_is_named(tmp_path: Path, changes: dict[str, str], named: str) -> None:
    with pytest.raises(ModelError, match=named.replace(".", r"\.")):
        read(tmp_path, text(**changes))


def test_offsets_that_rise_are_refused(tmp_path: Path) -> None:
    content = text().replace("offsets = [0.0, -1.0, -2.0]", "offsets = [0.0, 1.0, -2.0]")
    with pytest.raises(ModelError, match=r"findings\.pfirrmann\.offsets"):
        read(tmp_path, content)


def test_a_missing_file_says_to_restore_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="restore its folder"):
        read_finding_models(tmp_path)


def test_broken_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not valid TOML"):
        read(tmp_path, "contract = ")


def test_another_contract_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="contract"):
        read(tmp_path, text().replace("contract = 1", "contract = 2"))


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"findings\.modic in findings\.toml is missing"):
        read(tmp_path, text().replace("[findings.modic]", "[findings.other]"))


def test_the_file_that_ships_fits(repository: Path) -> None:
    read_finding_models(repository / "models" / "sagittal")
