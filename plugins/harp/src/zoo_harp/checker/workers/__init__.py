"""Processes that can be killed: sympy, and batches of checks."""
