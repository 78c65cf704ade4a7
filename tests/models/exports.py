"""Folders of confirmed readings, made by our generator."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from dashboard.exchange.readings_folder import INDEX, SCHEMA
from models.training.labels import GRADES, IGNORE, SCENES
from models.training.samples import synthetic
from models.training.shapes import NoiseBank

MODEL = {"name": "compression", "version": "1.0.0", "sha256": "ab" * 32}


def write_export(folder: Path, people: int, each: int, sha256: str = MODEL["sha256"], seed: int = 0) -> dict[str, Any]:
    """Write `people` times `each` drawn slices as readings; every third has corrected outlines. Returns the index."""
    rng, bank = np.random.default_rng(seed), NoiseBank(seed)
    (folder / "crops").mkdir(parents=True)
    readings = []
    for number in range(people * each):
        sample, name = synthetic(rng, bank), f"reading-{number}"
        entry = {"id": name, "person": f"person-{number // each}", "study": f"study-{number // each}"}
        entry |= {"grade": GRADES[sample.rank] if sample.rank >= 0 else None, "scene": SCENES[sample.scene]}
        entry["crop"] = f"crops/{name}.npy"
        np.save(folder / entry["crop"], sample.image)
        if number % 3 == 0:
            entry["labels"] = f"crops/{name}-labels.npy"
            labels = sample.segmentation.copy()
            labels[:8] = IGNORE
            np.save(folder / entry["labels"], labels)
        readings.append(entry)
    index = {"schema": SCHEMA, "model": MODEL | {"sha256": sha256}, "readings": readings}
    write_index(folder, index)
    return index


def write_index(folder: Path, index: object) -> None:
    """Write readings.json."""
    (folder / INDEX).write_text(json.dumps(index), encoding="utf-8")
