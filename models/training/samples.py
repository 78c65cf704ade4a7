"""One training sample of the compression model: a slice, its segmentation, its grade and its scene."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from models.training.anatomy import Anatomy, Frame, draw, random_frame
from models.training.appearance import (
    Look,
    draw_look,
    field_mask,
    normalise,
    paint,
    scan,
    series_window,
)
from models.training.labels import GRADES, IGNORE, SCENES, SEGMENTATION_OF_TISSUE, SIZE_PX, Tissue
from models.training.lesion import bone_part, implant
from models.training.measure import Measures, taught
from models.training.scenes import draw_elsewhere, draw_longitudinal
from models.training.shapes import NoiseBank, ellipse

# More grade 0 than about a quarter bought specificity and paid for it in high-grade sensitivity.
# 1c and 2 are told apart with the most effort, and the line between them decides who is seen first.
GRADE_WEIGHTS = np.array([0.27, 0.09, 0.09, 0.21, 0.22, 0.12])
SCENE_WEIGHTS = np.array([0.74, 0.08, 0.06, 0.07, 0.05])


@dataclass(frozen=True, slots=True)
class Sample:
    """``image`` (96, 96) float32 normalised; ``segmentation`` uint8 (255 ignored); ``rank`` -1 where none.

    ``measured`` holds the values of ``labels.MEASURED``; empty where none are known.
    """

    image: np.ndarray
    segmentation: np.ndarray
    rank: int
    scene: int
    measured: tuple[float, ...] = ()


def synthetic(rng: np.random.Generator, bank: NoiseBank, anatomies: list[Anatomy] | None = None) -> Sample:
    """Draw a sample; ``anatomies`` are real canal shapes used now and then in place of drawn ones."""
    scene = int(rng.choice(len(SCENES), p=SCENE_WEIGHTS))
    name = SCENES[scene]
    if name == "not_spine":
        return _ungraded(rng, bank, draw_elsewhere(rng), scene, keep_masks=False)
    if name == "wrong_geometry" and rng.random() < 0.3:
        return _ungraded(rng, bank, draw_longitudinal(rng), scene, keep_masks=False)
    if name == "no_cord":
        frame = random_frame(rng)
        anatomy = draw(rng, frame, "cauda")
        tissue = hard_negative(rng, frame, anatomy) if rng.random() < 0.4 else anatomy.tissue
        return _ungraded(rng, bank, tissue, scene, keep_masks=True)
    frame = _wrong_frame(rng) if name == "wrong_geometry" else random_frame(rng)
    anatomy = draw(rng, frame)
    if anatomies and name == "gradable" and rng.random() < 0.15:
        anatomy = transplant(rng, anatomy, anatomies[rng.integers(len(anatomies))])
    if name != "gradable":
        tissue, _, _ = with_grade(rng, frame, anatomy, int(rng.integers(0, 6)) if rng.random() < 0.3 else 0)
        contrast = "t1" if name == "wrong_contrast" else None
        return _ungraded(rng, bank, tissue, scene, keep_masks=name == "wrong_contrast", contrast=contrast)
    tissue, rank, measures = with_grade(rng, frame, anatomy, int(rng.choice(len(GRADES), p=GRADE_WEIGHTS)))
    look = draw_look(rng, "t2star" if rng.random() < 0.28 else "t2")
    return replace(render(rng, bank, look, tissue, anatomy.tissue, rank, scene), measured=taught(measures))


def _wrong_frame(rng: np.random.Generator) -> Frame:
    kind = rng.random()
    if kind < 0.3:
        return random_frame(rng, flip=True)
    if kind < 0.6:
        return random_frame(rng, turn=float(rng.choice([np.pi / 2, -np.pi / 2, np.pi])), flip=rng.random() < 0.3)
    return random_frame(rng, zoom=float(rng.choice([rng.uniform(1.4, 2.0), rng.uniform(0.5, 0.71)])))


def transplant(rng: np.random.Generator, anatomy: Anatomy, real: Anatomy) -> Anatomy:
    """Put a real cord and sac into drawn surroundings."""
    sac, cord = real.sac, real.cord
    if rng.random() < 0.5:
        sac, cord = sac[:, ::-1], cord[:, ::-1]
    tissue = anatomy.tissue.copy()
    stale = anatomy.sac & ~sac
    tissue[stale] = Tissue.EPIDURAL
    tissue[sac] = Tissue.CSF
    tissue[cord] = Tissue.CORD
    grey = (anatomy.tissue == Tissue.GREY) & ndimage.binary_erosion(cord, iterations=2)
    tissue[grey] = Tissue.GREY
    return Anatomy(
        tissue, sac, cord, anatomy.canal | ndimage.binary_dilation(sac, iterations=2), anatomy.bone & ~sac, "cervical"
    )


def with_grade(
    rng: np.random.Generator, frame: Frame, anatomy: Anatomy, rank: int
) -> tuple[np.ndarray, int, Measures | None]:
    """Implant a tumour of the wished rank; falls back to a milder one where the canal allows none, and says which."""
    base = hard_negative(rng, frame, anatomy) if rng.random() < (0.45 if rank == 0 else 0.15) else anatomy.tissue
    while rank > 0:
        done = implant(rng, anatomy.sac, anatomy.cord, anatomy.canal, anatomy.bone, GRADES[rank])
        if done is not None:
            break
        rank -= 1
    else:
        return base, 0, None
    tissue = base.copy()
    if done.masks.cord is not anatomy.cord:
        dr, dc = done.cord_shift_px
        moved = ndimage.shift(anatomy.tissue, (dr, dc), order=0, prefilter=False) if (dr or dc) else anatomy.tissue
        keep = np.isin(moved, (Tissue.GREY, Tissue.CORD_LESION)) & done.masks.cord
        tissue[anatomy.sac] = Tissue.CSF
        tissue[anatomy.sac & (base == Tissue.ROOT)] = Tissue.ROOT
        tissue[done.masks.cord] = Tissue.CORD
        tissue[keep] = moved[keep]
        if rank >= 4 and rng.random() < 0.15:
            tissue[ndimage.binary_erosion(done.masks.cord, iterations=2)] = Tissue.CORD_LESION
    vacated = anatomy.sac & ~done.masks.sac & ~done.masks.tumour
    tissue[vacated] = rng.choice([Tissue.LIGAMENT, Tissue.VEIN, Tissue.EPIDURAL], p=[0.6, 0.25, 0.15])
    tissue[done.bone_part] = Tissue.BONE_TUMOUR
    tissue[done.masks.tumour] = Tissue.TUMOUR
    if rng.random() < 0.35:
        edge = ndimage.binary_dilation(done.masks.tumour) & (tissue == Tissue.CSF)
        tissue[edge] = Tissue.LIGAMENT
    return tissue, rank, done.measures


def hard_negative(rng: np.random.Generator, frame: Frame, anatomy: Anatomy) -> np.ndarray:
    """What is mistaken for epidural tumour: bulges, osteophytes, thick ligament, fat, veins, disease in bone only."""
    x, y = frame.x, frame.y
    tissue = anatomy.tissue.copy()
    rows = y[anatomy.sac]
    front = float(rows.min()) if rows.size else -6.0
    room = anatomy.sac & ~anatomy.cord
    kind = rng.choice(["bulge", "flavum", "fat", "bone", "vein"], p=[0.27, 0.14, 0.16, 0.3, 0.13])
    if kind == "bulge":
        depth = rng.uniform(0.3, 2.4)
        bulge = ellipse(x, y, rng.normal(0, 3), front - 3 + depth, rng.uniform(3, 11), 3.0)
        tissue[(bulge < 0) & (room | anatomy.canal) & ~anatomy.cord] = rng.choice(
            [Tissue.DISC, Tissue.CORTEX, Tissue.LIGAMENT]
        )
    elif kind == "flavum":
        back = float(rows.max()) if rows.size else 6.0
        for sign in (-1, 1):
            place = ellipse(
                x, y, sign * rng.uniform(3, 7), back + rng.uniform(-2, 1.5), rng.uniform(2, 5), rng.uniform(1, 3)
            )
            tissue[(place < 0) & (room | anatomy.canal) & ~anatomy.cord] = Tissue.LIGAMENT
    elif kind == "fat":
        grown = ndimage.binary_dilation(anatomy.sac, iterations=int(rng.integers(2, 8))) & ~anatomy.sac
        tissue[grown & (y > rng.uniform(-4, 4))] = Tissue.EPIDURAL
    elif kind == "bone":
        tissue[bone_part(rng, np.zeros_like(anatomy.sac), anatomy.canal, anatomy.bone)] = Tissue.BONE_TUMOUR
    else:
        ring = anatomy.canal & ~anatomy.sac & (y < rng.uniform(-4, 2))
        if rng.random() < 0.6:
            # The plexus behind the vertebral body: two crescents beside the midline.
            ring &= np.abs(x) > rng.uniform(0.5, 3.0)
        tissue[ring] = Tissue.VEIN
    return tissue


def render(
    rng: np.random.Generator,
    bank: NoiseBank,
    look: Look,
    tissue: np.ndarray,
    healthy: np.ndarray,
    rank: int,
    scene: int,
) -> Sample:
    """Scan the slice and normalise it as its series would."""
    image = scan(rng, bank, paint(rng, bank, look, tissue))
    inside = field_mask(rng, SIZE_PX)
    low, high = series_window(rng, look, healthy, inside)
    if rng.random() < 0.3:
        image = high * np.clip(image / high, 0, None) ** np.float32(rng.uniform(0.75, 1.3))
    segmentation = SEGMENTATION_OF_TISSUE[tissue]
    if inside is not None:
        segmentation = np.where(inside, segmentation, 0).astype(np.uint8)
    return Sample(normalise(image, low, high, inside), segmentation, rank, scene)


def _ungraded(
    rng: np.random.Generator,
    bank: NoiseBank,
    tissue: np.ndarray,
    scene: int,
    *,
    keep_masks: bool,
    contrast: str | None = None,
) -> Sample:
    """A slice of which only the scene (and, where they mean something, the masks) is taught."""
    if contrast is None:
        contrast = str(rng.choice(["t2", "t2star", "t1"], p=[0.7, 0.15, 0.15]))
        if SCENES[scene] == "no_cord":
            contrast = "t2" if rng.random() < 0.9 else "t2star"
    sample = render(rng, bank, draw_look(rng, contrast), tissue, tissue, -1, scene)
    if keep_masks:
        return sample
    return Sample(sample.image, np.full_like(sample.segmentation, IGNORE), -1, scene)
