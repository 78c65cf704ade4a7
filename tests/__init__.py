"""Tests; run them all with ``python3 -m tests``."""
