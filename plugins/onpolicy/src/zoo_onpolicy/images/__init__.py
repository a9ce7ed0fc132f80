"""Observations that are images: how they lie in arrays, and the network that reads them."""
