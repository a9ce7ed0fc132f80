"""Imports of the fork server before it forks, so that no worker repeats them; named in an environment variable.

A module that fails or exits is skipped: the code that needs it reports the error.
"""

from __future__ import annotations

import importlib
import os

VARIABLE = "ZOO_PRELOAD"


def preload(names: str) -> None:
    """Import modules, separated by commas."""
    for name in filter(None, names.split(",")):
        try:
            importlib.import_module(name)
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: S112  the worker that needs it will say so
            continue


preload(os.environ.pop(VARIABLE, ""))
