"""Processes that can be killed: the symbolic tier, and batches of checks."""
