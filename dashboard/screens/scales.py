"""The published scales of other findings: what their grades mean, where they are from, and whether that was checked."""

import re
from dataclasses import dataclass

CONFIRM = "source to be confirmed"
CHECKED = "source read"


@dataclass(frozen=True)
class Scale:
    """`meaning` of the grades and `source`; `checked` where the source itself, or a page that quotes it, was read."""

    meaning: str
    source: str
    checked: bool = False


# Word in a scale's name, in small letters -> the scale.
SCALES = {
    "pfirrmann": Scale(
        "I bright, homogeneous; II inhomogeneous, perhaps a band, bright, height kept; III grey, border unclear, "
        "height kept or slightly less; IV grey to black, border lost, height kept to moderately less; V black, "
        "collapsed.",
        "Pfirrmann, disc degeneration on sagittal T2",
    ),
    "modic": Scale(
        "1: T1 dark, T2 bright (oedema); 2: T1 bright, T2 equal or bright (fat); 3: T1 and T2 dark (sclerosis).",
        "Modic, endplates and marrow beside a disc",
    ),
    "genant": Scale(
        "Height loss of a vertebral body: 0 under 20 %, 1 20 to 25 %, 2 25 to 40 %, 3 over 40 %; wedge, biconcave or "
        "crush.",
        "Genant, semiquantitative",
    ),
    "meyerding": Scale(
        "Slip over the depth of the endplate below: I to 25 %, II to 50 %, III to 75 %, IV to 100 %, V beyond.",
        "Meyerding",
    ),
    "fardon": Scale(
        "Bulge: more than a quarter of the disc's outline; herniation: a quarter or less; protrusion: less deep than "
        "its base is wide; extrusion: deeper, or without connection; sequestration: a free fragment.",
        "Lumbar disc nomenclature 2.0, Fardon 2014",
    ),
    "masuda": Scale(
        "Height of the disc over the heights of the vertebral bodies beside it; no grades.",
        "Disc height index after Masuda 2005",
    ),
    "mscc": Scale(
        "Cord diameter, front to back, against the mean of those above and below: (1 - Di / ((Da + Db) / 2)) x 100.",
        "MSCC, Miyanji 2007, Radiology 243:820",
        checked=True,
    ),
    "mcc": Scale(
        "Canal diameter, front to back, against the mean of those above and below: (1 - Di / ((Da + Db) / 2)) x 100.",
        "MCC, Fehlings 1999",
    ),
    "schizas": Scale(
        "A: CSF visible; B: roots fill the sac, each still seen; C: no single roots, no CSF, fat behind kept; D: as C, "
        "without fat behind.",
        "Schizas, axial T2",
        checked=True,
    ),
    "lee": Scale(
        "0: CSF in front kept; 1: mild loss, all roots apart; 2: some roots together; 3: one bundle.",
        "Lee, lumbar central canal, doi 10.1007/s00256-011-1102-x",
        checked=True,
    ),
    "kang": Scale(
        "0: none; 1: more than half of the space round the cord lost, cord not deformed; 2: cord deformed, no change "
        "of signal; 3: bright cord on T2 at the level.",
        "Kang, cervical canal",
        checked=True,
    ),
}


def scale_words(name: str, source_status: str) -> str:
    """What a click on a scale's name tells. The result's own word on the source counts where there is one."""
    words = set(re.findall(r"[a-z]+", name.casefold()))
    found = [scale for key, scale in SCALES.items() if key in words]
    checked = source_status == "verified" if source_status else bool(found) and all(one.checked for one in found)
    told = " ".join(f"{one.source}. {one.meaning}" for one in found) or f"{name}."
    return f"{told} {(CHECKED if checked else CONFIRM).capitalize()}."
