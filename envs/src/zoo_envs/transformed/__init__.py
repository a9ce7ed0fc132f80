"""Environments whose observations are a transformation o = g(s) of another environment's; all else is unchanged."""
