"""Wrappers that any environment can be put into, by an option: see ``zoo_envs.wrapping.options``."""
