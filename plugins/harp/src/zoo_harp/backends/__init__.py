"""Other checkers, asked beside ours; none of them is needed for a verdict."""
