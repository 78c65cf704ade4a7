"""Confirmed readings as a folder that the model can be adapted from; its format stands in models/training/README.md."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dashboard.errors import RecordsError

SCHEMA = "spine-triage-readings/1"
INDEX = "readings.json"
PRIVATE_DIR, PRIVATE_FILE = 0o700, 0o600


@dataclass(frozen=True, eq=False)
class ConfirmedSlice:
    """A slice with the grade that a person told.

    `person` and `study` are keys that mean nothing outside the export; `image` is (rows, columns) float32 as the model
    saw it.
    """

    person: str
    study: str
    grade: str
    image: npt.NDArray[np.float32]


def make_folder(folder: Path) -> None:
    """Make the folder of an export, for its owner only.

    Raises
    ------
    RecordsError
        It holds something already, or cannot be made.
    """
    with _told():
        folder.mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise RecordsError("The folder for the readings is not empty: name a new one.")


def write_readings(folder: Path, model: Mapping[str, str], slices: Iterable[ConfirmedSlice]) -> int:
    """Write an export into a folder that :func:`make_folder` made; return how many slices it holds.

    The index comes last: an export that broke off has none and is not taken for a whole one.

    Parameters
    ----------
    model
        Name, version and sha256 of the model that cut the slices.

    Raises
    ------
    RecordsError
        The folder cannot be written to.
    """
    with _told():
        (folder / "crops").mkdir(mode=PRIVATE_DIR)
        entries = [_write(folder, number, one) for number, one in enumerate(slices, start=1)]
        index = {"schema": SCHEMA, "model": dict(model), "readings": entries}
        path = folder / INDEX
        path.touch(PRIVATE_FILE)
        path.write_text(json.dumps(index, indent=1), encoding="utf-8")
    return len(entries)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RecordsError(f"The folder for the readings cannot be written to: {error.strerror}.") from error


def _write(folder: Path, number: int, one: ConfirmedSlice) -> dict[str, str]:
    key = f"{number:06d}"
    crop = f"crops/{key}.npy"
    np.save(folder / crop, np.asarray(one.image, np.float32))
    return {"id": key, "person": one.person, "study": one.study, "grade": one.grade, "crop": crop}
