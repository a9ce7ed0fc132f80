"""``zoo table --check``: which committed results are stale; nothing is run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import ZooError
from zoo_bench.render import Sheet

if TYPE_CHECKING:
    from zoo.discovery import Registry
    from zoo_bench.digests import Stale
    from zoo_bench.schema import Suite

RESULTS = Path("benchmarks/results")
"""where a suite's results are committed"""


def checked(names: Sequence[str], registry: Registry, folder: Path) -> dict[str, list[Stale] | ZooError]:
    """What is stale of the results in ``folder``, by suite: of those named, or of all that have results there.

    Raises:
        ZooError: a suite that was named cannot be checked.
    """
    from zoo_bench.digests import check_all
    from zoo_bench.suite import find_suites, open_suite

    suites: dict[str, Suite | ZooError] = {}
    if names:
        for name in names:
            suite = open_suite(name, registry)
            suites[suite.name] = suite
    else:
        for name, source in find_suites(registry).items():
            if any(folder.glob(f"{name}.*")):
                try:
                    suites[name] = source.load()
                except ZooError as error:
                    suites[name] = error
    found = check_all(suites, registry, folder)
    for problem in found.values():
        if names and isinstance(problem, ZooError):
            raise problem
    return found


def sheet(found: dict[str, list[Stale] | ZooError], folder: Path) -> Sheet:
    """A row for each suite."""
    rows = [[name, *_words(problem)] for name, problem in found.items()]
    notes = [] if rows else [f"there are no results in {folder}."]
    return Sheet(title="Are the results those of today's suites and code?", head=["suite", "state", "why"],
                 rows=rows, keep=2, notes=notes)  # fmt: skip


def _words(found: list[Stale] | ZooError) -> tuple[str, str]:
    if isinstance(found, ZooError):
        return "unknown", found.message
    unknown = any(one.part == "digest" for one in found)
    return "unknown" if unknown else "stale" if found else "current", "; ".join(one.text for one in found)


def document(found: dict[str, list[Stale] | ZooError]) -> dict[str, Any]:
    """The same as plain data."""
    suites = []
    for name, problem in found.items():
        parts = [] if isinstance(problem, ZooError) else [vars(one) for one in problem]
        suites.append({"suite": name, "state": _words(problem)[0], "stale": parts,
                       "error": problem.message if isinstance(problem, ZooError) else ""})  # fmt: skip
    return {"suites": suites}
