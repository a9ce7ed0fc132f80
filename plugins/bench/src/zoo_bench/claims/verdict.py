"""What runs say about a claim: the effect on each environment, and the verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from zoo_bench.claims.formula import formula_of
from zoo_bench.schema import Claim

Answer = Literal["reproduced", "not reproduced", "inconclusive", "incomplete"]


@dataclass(frozen=True, kw_only=True)
class Effect:
    """A claim on one environment.

    Attributes:
        environment: which.
        left, right: the claim's statistic over seeds; NaN without runs.
        estimate: the difference or ratio; NaN without runs.
        low, high: its interval; NaN where the seeds are too few for one.
        n: seeds (pairs of them, where paired) behind the interval, of the side that has fewer.
        paired: whether runs with the same seed were compared.
        exact: whether nothing varied and nothing was sampled, so that the interval is a point.
        sampled: whether an evaluator drew what was compared.
        missing: runs without a value of the metric, and those without a partner.
        answer: what this environment alone says at 95 %.
    """

    environment: str
    left: float = math.nan
    right: float = math.nan
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    n: int = 0
    paired: bool = False
    exact: bool = False
    sampled: bool = False
    missing: int = 0
    answer: Answer = "inconclusive"

    def to_json(self) -> dict[str, Any]:
        """Plain data; numbers that JSON does not have are None."""
        return {name: plain(value) for name, value in vars(self).items()}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the runs say about a claim.

    Attributes:
        claim: which.
        answer: "reproduced", "not reproduced", "inconclusive", or "incomplete" where seeds that were asked for are
            missing or failed: what the others say is in ``effects``, and decides nothing.
        estimate, low, high: the effect over all environments: the mean of their differences or the geometric mean of
            their ratios, and its stratified interval; NaN where an environment has none. For people, not for the
            answer.
        n: least number of seeds in an environment.
        asked: number of seeds that the suite asks for there; 0 where that is not known.
        effects: each environment by itself, in the claim's order.
        sentence: the reason for the answer.
    """

    claim: Claim
    answer: Answer
    estimate: float
    low: float
    high: float
    n: int
    asked: int = 0
    effects: tuple[Effect, ...]
    sentence: str

    @property
    def words(self) -> str:
        """The answer as the claim's source allows: what is ours, or a theorem, is not a reproduction of anything."""
        if self.answer == "incomplete":
            return f"incomplete at {self.n} of {seeds_in_words(self.asked)}"
        if self.answer == "inconclusive":
            return f"inconclusive at {seeds_in_words(self.n)}"
        if not self.claim.of_a_paper:
            return "as before" if self.answer == "reproduced" else "changed"
        return f"{self.answer} (small model)" if self.claim.setting == "small model" else self.answer

    def to_json(self) -> dict[str, Any]:
        """Plain data; numbers that JSON does not have are None."""
        numbers = {name: plain(getattr(self, name)) for name in ("estimate", "low", "high", "n", "asked")}
        return {
            "claim": self.claim.id,
            "text": self.claim.text,
            "claimed": formula_of(self.claim),
            "source": self.claim.source,
            "where": self.claim.where,
            "setting": self.claim.setting,
            "statistic": self.claim.statistic,
            "verdict": self.words,
            **numbers,
            "environments": [effect.to_json() for effect in self.effects],
            "sentence": self.sentence,
        }


def seeds_in_words(count: int) -> str:
    """A number of seeds as text."""
    return f"{count} seed{'s' * (count != 1)}"


def plain(value: Any) -> Any:
    """``value`` as JSON has it: None for numbers that are not finite."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
