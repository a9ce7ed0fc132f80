"""Algorithms that act: SARSA with a bonus, lambda-Q, generalised improvement, foraging."""
