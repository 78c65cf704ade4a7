"""Which part of the spine a study is of, by the words of its descriptions. A hint for filters, never for a grade."""

import re
from collections.abc import Iterable

# Beginnings of words, several languages; a word may name two regions (cervicothoracic, thoracolumbar).
BEGINNINGS = {
    "cervical": ("cerv", "zervi", "hws", "hwk", "cspine", "ctspine", "craniocerv", "halswirbel", "cwz"),
    "thoracic": ("thora", "tora", "dorsal", "dorso", "bws", "bwk", "tspine", "tlspine", "brustwirbel", "twz"),
    "lumbar": ("lumb", "lomb", "lws", "lwk", "lspine", "lsspine", "tlspine", "lendenwirbel", "lwz"),
}
WITHIN = {
    "cervical": ("cervico",),
    "thoracic": ("thorac", "thorak", "torac", "dorsal"),
    "lumbar": ("lumb", "lomb"),
}
WHOLE = frozenset(
    {"whole", "total", "totale", "wholespine", "totalspine", "entiere", "completa", "ganze", "gesamte"}
    | {"ganzwirbelsaeule", "gws"}
)
REGIONS = tuple(BEGINNINGS)
PIECES = re.compile(r"[a-z]+")


def regions_of(descriptions: Iterable[str]) -> tuple[str, ...]:
    """Regions that descriptions name, cranial first; all three for a whole spine, none where none is named."""
    words = {
        piece
        for text in descriptions
        # C-spine is one word.
        for piece in PIECES.findall(text.casefold().replace("-spine", "spine").replace(" spine", "spine"))
    }
    words |= {piece for text in descriptions for piece in PIECES.findall(text.casefold())}
    if words & WHOLE:
        return REGIONS
    return tuple(
        region
        for region in REGIONS
        if any(word.startswith(BEGINNINGS[region]) or any(part in word for part in WITHIN[region]) for word in words)
    )
