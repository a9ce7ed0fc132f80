"""Other checkers to compare ours with; none of them is needed for a verdict."""
