"""Proxy points: up to which score each reward model is still a good stand-in for the truth, and how to find that."""
