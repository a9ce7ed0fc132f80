"""Observations and rewards in units of what was seen so far."""
