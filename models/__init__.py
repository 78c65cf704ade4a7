"""Models of Spine Triage: one folder a model, and the training package that reproduces them."""
