"""Conformance kit: checks of plugins, which a plugin's own tests can call.

Each check takes names as the command line does, builds through the machinery of ``zoo train``, and raises
``AssertionError`` with one sentence that says what broke. No test framework is needed. ::

    from zoo.testing import check_algorithm


    def test_conforms() -> None:
        check_algorithm("hill-climb", "CartPole-v1")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.testing.algorithm import check_algorithm
    from zoo.testing.environment import check_environment
    from zoo.testing.evaluator import check_evaluator
    from zoo.testing.plugin import check_plugin
    from zoo.testing.representation import check_representation

__all__ = ["check_algorithm", "check_environment", "check_evaluator", "check_plugin", "check_representation"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"zoo.testing.{name.removeprefix('check_')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
