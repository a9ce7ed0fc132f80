"""Regularised policy optimisation on exact models: many seeds and episodes as arrays."""
