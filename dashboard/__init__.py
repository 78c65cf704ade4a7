"""Spine Triage: grades suspected cord compression on spine MRI and orders the list by urgency."""

__version__ = "0.1.0"
