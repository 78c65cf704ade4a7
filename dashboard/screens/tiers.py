"""What the tiers, bands and states are called on screen, and the signs that stand beside the colours."""

# Tier -> (words, sign).
TIERS = {
    "immediate": ("IMMEDIATE", "◆◆"),
    "urgent": ("URGENT", "▲"),
    "not analysed": ("NOT ANALYSED", "?"),
    "soon": ("SOON", "■"),
    "routine": ("ROUTINE", "○"),
    "waiting": ("WAITING", "…"),
}
BANDS = {"low": "low", "watch": "watch", "high": "high"}
# What each grade means, after Bilsky 2010 (CLINICAL.md 1).
GRADE_WORDS = {
    "0": "no suspected tumour in the epidural space",
    "1a": "suspected epidural tumour, thecal sac not deformed",
    "1b": "thecal sac deformed, cord not touched",
    "1c": "sac deformed, cord touched but not compressed",
    "2": "cord compressed, CSF still visible around it",
    "3": "cord compressed, no CSF visible",
}
NOTICE = "Research software, not a medical device. It sorts, it never hides: a person always has the last word."


def tier_words(tier: str) -> tuple[str, str]:
    """Words and sign of a tier; an unknown one is shown as it is."""
    return TIERS.get(tier, (tier.upper(), "?"))
