"""Successor, first-occupancy and diminishing-reward representations as a plugin of zoo."""
