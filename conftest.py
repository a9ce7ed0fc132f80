"""For every test of the workspace: a slow machine is no failure, and modules that start processes are end to end."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import settings

settings.register_profile("zoo", deadline=None)
settings.load_profile("zoo")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests of modules that start processes ``e2e``, by what these import: ``make test-fast`` leaves them out."""
    for item in items:
        module = getattr(item, "module", None)
        if module is not None and any(_starts_processes(value) for value in vars(module).values()):
            item.add_marker(pytest.mark.e2e)


def _starts_processes(value: object) -> bool:
    """Whether a global of a test module is ``subprocess``, or a helper that runs the command line."""
    if isinstance(value, ModuleType):
        return value.__name__ == "subprocess"
    return getattr(value, "__module__", "") in ("tests.cli.command", "plugins.bench.tests.conftest")
