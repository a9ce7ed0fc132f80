"""What the data alone tell: the solutions that people wrote, and the overlap with MATH."""
