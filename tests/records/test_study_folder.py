"""What a finding's folder keeps of what the model saw."""

from dataclasses import fields
from pathlib import Path

import numpy as np

from dashboard.records import read_predictions, read_sagittal_masks, write_study
from dashboard.study import (
    Acquisition,
    FrameReference,
    Role,
    Series,
    SeriesPrediction,
    SlicePrediction,
    Study,
    Volume,
    plane_affine,
)
from tests.screens.spines import seen, spinal_series


def test_every_field_of_a_slice_comes_back(tmp_path: Path) -> None:
    affine = plane_affine((1, 2, 3), (1, 0, 0, 0, 1, 0), (0.5, 0.5))
    frame = FrameReference("2.25.3", 4)
    seen = SlicePrediction(
        volume_index=0,
        slice_index=7,
        frame=frame,
        affine=affine,
        pixel_mm=0.5,
        image=np.arange(4, dtype=np.float32).reshape(2, 2),
        labels=np.array([[0, 1], [2, 3]], np.uint8),
        at_least=np.array([0.9, 0.8, 0.7, 0.6, 0.5]),
        scene=np.array([0.6, 0.1, 0.1, 0.1, 0.1]),
        canal_score=0.9,
        inside=0.75,
        canal_inside=0.5,
        signal_void=True,
    )
    volume = Volume(np.zeros((1, 2, 2), np.uint16), affine, (frame,))
    series = Series("2.25.2", 1, Acquisition(), Role.AXIAL_T2, (volume,))
    prediction = SeriesPrediction("2.25.2", (seen,), (np.zeros((1, 2, 2), np.uint8),))
    write_study(tmp_path, Study("2.25.1", (series,)), {"2.25.2": prediction})
    (back,) = read_predictions(tmp_path)["2.25.2"].slices
    for field in fields(SlicePrediction):
        assert np.array_equal(getattr(back, field.name), getattr(seen, field.name)), field.name


def test_what_a_sagittal_model_outlined_comes_back(tmp_path: Path) -> None:
    series = spinal_series()
    prediction = seen(series)
    write_study(tmp_path, Study("2.25.1", (series,)), {}, {series.series_instance_uid: (prediction,)})
    ((back,),) = read_sagittal_masks(tmp_path).values()
    assert back.volume_index == 0
    assert np.array_equal(back.labels, prediction.native_labels)
    assert read_predictions(tmp_path) == {}


def test_a_folder_of_before_there_was_one_has_none(tmp_path: Path) -> None:
    write_study(tmp_path, Study("2.25.1", (spinal_series(),)), {})
    study = tmp_path / "study.json"
    study.write_text(study.read_text().replace(', "sagittal_masks": [], "sagittal_volumes": []', ""))
    assert "sagittal" not in study.read_text().replace("sagittal_t2", "")
    assert read_sagittal_masks(tmp_path) == {}
