"""Chains, bandits and patches: where exploration and foraging are studied."""
