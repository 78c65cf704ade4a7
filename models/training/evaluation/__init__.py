"""Figures for evaluation.json, each through the dashboard's own inference and grading."""
