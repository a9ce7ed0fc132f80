"""Figures of runs and claims, and what all figures share."""
