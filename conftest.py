"""For every test of the workspace: a slow machine is no failure."""

from hypothesis import settings

settings.register_profile("zoo", deadline=None)
settings.load_profile("zoo")
