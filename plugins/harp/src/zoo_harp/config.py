"""Options of the evaluators ``harp`` and ``harp-agreement``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

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
        _check_timeout(self.timeout_s)
        if self.items and Path(self.items).suffix not in ITEM_SUFFIXES:
            raise UsageError(f"items = {self.items!r}: expected a name that ends in {' or '.join(ITEM_SUFFIXES)}.")


@dataclass(frozen=True, kw_only=True)
class AgreementConfig:
    """Judging the checker by a file of labelled pairs; docs of the format: ``zoo_harp.backends.pairs``."""

    beside: Literal["installed", "math-verify", "none"] = "installed"
    """another checker of the same pairs: math-verify where it is installed, or in any case, or none"""
    workers: int = 1
    """processes that check answers"""
    timeout_s: float = 2.0
    """seconds that one check may take, at most 10; after that there is no verdict"""

    def __post_init__(self) -> None:
        """Check every range."""
        if self.workers < 1:
            raise UsageError(f"workers = {self.workers}: expected at least 1.")
        _check_timeout(self.timeout_s)


def _check_timeout(seconds: float) -> None:
    if not (math.isfinite(seconds) and 0 < seconds <= 10):
        raise UsageError(f"timeout_s = {seconds}: expected more than 0 and at most 10 seconds.")
