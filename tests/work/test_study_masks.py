"""Mask objects of a study: a sagittal series has segments of its own, made by the model that outlined them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pydicom
import pytest

from dashboard.study import Study
from dashboard.work.command import write_study_masks
from dashboard.work.triage import TriagedStudy
from tests.exchange.test_segmentation import source
from tests.screens.spines import SLICES, seen, spinal_series

MODELS = [{"name": name, "version": version} for name, version in (("compression", "1"), ("sagittal", "2"))]


@pytest.fixture
def triaged(tmp_path: Path) -> TriagedStudy:
    series = spinal_series()
    uids = [frame.sop_instance_uid for frame in series.volumes[0].frames]
    paths = [source(tmp_path / f"{number}.dcm", uid) for number, uid in enumerate(uids)]
    files: Any = tuple(SimpleNamespace(sop_instance_uid=uid, path=path) for uid, path in zip(uids, paths, strict=True))
    entry = {"series_instance_uid": series.series_instance_uid, "analysed": False}
    document = {"series": [entry], "model": MODELS}
    prediction = {series.series_instance_uid: (seen(series),)}
    return TriagedStudy(Study("2.25.10", (series,)), document, {}, files, prediction)


def test_what_was_outlined_from_the_side_is_written(triaged: TriagedStudy, tmp_path: Path) -> None:
    (path,) = write_study_masks(triaged, tmp_path)
    masks = pydicom.dcmread(path)
    assert path.name == "spine.dcm"
    algorithm = masks.SegmentSequence[0].SegmentationAlgorithmIdentificationSequence[0]
    assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("sagittal", "2")
    assert [one.SegmentLabel for one in masks.SegmentSequence][:2] == ["Vertebrae", "Intervertebral discs"]
    discs = [
        frame
        for frame, group in zip(masks.pixel_array, masks.PerFrameFunctionalGroupsSequence, strict=True)
        if group.SegmentIdentificationSequence[0].ReferencedSegmentNumber == 2
    ]
    (prediction,) = triaged.sagittal[triaged.study.series[0].series_instance_uid]
    assert len(discs) == SLICES
    assert np.array_equal(np.array(discs) > 0, prediction.native_labels == 2)


def test_without_it_nothing_is_written(triaged: TriagedStudy, tmp_path: Path) -> None:
    bare = TriagedStudy(triaged.study, triaged.document, {}, triaged.instances)
    assert write_study_masks(bare, tmp_path) == ()
