"""Confirmed readings of one site as a folder: read strictly, split by person. The format stands in README.md."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dashboard.errors import InputRefused
from dashboard.exchange.readings_folder import INDEX, SCHEMA
from models.training.labels import CLIP_HIGH, GRADES, IGNORE, SCENES, SEGMENTATION, SIZE_PX

MODEL = "compression"
# Five cuts of two numbers each cannot be judged on less: a third of these is what the figures stand on.
LEAST_PEOPLE, LEAST_GRADED = 6, 40
# Fine-tuning takes three groups of people (to learn from, to calibrate on, to judge by), each of several.
TUNING_PEOPLE, TUNING_GRADED = 24, 200
UNGRADED = -1
_SHAPE = (SIZE_PX, SIZE_PX)


@dataclass(frozen=True, slots=True)
class Reading:
    """One slice that a person confirmed or changed.

    ``image`` (96, 96) float32 as the model saw it; ``labels`` (96, 96) uint8, 255 where nobody corrected the outlines;
    ``rank`` of the grade, -1 where none was given; ``scene`` indexes SCENES; ``person`` and ``study`` are opaque keys.
    """

    id: str
    person: str
    study: str
    rank: int
    scene: int
    image: np.ndarray
    labels: np.ndarray


def read_readings(folder: Path, version: str, sha256: str) -> tuple[Reading, ...]:
    """Read and check a whole export; ``version`` and ``sha256`` are those of the model that will be adapted.

    Raises
    ------
    InputRefused
        At the first thing that is wrong; the message names the reading and the file.
    """
    document = _index(folder)
    _check_model(document.get("model"), version, sha256)
    entries = document.get("readings")
    if not isinstance(entries, list) or not entries:
        raise InputRefused(f'{INDEX}: "readings" must be a list with at least one reading in it.')
    readings = tuple(_reading(folder, place, entry) for place, entry in enumerate(entries))
    _check_keys(readings)
    _check_files(entries)
    _check_enough(readings)
    return readings


def graded(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    """Those with a grade."""
    return tuple(reading for reading in readings if reading.rank != UNGRADED)


def people(readings: Sequence[Reading]) -> int:
    """How many people they are of."""
    return len({reading.person for reading in readings})


def enough_to_tune(readings: Sequence[Reading]) -> bool:
    """Whether there are enough graded readings and people to fine-tune, and not only to recalibrate."""
    known = graded(readings)
    return people(known) >= TUNING_PEOPLE and len(known) >= TUNING_GRADED


def split(readings: Sequence[Reading], seed: int) -> tuple[tuple[Reading, ...], tuple[Reading, ...]]:
    """Two thirds of the people and the third kept apart; a third of those of each worst grade, as near as it goes."""
    worst: dict[str, int] = {}
    for reading in readings:
        worst[reading.person] = max(worst.get(reading.person, UNGRADED), reading.rank)
    shuffled = np.random.default_rng(seed).permutation(np.array(sorted(worst), dtype=object))
    apart = set(sorted(shuffled, key=worst.__getitem__)[1::3])
    kept = tuple(reading for reading in readings if reading.person not in apart)
    return kept, tuple(reading for reading in readings if reading.person in apart)


def _index(folder: Path) -> Mapping[str, Any]:
    try:
        document = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    except OSError:
        raise InputRefused(f"{INDEX} cannot be read: name the folder that the export made.") from None
    except ValueError:
        raise InputRefused(f"{INDEX} is not valid JSON in UTF-8: export the readings again.") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise InputRefused(f'{INDEX}: "schema" must be "{SCHEMA}": export with the software that goes with this one.')
    return document


def _check_model(model: object, version: str, sha256: str) -> None:
    """Crops are cut and normalised by the software of their model; those of another do not fit."""
    if not isinstance(model, dict) or model.get("name") != MODEL or not isinstance(model.get("sha256"), str):
        raise InputRefused(f'{INDEX}: "model" must hold name "{MODEL}", version and sha256.')
    if model["sha256"].lower() != sha256:
        raise InputRefused(
            f"These readings are of model {model.get('version')} (sha256 {model['sha256'][:12]}), the model to adapt "
            f"is {version} (sha256 {sha256[:12]}): crops of another model do not fit. Let the model to adapt analyse "
            "the studies again and export then, or name with --models the folder of the model they were made with."
        )


def _reading(folder: Path, place: int, entry: object) -> Reading:
    if not isinstance(entry, dict) or not _is_key(entry.get("id")):
        raise InputRefused(f'{INDEX}: reading number {place + 1} needs an "id" that is text and not empty.')
    name = entry["id"]
    for key in ("person", "study"):
        if not _is_key(entry.get(key)):
            raise InputRefused(f'Reading {name}: "{key}" must be text and not empty.')
    rank, scene = _grade(name, entry)
    image = _array(folder, name, entry.get("crop"), "crop", np.dtype(np.float32))
    _check_image(name, image)
    labels = np.full(_SHAPE, IGNORE, np.uint8)
    if entry.get("labels") is not None:
        labels = _array(folder, name, entry["labels"], "labels", np.dtype(np.uint8))
        _check_labels(name, labels)
    return Reading(name, entry["person"], entry["study"], rank, scene, image, labels)


def _is_key(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _grade(name: str, entry: Mapping[str, Any]) -> tuple[int, int]:
    """Rank and scene."""
    grade, scene = entry.get("grade"), entry.get("scene")
    if grade is not None and grade not in GRADES:
        raise InputRefused(f"Reading {name}: grade {grade!r} is none of {', '.join(GRADES)} (as text) or null.")
    if scene is None and grade is not None:
        scene = SCENES[0]
    if scene not in SCENES:
        raise InputRefused(f"Reading {name}: scene {scene!r} is none of {', '.join(SCENES)}; no grade, no default.")
    if grade is not None and scene != SCENES[0]:
        raise InputRefused(f"Reading {name}: grade {grade} and scene {scene} contradict each other; keep one.")
    return (UNGRADED if grade is None else GRADES.index(grade)), SCENES.index(scene)


def _array(folder: Path, name: str, file: object, key: str, dtype: np.dtype[Any]) -> np.ndarray:
    """Open one .npy file below the folder; its header is checked before its values are read."""
    if not isinstance(file, str) or not file or "\0" in file:
        raise InputRefused(f'Reading {name}: "{key}" must name a file, such as crops/{name}.npy.')
    path = (folder / file).resolve()
    if Path(file).is_absolute() or not path.is_relative_to(folder.resolve()):
        raise InputRefused(f'Reading {name}: "{key}" leaves the export folder; files must lie within it.')
    try:
        if not path.is_file():
            raise InputRefused(f"Reading {name}: {file} is missing; export again, or take the reading out of {INDEX}.")
        values = np.lib.format.open_memmap(path, mode="r")
    except (OSError, ValueError):
        raise InputRefused(f"Reading {name}: {file} is not a readable .npy file; export it again.") from None
    if values.shape != _SHAPE or values.dtype != dtype:
        raise InputRefused(f"Reading {name}: {file} is {values.dtype} {values.shape}, must be {dtype} {_SHAPE}.")
    return np.array(values, order="C")


def _check_image(name: str, image: np.ndarray) -> None:
    if not np.isfinite(image).all():
        raise InputRefused(f"Reading {name}: its crop holds values that are not finite; export it again.")
    if image.min() < 0 or image.max() > CLIP_HIGH:
        raise InputRefused(
            f"Reading {name}: its crop runs from {image.min():.3g} to {image.max():.3g}; as the model saw it, it lies "
            f"within 0 to {CLIP_HIGH}. Export the crop, not the pixels of the scan."
        )


def _check_labels(name: str, labels: np.ndarray) -> None:
    strange = sorted(set(np.unique(labels).tolist()) - {*range(len(SEGMENTATION)), IGNORE})
    if strange:
        raise InputRefused(
            f"Reading {name}: its labels hold {strange[0]}; they are 0 to {len(SEGMENTATION) - 1} "
            f"({', '.join(SEGMENTATION)}) or {IGNORE}, unknown."
        )


def _check_keys(readings: Sequence[Reading]) -> None:
    """No reading twice, and no study of two people: the split would put one person on both sides."""
    seen: set[str] = set()
    owner: dict[str, Reading] = {}
    for reading in readings:
        if reading.id in seen:
            raise InputRefused(f"Reading {reading.id} stands in {INDEX} twice; keep the one that counts.")
        seen.add(reading.id)
        first = owner.setdefault(reading.study, reading)
        if first.person != reading.person:
            raise InputRefused(f"Readings {first.id} and {reading.id} are of one study but two people; mend the keys.")


def _check_files(entries: Sequence[Mapping[str, Any]]) -> None:
    owner: dict[str, str] = {}
    for entry in entries:
        first = owner.setdefault(str(Path(entry["crop"])), entry["id"])
        if first != entry["id"]:
            raise InputRefused(f"Readings {first} and {entry['id']} name the same crop; each needs its own.")


def _check_enough(readings: Sequence[Reading]) -> None:
    known = graded(readings)
    if people(known) < LEAST_PEOPLE or len(known) < LEAST_GRADED:
        raise InputRefused(
            f"{len(known)} graded readings of {people(known)} people are too few to adapt to: at least {LEAST_GRADED} "
            f"of {LEAST_PEOPLE} people are needed. Confirm more readings and export again."
        )
