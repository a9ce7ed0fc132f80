"""Which parts of committed results are stale: nothing is run, hashes are compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from zoo import UsageError, ZooError
from zoo.discovery import Registry
from zoo_bench.digests.digest import CellDigest, Digest, digest_of_suite, joined, read_digest
from zoo_bench.raw import tells_what_was_sampled
from zoo_bench.resolve import resolve_suite
from zoo_bench.schema import Suite


@dataclass(frozen=True, kw_only=True)
class Stale:
    """One part of committed results that is not what the suite and its plugins would give.

    Attributes:
        part: "digest", "cells", "seeds", "evaluators", "metrics", "claims", "code", or "scores".
        text: which, in a few words.
    """

    part: str
    text: str


def digest_file(suite: str, folder: Path) -> Path:
    """Where the digest of a suite is among committed results."""
    return folder / f"{suite}.digest.json"


def check_suite(suite: Suite, registry: Registry, folder: Path) -> list[Stale]:
    """What is stale of the committed results of a suite.

    Raises:
        ZooError: the suite cannot be resolved, its digest cannot be computed, or the committed one is none.
    """
    resolved = resolve_suite(suite, registry)
    raw, file = folder / f"{suite.name}.raw.csv", digest_file(suite.name, folder)
    today = digest_of_suite(resolved, registry)
    if not file.exists():
        return [Stale(part="digest", text=f"there is no {file.name}, so that what made the results is not known")]
    found = stale(read_digest(file), today)
    if any(cell.evaluators for cell in resolved.cells) and raw.exists() and not tells_what_was_sampled(raw):
        found.append(Stale(part="scores", text=f"{raw.name} does not tell which scores were sampled"))
    return found


def check_all(
    suites: Mapping[str, Suite | ZooError], registry: Registry, folder: Path
) -> dict[str, list[Stale] | ZooError]:
    """``check_suite`` of each suite; one that cannot be checked stops no other."""
    found: dict[str, list[Stale] | ZooError] = {}
    for name, suite in suites.items():
        try:
            found[name] = check_suite(suite, registry, folder) if isinstance(suite, Suite) else suite
        except UsageError as error:
            found[name] = error
    return found


def stale(committed: Digest, today: Digest) -> list[Stale]:
    """What of a committed digest is not what it would be today."""
    found = [
        Stale(part="cells", text=f"{joined(names)} {what}")
        for names, what in (
            ([name for name in committed.cells if name not in today.cells], "are no longer in the suite"),
            ([name for name in today.cells if name not in committed.cells], "have no results"),
            (_differing(committed, today, "key"), "were run with other options"),
        )
        if names
    ]
    for part in ("seeds", "evaluators"):
        if names := _differing(committed, today, part):
            found.append(Stale(part=part, text=f"other {part} of {joined(names)}"))
    for part, old, new in (
        ("metrics", committed.metrics, today.metrics), ("claims", committed.claims, today.claims),
    ):  # fmt: skip
        if names := [name for name in {**old, **new} if old.get(name) != new.get(name)]:
            found.append(Stale(part=part, text=f"other {part}: {joined(names)}"))
    return found + list(_code(committed, today))


def _both(committed: Digest, today: Digest) -> Iterator[tuple[str, CellDigest, CellDigest]]:
    return ((name, cell, today.cells[name]) for name, cell in committed.cells.items() if name in today.cells)


def _differing(committed: Digest, today: Digest, part: str) -> list[str]:
    return [name for name, old, new in _both(committed, today) if getattr(old, part) != getattr(new, part)]


def _code(committed: Digest, today: Digest) -> Iterator[Stale]:
    """The plugins whose code is another, with the number of cells that it made."""
    changed: dict[str, int] = {}
    unknown = 0
    for _, old, new in _both(committed, today):
        if old.code is None:
            unknown += 1
            continue
        plugins: dict[str, None] = {}
        for part, code in (new.code or {}).items():
            before = old.code.get(part, {})
            plugins |= dict.fromkeys(name for name in {**before, **code} if before.get(name) != code.get(name))
        for name in plugins:
            changed[name] = changed.get(name, 0) + 1
    for name, count in changed.items():
        yield Stale(part="code", text=f"the code of {name} is another ({count} of {len(committed.cells)} cells)")
    if unknown:
        yield Stale(part="code", text=f"which code made {unknown} of {len(committed.cells)} cells is not known")
