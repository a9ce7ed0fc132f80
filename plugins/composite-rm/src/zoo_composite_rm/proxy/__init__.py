"""Proxy points: up to which score each reward model is still a good proxy of the truth, and how to find it."""
