"""Whether experiments bear out a claim, from intervals and never from points.

**What a claim says.** ``left - right`` (or ``left / right``) of the claim's statistic over seeds (interquartile mean,
mean or median) stands in the relation to the margin *on each* of the claim's environments. So it is *reproduced* if in
every environment the whole 95 % interval satisfies the relation (an intersection-union test: a false claim passes in at
most 2.5 % of cases, however many environments there are), *not reproduced* if in some environment the whole interval
violates it (at ``1 - 0.05 / k`` for k environments, for the more there are, the likelier one of them errs by chance),
and otherwise *inconclusive*. What is ours or a theorem, not a paper's, is told as *as before* or *changed*. The effect
over all environments, with seeds redrawn within each of them, is told beside the verdict and does not decide it: an
average would hide an environment where the claim fails. Paired runs are compared seed by seed: the statistic of their
differences, or of the logarithms of their ratios.

**The interval** is a bootstrap over seeds, widened for small samples (see ``zoo.stats``): a false claim passes
in at most 2.5 % of cases. Measured exceptions: 3 % at five seeds and 6 % at three for a very skewed metric (lognormal),
12 % at three for one with two separate modes, since three of a kind happen. Below ``FEWEST`` seeds nothing is decided.

**Runs that do not vary.** Runs that agree in every metric over at least two seeds, and at least once in more digits
than chance would repeat, are deterministic: their value is exact and their number is enough. Runs that agree in round
numbers only may have reached a bound, such as the largest return: this counts as exact from ``TIED`` seeds on. One run
alone proves neither. A file that was judged is exact: the claim is about what the file says. What that tells of
whoever wrote it is claimed with the bounds that the evaluator reports, where it does.

**What is missing.** A run without a value of the metric, or with NaN, is left out and counted in the sentence. Infinity
is a value: a goal that was never reached took longer than any other.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from zoo import UnknownNameError, UsageError
from zoo.runs import number
from zoo.stats import (
    FEWEST,
    LEVEL,
    NEVER,
    TIED,
    UNKNOWN,
    Floats,
    Spread,
    combined_interval,
    equal,
    finite,
    infinite,
    iqm,
    mean,
    median,
    spread,
)  # fmt: skip
from zoo_bench.schema import Claim, Suite, Term

Answer = Literal["reproduced", "not reproduced", "inconclusive"]
Records = Mapping[tuple[str, str, int], Mapping[str, float | None]]
"""(label, environment, seed) -> metric -> value of a finished run; None, or no entry, where the run has none."""
Files = Collection[tuple[str, str]]
"""(label, environment) of cells that judge a file."""
_STATISTICS = {"iqm": iqm, "mean": mean, "median": median}
_ROUND = 6  # significant digits
_FLOOR = 1e-16  # a ratio takes residuals below it for rounding


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
        exact: whether nothing varied, so that the interval is a point.
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
    missing: int = 0
    answer: Answer = "inconclusive"

    def to_json(self) -> dict[str, Any]:
        """Plain data; numbers that JSON does not have are None."""
        return {name: _plain(value) for name, value in vars(self).items()}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the runs say about a claim.

    Attributes:
        claim: which.
        answer: "reproduced", "not reproduced" or "inconclusive".
        estimate, low, high: the effect over all environments: the mean of their differences or the geometric mean of
            their ratios, and its stratified interval; NaN where an environment has none. For people, not for the
            answer.
        n: least number of seeds in an environment.
        effects: each environment by itself, in the claim's order.
        sentence: the reason for the answer.
    """

    claim: Claim
    answer: Answer
    estimate: float
    low: float
    high: float
    n: int
    effects: tuple[Effect, ...]
    sentence: str

    @property
    def words(self) -> str:
        """The answer as the claim's source allows: what is ours, or a theorem, is no reproduction of anything."""
        if self.answer == "inconclusive":
            return f"inconclusive at {_seeds(self.n)}"
        if self.claim.source in ("exact", "ours"):
            return "as before" if self.answer == "reproduced" else "changed"
        return f"{self.answer} (small model)" if self.claim.setting == "small model" else self.answer

    def to_json(self) -> dict[str, Any]:
        """Plain data; numbers that JSON does not have are None."""
        numbers = {name: _plain(getattr(self, name)) for name in ("estimate", "low", "high", "n")}
        return {
            "claim": self.claim.id,
            "text": self.claim.text,
            "claimed": claimed(self.claim),
            "source": self.claim.source,
            "where": self.claim.where,
            "setting": self.claim.setting,
            "statistic": self.claim.statistic,
            "verdict": self.words,
            **numbers,
            "environments": [effect.to_json() for effect in self.effects],
            "sentence": self.sentence,
        }


