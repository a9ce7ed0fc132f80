"""The order of metrics on the terminal: the return, how far it is from the optimum, then the loss."""

from __future__ import annotations

from collections.abc import Iterable

_RESIDUALS = ("err", "kkt", "gap", "oscillation")
_LAST = ("count", "length", "seconds", "lr", "learning_rate", "n_updates")


def by_meaning(names: Iterable[str]) -> list[str]:
    """Names of metrics, the most telling first; equals stay in their order."""
    return sorted(names, key=_rank)


def _rank(name: str) -> int:
    last = name.rpartition("/")[2]
    if name in ("eval/return", "episode/return"):
        return 0 if name == "eval/return" else 1
    if "return" in last:
        return 2
    if last in _RESIDUALS:
        return 3
    if "loss" in name:
        return 4
    return 6 if last in _LAST else 5
