"""Checks of environments, one aspect each."""
