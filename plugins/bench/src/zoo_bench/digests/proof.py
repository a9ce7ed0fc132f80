"""A digest after a change of code that changes no number: runs made anew say so, up to rounding."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from zoo import UsageError
from zoo.discovery import Registry
from zoo_bench.digests.digest import CellDigest, Digest, digest_of_suite, joined
from zoo_bench.load import Records
from zoo_bench.schema import Suite

_ROUNDING = 1e-9  # relative


def proven(suite: Suite, committed: Digest, results: Records, again: Records, registry: Registry, root: Path) -> Digest:
    """The committed digest, with the code of today for each cell whose runs came out the same.

    A cell counts where at least one of its seeds was run again, all of these by one known code, and every number of
    these runs equals the committed one up to rounding: sums come out otherwise in their last digits where fewer
    seeds advance together. What magnifies these digits (residuals, diverging runs) is proven by all seeds of its
    cell. Of cells that were not run again nothing is proven.

    Args:
        suite: resolved.
        committed: what the results depend on.
        results: the committed numbers.
        again: those of the runs made again.
        registry: all plugins.
        root: where these runs are.

    Raises:
        UsageError: nothing was run again, or no cell came out the same, or which code made it is not known.
    """
    before, after = results.by_run, again.by_run
    seeds: dict[tuple[str, str], list[int]] = {}
    for label, environment, seed in after:
        seeds.setdefault((label, environment), []).append(seed)
    if not seeds:
        raise UsageError(f"{root} has no finished run of suite {suite.name}.", f"zoo bench {suite.name} makes some.")
    other = {
        key[:2]: f"{key[0]} on {key[1]}, seed {key[2]}" for key in after if not _same(before.get(key, {}), after[key])
    }
    if other:
        numbers = f"the numbers of {joined(other.values())} are not those committed"
        if len(other) == len(seeds):
            raise UsageError(f"{numbers}: expected the same, up to rounding.")
        sys.stderr.write(f"zoo: {numbers}: nothing is proven of these cells.\n")
    cells = tuple(
        replace(cell, seeds=tuple(seeds[cell.label, cell.environment]))
        for cell in suite.cells
        if (cell.label, cell.environment) in seeds.keys() - other.keys()
    )
    made = digest_of_suite(replace(suite, cells=cells), registry, root).cells
    if unknown := [name for name, cell in made.items() if cell.code is None]:
        raise UsageError(f"which code made the runs of {joined(unknown)} is not known.", "zoo bench records it.")
    return replace(committed, cells={name: _with(old, made.get(name)) for name, old in committed.cells.items()})


def _same(old: Mapping[str, float], new: Mapping[str, float]) -> bool:
    return old.keys() == new.keys() and all(math.isclose(old[name], new[name], rel_tol=_ROUNDING) for name in old)


def _with(old: CellDigest, new: CellDigest | None) -> CellDigest:
    """A cell's digest, with the code by which it was run again; with another key it proves nothing."""
    return old if new is None or new.key != old.key else replace(old, code=new.code)
