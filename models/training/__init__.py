"""Reproduces the models: generator, network, training, calibration, export, evaluation.

Runs apart from the dashboard with its own ``requirements.txt``::

    python -m models.training.train [--data FOLDER] [--out models]
    python -m models.training.evaluate --data FOLDER

README.md beside this file says how the optional folder of public volumes is laid out and under which licences.
"""
