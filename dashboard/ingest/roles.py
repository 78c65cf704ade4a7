"""What a series is for, and why it is not analysed: the rules declared in ``roles.toml``, applied.

Headers are written by people and lie; so every series that might be axial T2 or a 3-D T2 volume of a spine is left to
the model, whose scene output is the last judge of weighting and body part. What headers and geometry can settle on
their own is settled here, in words a clinician understands.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from dashboard.ingest.descriptions import fold
from dashboard.ingest.stacks import Stack
from dashboard.study import Acquisition, Plane, Role, plane_of, voxel_spacing

RULES_FILE = Path(__file__).with_name("roles.toml")
WORD = re.compile(r"[a-z0-9]+[*+]?")
T2_WORDS = ("t2", "t2star")
REGIONS = ("spine", "brain", "other_body")
UNKNOWN_WEIGHT = "The headers do not say how the images are weighted; the pixels alone decide."


@dataclass(frozen=True)
class Judgement:
    """Role of a series; `reason` is None when it may be analysed.

    `named_axial_t2` says that its words call it an axial T2 series, `disputed` that its timing says otherwise.
    """

    role: Role
    reason: str | None
    warnings: tuple[str, ...] = ()
    named_axial_t2: bool = False
    disputed: bool = False


@dataclass(frozen=True)
class Shape:
    """Size of the largest stack, mm; `field` is its two sides, `extent` how far its slices reach."""

    plane: Plane
    step: float
    pixel: float
    field: tuple[float, float]
    extent: float
    largest_voxel_side: float


def judge(acquisition: Acquisition, sop_class_uid: str, stacks: Sequence[Stack]) -> Judgement:
    """Return the role of frames that share one `acquisition`, and in words why they are not analysed.

    Parameters
    ----------
    acquisition
        Headers, with the echo time, b-value and image type of these frames.
    sop_class_uid
        Storage class, which tells MR from CT and from screen captures more reliably than Modality.
    stacks
        All stacks of these frames; the largest decides plane and size.
    """
    rules = declared()
    series_words = _words(acquisition.series_description, acquisition.protocol_name, acquisition.sequence_name)
    said = _signs_said(rules["words"], series_words) | _contrasts_declared(rules, acquisition)
    imaged = _image_signs(rules["image_types"], acquisition.image_type)
    modality = rules["storage_classes"].get(sop_class_uid) or acquisition.modality.upper() or "MR"
    timed = timing_weight(acquisition, rules["timing"], said)
    weight = settled_weight(said | imaged, timed, acquisition)
    shape = _shape(stacks)
    region, region_word = _region(rules, acquisition, series_words, shape)
    signs = {f"says:{sign}" for sign in said} | {f"image:{sign}" for sign in imaged}
    signs |= {f"modality:{modality}", f"weight:{weight}", f"timing:{timed}", f"region:{region}"}
    signs |= _geometry_signs(rules["geometry"], shape, stacks)
    if _contrast_given(said, acquisition):
        signs.add("contrast:given")
    planes = _signs_said(rules["plane_words"], series_words)
    facts = _facts(acquisition, shape, modality=modality, weight=weight, region_word=region_word)
    rule = next(rule for rule in rules["rule"] if _fits(rule, signs))
    reason = rule["reason"].format(**facts) if "reason" in rule else None
    warnings = _contradictions(rules, acquisition, planes, shape, region)
    if reason is None and weight == "unknown":
        warnings.append(UNKNOWN_WEIGHT)
    named = modality == "MR" and not said.isdisjoint(T2_WORDS) and planes == {"axial"}
    return Judgement(Role(rule["role"]), reason, tuple(warnings), named, rule.get("disputed", False))


@cache
def declared() -> dict[str, Any]:
    """The contents of ``roles.toml`` with every list of words and every phrase compiled."""
    rules = tomllib.loads(RULES_FILE.read_text(encoding="utf-8"))
    rules["phrases"] = [(re.compile(rf"\b({phrase})\b"), plain) for phrase, plain in rules["phrases"].items()]
    for table in ("words", "plane_words", "image_types", "acquisition_contrasts"):
        rules[table] = {sign: re.compile(pattern) for sign, pattern in rules[table].items()}
    return rules


def timing_weight(acquisition: Acquisition, limits: dict[str, Any], said: set[str]) -> str | None:
    """Weighting that TR, TE and TI (ms) amount to, or None when they are missing or fit several.

    A sequence is a gradient echo when ScanningSequence says GR without SE, or its name says so (signs in `said`).
    """
    te, tr, ti = acquisition.echo_time_ms, acquisition.repetition_time_ms, acquisition.inversion_time_ms
    if te is None or te <= 0:
        return None
    gradient_echo = "gradient_echo" in said
    if acquisition.scanning_sequence:
        gradient_echo = "GR" in acquisition.scanning_sequence and "SE" not in acquisition.scanning_sequence
    if gradient_echo:
        if te >= limits["t2star_shortest_te"]:
            return "t2star"
        return "t1" if te <= limits["t1_gradient_longest_te"] else None
    if ti:
        for weight in ("stir", "flair", "t1"):
            low, high = limits[f"{weight}_ti"]
            if weight == "stir" and not _may_invert(acquisition, said):
                continue
            if low <= ti <= high and (weight != "t1" or te <= limits["t1_longest_te"]):
                return weight
    if te >= limits["t2_shortest_te"]:
        return "t2"
    if tr is not None and te <= limits["t1_longest_te"] and tr <= limits["t1_longest_tr"]:
        return "t1"
    return "pd" if tr is not None and te <= limits["pd_longest_te"] else None


def _may_invert(acquisition: Acquisition, said: set[str]) -> bool:
    """Whether all water and fat may have been inverted: ScanningSequence or words say so, or the former is silent."""
    stated = {"SE", "GR", "EP", "IR"}.intersection(acquisition.scanning_sequence)
    return not stated or "IR" in stated or "stir" in said


def settled_weight(said: set[str], timed: str | None, acquisition: Acquisition) -> str:
    """Put together what words and timing say; ``conflict`` when they cannot both be true, ``unknown`` without either.

    A conflict is never settled in favour of one side: a T1 series read as T2 looks like a sac without CSF.
    """
    if "adc" in said:
        return "adc"
    if "dwi" in said or (acquisition.diffusion_b_value or 0) > 0:
        return "dwi"
    if "t1" in said and "t2" not in said and "flair" in said:
        return "t1"
    if "flair" in said and timed != "t1":
        return "flair"
    if "stir" in said and timed not in ("t1", "flair"):
        return "stir"
    if timed in ("flair", "stir") and "t1" not in said:
        return timed
    if "t2star" in said or (timed == "t2star" and "t1" not in said):
        return "t2star"
    if "steady_state" in said and "t1" not in said:
        return "t2"
    basic = said & {"t1", "t2", "pd"}
    if len(basic) != 1:
        return timed or "unknown"
    word = basic.pop()
    compatible = {"t1": ("t1", None), "t2": ("t2", None), "pd": ("pd", "t2", "t1", None)}
    return word if timed in compatible[word] else "conflict"


def _words(*texts: str) -> list[str]:
    """Whole words of descriptions, lower case, without accents; phrases as the one word they stand for, or none."""
    return [word for text in texts for word in _plain(text).split()]


def _plain(text: str) -> str:
    line = " ".join(WORD.findall(fold(text).lower()))
    for phrase, plain in declared()["phrases"]:
        line = phrase.sub(plain, line)
    return line


def _signs_said(patterns: dict[str, re.Pattern[str]], words: Sequence[str]) -> set[str]:
    return {sign for sign, pattern in patterns.items() if any(pattern.fullmatch(word) for word in words)}


def _image_signs(patterns: dict[str, re.Pattern[str]], image_type: Sequence[str]) -> set[str]:
    values = [value.strip().upper() for value in image_type[2:]] + [
        value.strip().upper() for value in image_type[:2] if len(value) > 2
    ]
    return {sign for sign, pattern in patterns.items() if any(pattern.fullmatch(value) for value in values)}


def _contrasts_declared(rules: dict[str, Any], acquisition: Acquisition) -> set[str]:
    value = acquisition.acquisition_contrast.strip().upper()
    return {sign for sign, pattern in rules["acquisition_contrasts"].items() if pattern.fullmatch(value)}


def _contrast_given(said: set[str], acquisition: Acquisition) -> bool:
    return bool(acquisition.contrast_bolus_agent.strip()) or (
        "after_contrast" in said and "without_contrast" not in said
    )


def _region(
    rules: dict[str, Any], acquisition: Acquisition, series_words: Sequence[str], shape: Shape | None
) -> tuple[str, str]:
    """Body region named by the series, else by the study, and the word that named it.

    BodyPartExamined counts only for a brain, and only when the field of view is a head's as well.
    """
    patterns = {region: rules["words"][region] for region in REGIONS}
    for words in (series_words, _words(acquisition.study_description)):
        named = {region: word for word in words for region, pattern in patterns.items() if pattern.fullmatch(word)}
        if "spine" in named:
            return "spine", named["spine"]
        if len(named) == 1:
            return next(iter(named.items()))
    body_part = _words(acquisition.body_part_examined)
    if (
        shape
        and _is_head_sized(rules["geometry"], shape)
        and any(patterns["brain"].fullmatch(word) for word in body_part)
    ):
        return "brain", body_part[0]
    return "unknown", ""


def _contradictions(
    rules: dict[str, Any], acquisition: Acquisition, named: set[str], shape: Shape | None, region: str
) -> list[str]:
    """What words say against geometry or against each other, so that a reader is warned and not misled.

    `named` are the planes that the words name.
    """
    found = []
    if shape and len(named) == 1 and shape.plane not in named and shape.plane is not Plane.OBLIQUE:
        found.append(f"The description says {next(iter(named))}, but by their positions the slices are {shape.plane}.")
    body_part = _words(acquisition.body_part_examined)
    believed = region in ("unknown", "spine")
    for other in ("brain", "other_body"):
        if believed and any(rules["words"][other].fullmatch(word) for word in body_part):
            found.append(f"BodyPartExamined says {' '.join(body_part)}; that alone was not believed.")
    return found


def _is_head_sized(limits: dict[str, Any], shape: Shape) -> bool:
    low, high = limits["head_field"]
    return all(low <= side <= high for side in shape.field) and shape.extent >= limits["head_extent"]


def _shape(stacks: Sequence[Stack]) -> Shape | None:
    if not stacks:
        return None
    stack = max(stacks, key=lambda item: len(item.frames))
    slices, rows, columns = stack.shape
    step, between_rows, between_columns = (float(side) for side in voxel_spacing(stack.affine))
    return Shape(
        plane=plane_of(stack.affine),
        step=step,
        pixel=max(between_rows, between_columns),
        field=(rows * between_rows, columns * between_columns),
        extent=slices * step,
        largest_voxel_side=max(step, between_rows, between_columns),
    )


def _geometry_signs(limits: dict[str, Any], shape: Shape | None, stacks: Sequence[Stack]) -> set[str]:
    if shape is None:
        return {"geometry:none"}
    signs = {f"plane:{shape.plane}"}
    if shape.largest_voxel_side <= limits["volume_largest_voxel"] and shape.extent >= limits["volume_shortest_extent"]:
        signs.add("geometry:volume")
    if shape.pixel > limits["coarsest_pixel"]:
        signs.add("geometry:coarse")
    if min(shape.field) < limits["smallest_field"]:
        signs.add("geometry:small_field")
    if looks_like_localiser(stacks):
        signs.add("geometry:three_planes")
    return signs


def looks_like_localiser(stacks: Sequence[Stack]) -> bool:
    """Whether these are a few slices in each of three planes, a localiser whatever it is called.

    A stack that a picture or two of the other planes came with, to show where it lies, is none.
    """
    limits = declared()["geometry"]
    counts: dict[int, int] = {}
    for stack in stacks:
        axis = int(np.abs(stack.affine[:3, 0] / np.linalg.norm(stack.affine[:3, 0])).argmax())
        counts[axis] = counts.get(axis, 0) + len(stack.frames)
    most, second = sorted([0, 0, *counts.values()], reverse=True)[:2]
    few, even = most <= limits["localiser_most_slices"], most < limits["localiser_uneven"] * second
    return len(counts) == 3 and few and even


def _facts(acquisition: Acquisition, shape: Shape | None, **texts: str) -> dict[str, str]:
    """What a reason may quote: cleaned words and numbers only."""
    names = {"t1": "T1", "t2": "T2", "pd": "proton density", "stir": "STIR"}
    texts["weight"] = names.get(texts["weight"], texts["weight"])
    return {
        **texts,
        "tr": _number(acquisition.repetition_time_ms),
        "te": _number(acquisition.echo_time_ms),
        "plane": str(shape.plane).capitalize() if shape else "",
        "pixel": f"{shape.pixel:.1f}" if shape else "",
        "field": f"{min(shape.field):.0f}" if shape else "",
        "step": f"{shape.step:.1f}" if shape else "",
    }


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.0f}"


def _fits(rule: dict[str, Any], signs: set[str]) -> bool:
    any_of, all_of, none_of = rule.get("any"), rule.get("all", ()), rule.get("none", ())
    return (any_of is None or not signs.isdisjoint(any_of)) and signs.issuperset(all_of) and signs.isdisjoint(none_of)
