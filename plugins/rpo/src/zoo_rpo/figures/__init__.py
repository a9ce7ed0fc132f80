"""Figures of tasks and default policies."""
