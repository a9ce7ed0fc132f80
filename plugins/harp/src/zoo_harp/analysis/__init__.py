"""Statistics of the data alone: the solutions that people wrote, and the overlap with MATH."""