def judge(suite: Suite, records: Records) -> list[Verdict]:
    """A verdict for each claim of a suite, in its order; the same records give the same verdicts.

    Args:
        suite: what is claimed.
        records: the finished runs; those of other cells are ignored.

    Raises:
        UsageError: runs were made for a claim and no record has its metric, or a ratio meets a negative value.
    """
    return [judge_claim(claim, records, suite.files) for claim in suite.claims]


def judge_claim(claim: Claim, records: Records, files: Files = frozenset()) -> Verdict:
    """The verdict on one claim; see ``judge``. ``files`` are the cells whose values are exact at one run."""
    _check(claim, records)
    studies = [_study(claim, environment, records, files) for environment in claim.environments]
    effects = tuple(effect for effect, _ in studies)
    spreads = [found for _, found in studies]
    strict = 1.0 - (1.0 - LEVEL) / len(studies)
    violated = [_answer(claim, *_interval(claim, [found], strict)) == "not reproduced" for found in spreads]
    answer: Answer = "inconclusive"
    if all(effect.answer == "reproduced" for effect in effects):
        answer = "reproduced"
    elif any(violated):
        answer = "not reproduced"
    low, high = _interval(claim, spreads, LEVEL)
    return Verdict(
        claim=claim,
        answer=answer,
        estimate=_out(claim, float(np.mean([found.centre for found in spreads]))),
        low=low,
        high=high,
        n=min(effect.n for effect in effects),
        effects=effects,
        sentence=_sentence(claim, answer, effects, violated),
    )


@dataclass(frozen=True)
class _Sample:
    """Values of a term by seed. ``exact``: runs of this kind do not vary."""

    values: dict[int, float]
    exact: bool
    missing: int


def _study(claim: Claim, environment: str, records: Records, files: Files) -> tuple[Effect, Spread]:
    """A claim on one environment."""
    sides = [_sample(claim, term, environment, records, files) for term in claim.terms]
    missing = sum(side.missing for side in sides)
    if not all(side.values for side in sides):
        return Effect(environment=environment, missing=missing), UNKNOWN
    paired = claim.paired and len(sides) == 2 and not any(side.exact for side in sides)
    seeds = sorted(set.intersection(*(set(side.values) for side in sides))) if paired else []
    if paired:
        missing += sum(len(side.values) - len(seeds) for side in sides)
        if not seeds:
            return Effect(environment=environment, paired=True, missing=missing), UNKNOWN
    columns = [np.array([side.values[seed] for seed in seeds or sorted(side.values)]) for side in sides]
    statistic = _STATISTICS[claim.statistic]
    shown = [float(infinite(statistic(column, 0))) for column in columns]
    scaled = [_in(claim, column) for column in columns]
    constant = 0.0
    if not isinstance(claim.right, Term):
        shown.append(claim.right)
        constant = -float(_in(claim, np.array(claim.right)))
    samples, signs = [], []
    for sign, column, side in zip((1.0, -1.0), scaled, sides, strict=False):
        if side.exact:
            constant += sign * float(statistic(column, 0))
        else:
            samples.append(column)
            signs.append(sign)
    if paired:
        samples, signs = [scaled[0] - scaled[1]], [1.0]
    rng = np.random.default_rng(zlib.crc32(f"{claim.id} {environment}".encode()))  # the same verdict every time
    found = spread(samples, signs, rng, constant=constant, statistic=statistic)
    low, high = _interval(claim, [found], LEVEL)
    effect = Effect(
        environment=environment,
        left=shown[0],
        right=shown[1],
        estimate=_out(claim, found.centre),
        low=low,
        high=high,
        n=min(map(len, samples or columns)),
        paired=paired,
        exact=found.exact,
        missing=missing,
        answer=_answer(claim, low, high),
    )
    return effect, found


