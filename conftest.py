"""For every test of the workspace: a slow machine is no failure, and what takes long is marked and can be left out."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

settings.register_profile("zoo", deadline=None)
settings.load_profile("zoo")

SLOW = Path(__file__).parent / "tests" / "slow.txt"
SLOW_SECONDS = 0.1
"""A test function takes longer, all its parameters together, to be listed in ``tests/slow.txt``."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--write-slow``."""
    parser.addoption(
        "--write-slow", action="store_true", help="list the test functions that took long in tests/slow.txt"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Processes can be interrupted; every test is measured where the list of slow ones is to be written."""
    # What a shell starts in the background ignores Ctrl-C, and so would the processes that tests start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption("--write-slow"):
        config.pluginmanager.register(_Stopwatch())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests of modules that start processes ``e2e``, by what these import, and those listed ``slow``."""
    slow = set(SLOW.read_text(encoding="utf-8").split())
    for item in items:
        module = getattr(item, "module", None)
        if module is not None and any(_starts_processes(value) for value in vars(module).values()):
            item.add_marker(pytest.mark.e2e)
        if _function(item.nodeid) in slow:
            item.add_marker(pytest.mark.slow)


def _starts_processes(value: object) -> bool:
    """Whether a global of a test module is ``subprocess``, or a helper that runs the command line."""
    if isinstance(value, ModuleType):
        return value.__name__ == "subprocess"
    return getattr(value, "__module__", "") in ("tests.cli.command", "plugins.bench.tests.conftest")


def _function(nodeid: str) -> str:
    return nodeid.partition("[")[0]


class _Stopwatch:
    """Measures every test function, with its fixtures and all its parameters."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[_function(report.nodeid)] += report.duration  # type: ignore[assignment]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Replace the entries of what has run, on the controller alone where workers run it."""
        if hasattr(session.config, "workerinput"):
            return
        listed = SLOW.read_text(encoding="utf-8").split()
        kept = {name for name in listed if name not in self.seconds and Path(name.partition("::")[0]).exists()}
        kept |= {name for name, seconds in self.seconds.items() if seconds > SLOW_SECONDS}
        SLOW.write_text("".join(f"{name}\n" for name in sorted(kept)), encoding="utf-8")
