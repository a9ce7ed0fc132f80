"""Undo maps f from observations of the target to states of the source, and how each is fitted to a plan."""
