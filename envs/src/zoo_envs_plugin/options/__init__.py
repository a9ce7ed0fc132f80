"""Options of the environments, one module a family: frozen dataclasses that load neither numpy nor gymnasium.

They live outside ``zoo_envs``, so that a command line can read them without running ``zoo_envs/__init__.py``. Defaults
equal those of the classes' constructors (a test compares the two).
"""
