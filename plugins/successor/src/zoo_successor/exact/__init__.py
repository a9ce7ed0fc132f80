"""Exact representations of a known policy and model: one matrix inverse, and what follows from it."""
