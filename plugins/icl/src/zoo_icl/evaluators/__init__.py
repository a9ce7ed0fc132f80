"""Evaluators of runs."""
