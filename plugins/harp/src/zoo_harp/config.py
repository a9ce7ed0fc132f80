"""Options of the evaluator ``harp``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from zoo import UsageError

ITEM_SUFFIXES = (".csv", ".jsonl")


@dataclass(frozen=True, kw_only=True)
class HarpConfig:
    """Judging a file of responses; docs of the format: ``zoo_harp.evaluation.responses``."""

    dataset: str = ""
    """file of problems that the responses answer: .jsonl, or a .zip that holds exactly one; required"""
    skip_bad: bool = False
    """leave bad lines of either file out and say how many, instead of refusing the file"""
    k: tuple[int, ...] = ()
    """values of k for pass@k and maj@k; unset: the powers of two up to the number of samples, and that number"""
    orders: int = 5
    """random orders of the samples that maj@k is averaged over"""
    paper: tuple[str, ...] = ("Gemini 1.5 Pro",)
    """models whose published figures are shown beside ours, by name; "all": every one"""
    workers: int = 1
    """processes that check answers"""
    timeout_s: float = 2.0
    """time limit of one check in seconds, at most 10; after it the answer counts as wrong"""
    html: str = ""
    """write a page of tables and of verdicts to audit to this file"""
    items: str = ""
    """write one line for each response to this file, .csv or .jsonl"""

    def __post_init__(self) -> None:
        """Check every range."""
        for k in self.k:
            if k < 1:
                raise UsageError(f"k = {k}: expected at least 1.")
        for name, value in (("orders", self.orders), ("workers", self.workers)):
            if value < 1:
                raise UsageError(f"{name} = {value}: expected at least 1.")
        if not (math.isfinite(self.timeout_s) and 0 < self.timeout_s <= 10):
            raise UsageError(f"timeout_s = {self.timeout_s}: expected more than 0 and at most 10 seconds.")
        if self.items and Path(self.items).suffix not in ITEM_SUFFIXES:
            raise UsageError(f"items = {self.items!r}: expected a name that ends in {' or '.join(ITEM_SUFFIXES)}.")
