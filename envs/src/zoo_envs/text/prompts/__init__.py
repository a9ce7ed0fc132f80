"""Prompts of the user's own: from a file or a data set on disk, through a chat template."""
