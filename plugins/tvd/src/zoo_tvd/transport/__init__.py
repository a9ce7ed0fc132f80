"""Optimal transport between weighted point clouds: exact, entropic, sliced; and Gromov-Wasserstein across dimensions."""
