"""An export of confirmed readings is read whole or refused with a reason a person can act on."""

import copy
import shutil
from dataclasses import replace

import numpy as np
import pytest

from dashboard.errors import InputRefused
from models.training.labels import GRADES, IGNORE
from models.training.readings import Reading, enough_to_tune, graded, people, read_readings, split
from tests.models.exports import MODEL, write_export, write_index

VERSION, SHA = MODEL["version"], MODEL["sha256"]


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readings") / "export"
    return folder, write_export(folder, people=7, each=9)


@pytest.fixture
def export(original, tmp_path):
    folder = shutil.copytree(original[0], tmp_path / "export")
    return folder, copy.deepcopy(original[1])


def refused(folder, words, version=VERSION, sha256=SHA):
    with pytest.raises(InputRefused, match=words) as caught:
        read_readings(folder, version, sha256)
    assert str(folder) not in str(caught.value)


def change(export, place=0, **values):
    folder, index = export
    index["readings"][place] |= values
    write_index(folder, index)
    return folder


def test_every_field_comes_back(original):
    folder, index = original
    found = read_readings(folder, VERSION, SHA)
    assert [r.id for r in found] == [e["id"] for e in index["readings"]]
    assert people(found) == 7
    for reading, entry in zip(found, index["readings"], strict=True):
        assert (reading.person, reading.study) == (entry["person"], entry["study"])
        assert reading.rank == (-1 if entry["grade"] is None else GRADES.index(entry["grade"]))
        assert np.array_equal(reading.image, np.load(folder / entry["crop"]))
        if "labels" in entry:
            assert np.array_equal(reading.labels, np.load(folder / entry["labels"]))
        else:
            assert (reading.labels == IGNORE).all()


def test_a_grade_makes_a_scene_gradable(export):
    folder, index = export
    place = next(k for k, e in enumerate(index["readings"]) if e["grade"] is not None)
    del index["readings"][place]["scene"]
    write_index(folder, index)
    assert read_readings(folder, VERSION, SHA)[place].scene == 0


def test_fields_added_later_are_passed_over(export):
    assert read_readings(change(export, level="T8"), VERSION, SHA)


def test_a_folder_without_index_is_refused(tmp_path):
    refused(tmp_path, r"readings\.json cannot be read")


@pytest.mark.parametrize("text", ["{", "[]", "\x00", '{"schema": "spine-triage-readings/2"}'])
def test_an_index_of_another_kind_is_refused(tmp_path, text):
    (tmp_path / "readings.json").write_text(text, encoding="utf-8")
    refused(tmp_path, r"readings\.json")


def test_an_index_without_readings_is_refused(export):
    folder, index = export
    write_index(folder, index | {"readings": []})
    refused(folder, '"readings" must be a list')


@pytest.mark.parametrize("model", [None, {}, {"name": "canal", "sha256": SHA}, {"name": "compression"}])
def test_an_index_must_name_its_model(export, model):
    folder, index = export
    write_index(folder, index | {"model": model})
    refused(folder, '"model" must hold')


def test_readings_of_another_model_are_refused(original):
    refused(original[0], "crops of another model do not fit", version="1.1.0", sha256="cd" * 32)


@pytest.mark.parametrize("key", ["person", "study"])
@pytest.mark.parametrize("value", [None, "", "  ", 7])
def test_keys_are_text(export, key, value):
    refused(change(export, **{key: value}), f'reading-0: "{key}" must be text')


def test_a_reading_without_id_is_refused(export):
    refused(change(export, place=2, id=""), 'reading number 3 needs an "id"')


@pytest.mark.parametrize("grade", ["4", "1", 2, ["2"], True])
def test_an_unknown_grade_is_refused(export, grade):
    refused(change(export, grade=grade), "reading-0: grade .* is none of 0, 1a, 1b, 1c, 2, 3")


def test_an_unknown_scene_is_refused(export):
    refused(change(export, grade=None, scene="upside_down"), "reading-0: scene 'upside_down' is none of gradable")


def test_neither_grade_nor_scene_is_refused(export):
    refused(change(export, grade=None, scene=None), "reading-0: scene None is none of")


def test_a_grade_of_an_ungradable_scene_is_refused(export):
    refused(change(export, grade="2", scene="no_cord"), "contradict each other")


def test_an_id_twice_is_refused(export):
    refused(change(export, place=1, id="reading-0"), "Reading reading-0 stands in readings.json twice")


def test_a_study_of_two_people_is_refused(export):
    refused(change(export, place=1, person="somebody else"), "reading-0 and reading-1 are of one study but two people")


def test_a_crop_of_two_readings_is_refused(export):
    refused(change(export, place=1, crop="crops/reading-0.npy"), "reading-0 and reading-1 name the same crop")


