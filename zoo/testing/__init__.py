"""Conformance kit: checks of plugins, which a plugin's own tests can call.

Each check takes names as the command line does, builds through the machinery of ``zoo train``, and raises
``AssertionError`` with one sentence that says what broke. No test framework is needed. ::

    from zoo.testing import check_algorithm


    def test_conforms() -> None:
        check_algorithm("hill-climb", "CartPole-v1")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.lazy import lazy_names

if TYPE_CHECKING:
    from zoo.testing.algorithm import check_algorithm as check_algorithm
    from zoo.testing.environment import check_environment as check_environment
    from zoo.testing.evaluator import check_evaluator as check_evaluator
    from zoo.testing.plugin import check_plugin as check_plugin
    from zoo.testing.representation import check_representation as check_representation

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {name: [f"check_{name}"] for name in ("algorithm", "environment", "evaluator", "plugin", "representation")},
)
