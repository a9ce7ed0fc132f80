"""Optimal transport between weighted point clouds: exact, entropic and sliced solvers."""