def _sample(claim: Claim, term: Term, environment: str, records: Records, files: Files) -> _Sample:
    rows = {seed: row for (label, env, seed), row in records.items() if (label, env) == (term.label, environment)}
    found = {seed: row.get(term.metric) for seed, row in rows.items()}
    there = {seed: value for seed, value in found.items() if value is not None and not math.isnan(value)}
    values = {seed: float(finite(value)) for seed, value in there.items()}
    if claim.scale == "ratio" and values and min(values.values()) < 0:
        raise UsageError(
            f"claim {claim.id!r}: {term.metric} of {term.label} on {environment} goes down to "
            f"{min(values.values()):.4g}, and a ratio needs values of 0 or more.",
            "Claim a difference instead.",
        )
    exact = (term.label, environment) in files or _deterministic(list(rows.values()))
    return _Sample(values, exact, len(rows) - len(values))


def _deterministic(rows: Sequence[Mapping[str, float | None]]) -> bool:
    """Whether runs agree in everything, and at least once in more digits than chance would repeat."""
    table = [{name: value for name, value in row.items() if value is not None} for row in rows]
    if len(rows) < 2 or any(row.keys() != table[0].keys() for row in table):
        return False
    columns = [np.array([row[name] for row in table]) for name in table[0]]
    particular = any(float(f"{column[0]:.{_ROUND}g}") != column[0] for column in columns)
    return particular and all(equal(column) for column in columns)


def _interval(claim: Claim, spreads: Sequence[Spread], level: float) -> tuple[float, float]:
    low, high = combined_interval(spreads, level)
    return _out(claim, low), _out(claim, high)


def _in(claim: Claim, values: Floats) -> Floats:
    """Values on the scale where the effect is a difference."""
    return np.log(np.maximum(values, _FLOOR)) if claim.scale == "ratio" else values


def _out(claim: Claim, effect: float) -> float:
    return float(infinite(math.exp(min(effect, math.log(NEVER))) if claim.scale == "ratio" else effect))


def _answer(claim: Claim, low: float, high: float) -> Answer:
    """What an interval says; NaN says nothing."""
    if math.isnan(low):
        return "inconclusive"
    margin = claim.margin
    if claim.relation == "within":
        least = 1.0 / margin if claim.scale == "ratio" else -margin
        holds, fails = least <= low and high <= margin, high < least or low > margin
    else:
        holds, fails = {
            "<": (high < margin, low >= margin),
            "<=": (high <= margin, low > margin),
            ">": (low > margin, high <= margin),
            ">=": (low >= margin, high < margin),
        }[claim.relation]
    return "reproduced" if holds else "not reproduced" if fails else "inconclusive"


def _check(claim: Claim, records: Records) -> None:
    """Refuse a metric that no run has, though some were made for it, and a ratio to a number that is not positive."""
    known = {name for row in records.values() for name, value in row.items() if value is not None}
    for term in claim.terms:
        made = any(label == term.label and environment in claim.environments for label, environment, _ in records)
        if made and term.metric not in known:
            error = UnknownNameError("metric in any finished run", term.metric, known)
            raise UsageError(f"claim {claim.id!r} compares {term.metric!r} of {term.label}: {error.message}")
    if claim.scale == "ratio" and not isinstance(claim.right, Term) and claim.right <= 0:
        raise UsageError(f"claim {claim.id!r} is a ratio to {claim.right:g}: expected a number above 0.")


# In words


