"""Figures of representations and of runs."""
