"""Grids with rewards at goals, exact models throughout."""
