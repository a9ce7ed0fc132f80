"""Loading POT (Flamary et al. 2021, "POT: Python Optimal Transport"), the library behind every solver here."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

_SWITCH = "POT_BACKEND_DISABLE_PYTORCH"


def pot(*, torch: bool = True) -> Any:
    """The module ``ot``.

    Args:
        torch: False: if POT is not loaded yet and neither is torch, load it without its torch backend, which takes
            half the time. The backend is then missing in this process, so only a process of our own may ask for that.
    """
    skip = not torch and "ot" not in sys.modules and "torch" not in sys.modules and _SWITCH not in os.environ
    if skip:
        os.environ[_SWITCH] = "1"
    try:
        return import_module("ot")
    finally:
        if skip:
            del os.environ[_SWITCH]
