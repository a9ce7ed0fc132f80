"""Clamps: declared values that replace what the model computes."""
