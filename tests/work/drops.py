"""Studies of several made-up people, cut from one."""

from pathlib import Path

import pydicom

SLICES = 8


def drops_of(study: Path, folder: Path, count: int, slices: int | None = SLICES) -> list[Path]:
    """Folders of `count` studies: the first slices of `study`, or all, under other numbers."""
    made = []
    for number in range(count):
        drop = folder / f"drop {number}"
        drop.mkdir()
        for path in sorted(study.iterdir())[:slices]:
            dataset = pydicom.dcmread(path)
            dataset.PatientID = f"P{number}"
            for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
                setattr(dataset, keyword, f"{dataset[keyword].value}.{number}")
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            dataset.save_as(drop / path.name)
        made.append(drop)
    return made