@pytest.mark.parametrize("key", ["crop", "labels"])
@pytest.mark.parametrize("file", ["../secret.npy", "/etc/passwd", "crops/../../secret.npy"])
def test_a_path_out_of_the_folder_is_refused(export, key, file):
    np.save(export[0].parent / "secret.npy", np.zeros((96, 96), np.float32))
    refused(change(export, **{key: file}), f'reading-0: "{key}" leaves the export folder')


def test_a_link_out_of_the_folder_is_refused(export):
    folder = export[0]
    np.save(folder.parent / "secret.npy", np.zeros((96, 96), np.float32))
    (folder / "crops/link.npy").symlink_to(folder.parent / "secret.npy")
    refused(change(export, crop="crops/link.npy"), "leaves the export folder")


@pytest.mark.parametrize("file", ["crops/none.npy", "crops"])
def test_a_missing_file_is_refused(export, file):
    refused(change(export, crop=file), f"reading-0: {file} is missing")


@pytest.mark.parametrize("file", [None, "", 3, "crops/\0.npy"])
def test_a_crop_must_be_named(export, file):
    refused(change(export, crop=file), 'reading-0: "crop" must name a file')


@pytest.mark.parametrize("content", [b"", b"not an array", b"\x93NUMPY\x01\x00\xff\xff{"])
def test_a_file_that_is_no_array_is_refused(export, content):
    (export[0] / "crops/reading-0.npy").write_bytes(content)
    refused(export[0], r"reading-0: crops/reading-0\.npy is not a readable \.npy file")


def test_pickled_objects_are_refused(export):
    np.save(export[0] / "crops/reading-0.npy", np.array([{}], dtype=object), allow_pickle=True)
    refused(export[0], "is not a readable")


@pytest.mark.parametrize(
    ("crop", "words"),
    [
        (np.zeros((96, 95), np.float32), r"is float32 \(96, 95\), must be float32 \(96, 96\)"),
        (np.zeros((1, 96, 96), np.float32), r"\(1, 96, 96\)"),
        (np.zeros((96, 96)), "is float64"),
        (np.full((96, 96), np.nan, np.float32), "not finite"),
        (np.full((96, 96), np.inf, np.float32), "not finite"),
        (np.full((96, 96), 300, np.float32), "runs from 300 to 300"),
        (np.full((96, 96), -0.1, np.float32), "runs from -0.1"),
    ],
)
def test_a_crop_unlike_what_a_model_sees_is_refused(export, crop, words):
    np.save(export[0] / "crops/reading-0.npy", crop)
    refused(export[0], words)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.zeros((96, 96), np.int64), "is int64"),
        (np.zeros((48, 48), np.uint8), r"\(48, 48\)"),
        (np.full((96, 96), 5, np.uint8), "its labels hold 5"),
    ],
)
def test_labels_of_another_kind_are_refused(export, labels, words):
    np.save(export[0] / "crops/reading-0-labels.npy", labels)
    refused(export[0], words)


@pytest.mark.parametrize(("persons", "each"), [(5, 30), (20, 2)])
def test_too_few_readings_or_people_are_refused(tmp_path, persons, each):
    write_export(tmp_path / "few", people=persons, each=each)
    refused(tmp_path / "few", "are too few to adapt to: at least 40 of 6 people")


def reading(number, person, rank):
    empty = np.zeros((96, 96))
    return Reading(str(number), person, person, rank, 0, empty, empty)


def test_fine_tuning_takes_more_people_and_readings():
    many = [reading(k, f"p{k % 24}", 1) for k in range(200)]
    assert enough_to_tune(many)
    assert not enough_to_tune(many[1:])
    assert not enough_to_tune([replace(r, person=f"p{k % 23}") for k, r in enumerate(many)])
    assert not enough_to_tune([*many[1:], replace(many[0], rank=-1)])


def test_the_split_keeps_people_whole_and_mixes_worst_grades():
    readings = [reading(k, f"p{k % 30}", (k % 30) // 5) for k in range(90)]
    fit, held = split(readings, seed=3)
    assert {r.id for r in fit} | {r.id for r in held} == {r.id for r in readings}
    assert not {r.person for r in fit} & {r.person for r in held}
    assert people(held) == 10
    assert {r.rank for r in held} == set(range(6))


def test_the_split_depends_on_the_seed_and_not_on_the_order():
    readings = [reading(k, f"p{k % 12}", 0) for k in range(36)]
    apart = {r.person for r in split(readings, seed=1)[1]}
    assert {r.person for r in split(readings[::-1], seed=1)[1]} == apart
    assert {r.person for r in split(readings, seed=2)[1]} != apart


def test_at_least_two_people_with_grades_are_held_out():
    readings = [reading(k, f"p{k}", 0 if k < 6 else -1) for k in range(15)]
    for seed in range(10):
        assert people(graded(split(readings, seed)[1])) >= 2