def source_of(claim: Claim) -> str:
    """Whose claim it is, where, by which statistic and in which setting: "paper (abstract), mean, small model"."""
    where = f" ({claim.where})" if claim.where else ""
    return ", ".join(filter(None, (claim.source + where, claim.statistic, claim.setting)))


def claimed(claim: Claim) -> str:
    """The claim as a formula, such as ``err(reload) - err(gda) < 0``."""
    left = f"{claim.left.metric}({claim.left.label})"
    right = f"{claim.right.metric}({claim.right.label})" if isinstance(claim.right, Term) else number(claim.right)
    plain = (claim.margin == 0) if claim.scale == "difference" else (claim.margin == 1)
    if claim.relation != "within" and plain:
        return f"{left} {claim.relation} {right}"
    joined = f"{left} {'/' if claim.scale == 'ratio' else '-'} {right}"
    if claim.relation != "within":
        return f"{joined} {claim.relation} {number(claim.margin)}"
    if claim.scale == "ratio":
        return f"{number(1 / claim.margin)} <= {joined} <= {number(claim.margin)}"
    return f"|{joined}| <= {number(claim.margin)}"


def _sentence(claim: Claim, answer: Answer, effects: Sequence[Effect], violated: Sequence[bool]) -> str:
    """Why: the environment that decided, in numbers."""
    candidates = [
        effect
        for effect, fails in zip(effects, violated, strict=True)
        if (fails if answer == "not reproduced" else effect.answer != "reproduced" or answer == "reproduced")
    ]
    told = min(candidates, key=lambda effect: _slack(claim, effect))
    left, right = claim.left.label, claim.right.label if isinstance(claim.right, Term) else number(claim.right)
    if told.n == 0:
        if told.paired:
            return f"On {told.environment} {left} and {right} have no seed in common."
        if told.missing:
            return f"On {told.environment} {_runs(told.missing)} ended without a value of what is compared."
        either = f" or of {right}" if isinstance(claim.right, Term) else ""
        return f"On {told.environment} no run of {left}{either} has a value yet."
    where = f"on {told.environment}"
    if len(effects) > 1:
        where += f", the {'tightest' if answer == 'reproduced' else 'worst'} of {len(effects)}"
    rest = f"; {_runs(told.missing)} had no value or partner" if told.missing else ""
    metrics = " and ".join(dict.fromkeys(term.metric for term in claim.terms))
    sign = "over" if claim.scale == "ratio" else "minus"
    what, shift = f"{metrics}: {left} {sign} {right}", 0.0
    if not isinstance(claim.right, Term) and claim.scale == "difference":  # told as a value, not as a difference
        what, shift = f"{metrics} of {left}", claim.right
    what = f"{what} is {number(told.estimate + shift)}"
    if math.isnan(told.low):
        need = TIED if told.n >= FEWEST else FEWEST
        return f"{what} at {_seeds(told.n)} {where}; at least {need} are needed{rest}."
    ends = "exactly" if told.exact else f"[{number(told.low + shift)}, {number(told.high + shift)}]"
    return f"{what} {ends} at {_seeds(told.n)} {where}; claimed {_bound(claim, shift)}{rest}."


def _bound(claim: Claim, shift: float) -> str:
    if claim.relation != "within":
        return f"{claim.relation} {number(claim.margin + shift)}"
    least = 1 / claim.margin if claim.scale == "ratio" else shift - claim.margin
    return f"between {number(least)} and {number(claim.margin + shift)}"


def _slack(claim: Claim, effect: Effect) -> float:
    """How far inside the claim the worse end of the interval is; no interval comes first."""
    if math.isnan(effect.low):
        return -math.inf
    if claim.relation == "within":
        return claim.margin - max(abs(effect.low), abs(effect.high))
    return claim.margin - effect.high if claim.relation.startswith("<") else effect.low - claim.margin


def _seeds(count: int) -> str:
    return f"{count} seed{'s' * (count != 1)}"


def _runs(count: int) -> str:
    return f"{count} run{'s' * (count != 1)}"


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
