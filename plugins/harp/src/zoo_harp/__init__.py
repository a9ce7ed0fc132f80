"""HARP: a safe checker of competition-maths answers, and the benchmark's protocol; all imported at first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from zoo_harp.registration import zoo_register, zoo_suites

if TYPE_CHECKING:
    from zoo_harp.checker import Explanation, Verdict, check, check_bool, check_many, explain, warm_up

__all__ = [
    "Explanation",
    "Verdict",
    "check",
    "check_bool",
    "check_many",
    "explain",
    "warm_up",
    "zoo_register",
    "zoo_suites",
]


def __getattr__(name: str) -> Any:
    """The checker's public names, imported when first asked for."""
    if name in __all__:
        return getattr(import_module("zoo_harp.checker"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
