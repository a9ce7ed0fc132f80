"""Regularised policy optimisation over many tasks: registration, nothing else."""
