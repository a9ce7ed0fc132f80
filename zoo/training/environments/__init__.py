"""Environments as a run steps them: copies, boundaries, episode statistics, exact states, stacks of seeds."""
