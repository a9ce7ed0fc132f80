"""Whether experiments bear out a claim, from interval estimates and never from point estimates.

**What a claim says.** ``left - right`` (or ``left / right``) of the claim's statistic over seeds (interquartile mean,
mean, median, or the share of runs above a number) stands in the relation to the margin *on each* of the claim's
environments. So it is *reproduced* if in every environment the whole 95 % interval satisfies the relation (an
intersection-union test: a false claim passes in at most 2.5 % of cases, however many environments there are), *not
reproduced* if in some environment the whole interval violates it (at ``1 - 0.05 / k`` for k environments, for the more
there are, the likelier one of them errs by chance: Bonferroni's correction), and otherwise *inconclusive*. A claim that
is no paper's, but ours or a theorem, is reported as *as before* or *changed*. The effect over all environments, with
seeds redrawn within each of them, is told beside the verdict and does not decide it: an average would hide an
environment where the claim fails. Paired runs are compared seed by seed: the statistic of their differences, or of the
logarithms of their ratios.

**The interval** is a bootstrap over seeds, widened for small samples (see ``zoo.stats``): a false claim passes in at
most 2.5 % of cases. Measured exceptions: 3 % at five seeds and 6 % at three for a very skewed metric (lognormal), 12 %
at three for a bimodal one, as all three may be of one mode. Below ``zoo.stats.FEWEST`` seeds nothing is decided. Means
of skewed metrics are worse: of a lognormal one the mean lies above the upper end in 17 % of cases at five seeds, 15 %
at ten, 8 % at 100 and 4 % at 1,000, and below the lower end in less than 1 %; where one run in ten succeeds, five to
ten seeds often show none (35 to 57 %) and from 30 on the upper end errs in 3 to 4 %; where nine in ten do, the lower
end errs in 61 % at five seeds and still in 5 to 6 % from 30 on: there a claim should be about a share of runs.

**What was sampled.** Where an evaluator judges by drawing, each seed draws anew, so that its noise is in the spread
between seeds. A number's own interval (of one run's episodes, say) counts where it is the wider: the ends of the
claim's interval are at least as far out as the own intervals of all runs together put them. Equal numbers that were
sampled prove nothing: without intervals of their own the verdict is *inconclusive*.

**Runs that do not vary.** Runs that agree in every metric over at least two seeds, and at least once in more digits
than chance would repeat, are deterministic: their value is exact and their number is enough. What was sampled does not
count here, and a sampled number of such runs has its own interval alone. Runs that agree in round numbers only may have
reached a bound, such as the largest return: this counts as exact from ``zoo.stats.TIED`` seeds on. One run alone proves
neither. A file that was judged is exact: the claim is about what the file says. A claim about the model that wrote it
compares the bounds that the evaluator reports.

**What is missing.** There is no survivorship bias: where a seed that the suite asks for has no run, failed, or has no
value of the metric (or NaN), the verdict is *incomplete*. A claim may say instead that a run that failed counts as the
worst there can be (``failed = "worst"``). Infinity is a value: a goal that was never reached took longer than any
other.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zoo import UnknownNameError, UsageError
from zoo.stats import LEVEL, NEVER, UNKNOWN, Floats, Spread, combined_interval, equal, finite, infinite
from zoo_bench.claims.sentence import sentence
from zoo_bench.claims.spreads import Side, effect_spread, statistic_of
from zoo_bench.claims.verdict import Answer, Effect, Verdict
from zoo_bench.schema import Claim, Suite, Term, level_of

Records = Mapping[tuple[str, str, int], Mapping[str, float | None]]
"""(label, environment, seed) -> metric -> value of a finished run; None, or no entry, where the run has none."""
Files = Collection[tuple[str, str]]
"""(label, environment) of cells that judge a file."""
Failed = Collection[tuple[str, str, int]]
"""(label, environment, seed) of runs that were made and failed."""
MetricIntervals = Mapping[tuple[str, str, int], Mapping[str, tuple[float, float]]]
"""(label, environment, seed) -> metric that was sampled -> its own 95 % interval; NaN where it has none."""
_ROUND = 6  # significant digits
_FLOOR = 1e-16  # a ratio takes residuals below it for rounding


def judge(
    suite: Suite, records: Records, failed: Failed = frozenset(), noise: MetricIntervals | None = None
) -> list[Verdict]:
    """A verdict for each claim of a suite, in its order; the same records give the same verdicts.

    Args:
        suite: what is claimed.
        records: the finished runs; those of other cells are ignored.
        failed: the runs that were made and failed.
        noise: what of the records evaluators sampled; unset: nothing.

    Raises:
        UsageError: runs were made for a claim and no record has its metric, or a ratio meets a negative value.
    """
    by_cell: dict[tuple[str, str], dict[tuple[str, str, int], Mapping[str, float | None]]] = {}
    for key, row in records.items():
        by_cell.setdefault(key[:2], {})[key] = row
    known = _metrics(records)
    verdicts = []
    for claim in suite.claims:
        own = {key: row for cell in dict.fromkeys(_cells(claim)) for key, row in by_cell.get(cell, {}).items()}
        verdicts.append(judge_claim(claim, own, suite, failed, noise, known))
    return verdicts


def judge_claim(
    claim: Claim,
    records: Records,
    suite: Suite | None = None,
    failed: Failed = frozenset(),
    noise: MetricIntervals | None = None,
    known: Collection[str] | None = None,
) -> Verdict:
    """The verdict on one claim; see ``judge``. Without its suite, no seed is known to be missing.

    ``known`` are the metrics of all finished runs, where ``records`` are only some of them.
    """
    files = suite.files if suite else frozenset()
    asked = {(cell.label, cell.environment): cell.seeds for cell in suite.cells} if suite else {}
    _check(claim, records, _metrics(records) if known is None else known)
    claim_cells = set(_cells(claim))
    records = {key: row for key, row in records.items() if key[:2] in claim_cells}
    if claim.failed == "worst":
        records = _with_worst(claim, records, failed)
    studies = [_effect_on(claim, environment, records, files, noise or {}) for environment in claim.environments]
    effects = tuple(effect for effect, _ in studies)
    spreads = [spread_ for _, spread_ in studies]
    bonferroni_level = 1.0 - (1.0 - LEVEL) / len(studies)
    violated = [_answer(claim, *_interval(claim, [found], bonferroni_level)) == "not reproduced" for found in spreads]
    answer: Answer = "inconclusive"
    if all(effect.answer == "reproduced" for effect in effects):
        answer = "reproduced"
    elif any(violated):
        answer = "not reproduced"
    without = _missing_seeds(claim, records, asked)
    if without:
        answer = "incomplete"
    low, high = _interval(claim, spreads, LEVEL)
    return Verdict(
        claim=claim,
        answer=answer,
        estimate=_from_effect_scale(claim, float(np.mean([found.centre for found in spreads]))),
        low=low,
        high=high,
        n=min(effect.n for effect in effects),
        asked=min((len(seeds) for cell, seeds in asked.items() if cell in _cells(claim)), default=0),
        effects=effects,
        sentence=sentence(claim, answer, effects, violated, without),
    )


def _cells(claim: Claim) -> list[tuple[str, str]]:
    """Label and environment of each cell that a claim is about."""
    return [(term.label, environment) for environment in claim.environments for term in claim.terms]


def _missing_seeds(
    claim: Claim, records: Records, asked: Mapping[tuple[str, str], Sequence[int]]
) -> dict[tuple[str, str], list[int]]:
    """For each cell of a claim the seeds that were asked for and have no value; cells without any are left out."""
    without: dict[tuple[str, str], list[int]] = {}
    for environment in claim.environments:
        for term in claim.terms:
            cell = (term.label, environment)
            values = {seed: records.get((*cell, seed), {}).get(term.metric) for seed in asked.get(cell, ())}
            missing = [seed for seed, value in values.items() if value is None or math.isnan(value)]
            if missing:
                without[cell] = sorted({*without.get(cell, ()), *missing})
    return without


def _with_worst(claim: Claim, records: Records, failed: Failed) -> Records:
    """The records, with the worst value there can be for runs of the claim's cells that failed."""
    least = 0.0 if claim.scale == "ratio" else -math.inf
    worst = (math.inf, least) if claim.relation.startswith("<") else (least, math.inf)
    completed = dict(records)
    for environment in claim.environments:
        for value, term in zip(worst, claim.terms, strict=False):
            for key in failed:
                if key[:2] == (term.label, environment):
                    completed[key] = {**completed.get(key, {}), term.metric: value}
    return completed


@dataclass(frozen=True)
class _Sample:
    """Values of a term by seed, and their own intervals where they were sampled. ``fixed``: the runs do not vary."""

    values: dict[int, float]
    ends: dict[int, tuple[float, float]]
    fixed: bool
    missing: int

    def side(self, claim: Claim, sign: float, seeds: Sequence[int]) -> Side:
        """On the scale of the claim, of some seeds."""
        ends = None
        if self.ends:
            ends = _to_effect_scale(
                claim, np.array([self.ends.get(seed, (self.values[seed],) * 2) for seed in seeds]).T
            )
        values = _to_effect_scale(claim, np.array([self.values[seed] for seed in seeds]))
        return Side(sign=sign, values=values, fixed=self.fixed, ends=ends)


def _effect_on(
    claim: Claim, environment: str, records: Records, files: Files, noise: MetricIntervals
) -> tuple[Effect, Spread]:
    """A claim on one environment."""
    found = [_sample(claim, term, environment, records, files, noise) for term in claim.terms]
    missing = sum(one.missing for one in found)
    if not all(one.values for one in found):
        return Effect(environment=environment, missing=missing), UNKNOWN
    paired = claim.paired and len(found) == 2 and level_of(claim.statistic) is None
    paired = paired and not any(one.fixed for one in found)
    seeds = sorted(set.intersection(*(set(one.values) for one in found))) if paired else []
    if paired:
        missing += sum(len(one.values) - len(seeds) for one in found)
        if not seeds:
            return Effect(environment=environment, paired=True, missing=missing), UNKNOWN
    sides = [one.side(claim, sign, seeds or sorted(one.values)) for one, sign in zip(found, (1.0, -1.0), strict=False)]
    statistic = statistic_of(claim.statistic)
    plain = [np.array([one.values[seed] for seed in seeds or one.values]) for one in found]
    shown = [float(infinite(statistic(column, 0))) for column in plain]
    constant = 0.0
    if not isinstance(claim.right, Term):
        shown.append(claim.right)
        constant = -float(_to_effect_scale(claim, np.array(claim.right)))
    rng = np.random.default_rng(zlib.crc32(f"{claim.id} {environment}".encode()))  # the same verdict every time
    varies = effect_spread(sides, claim.statistic, rng, constant=constant, paired=paired)
    low, high = _interval(claim, [varies], LEVEL)
    effect = Effect(
        environment=environment,
        left=shown[0],
        right=shown[1],
        estimate=_from_effect_scale(claim, varies.centre),
        low=low,
        high=high,
        n=min(len(side.values) for side in ([side for side in sides if not side.exact] or sides)),
        paired=paired,
        sampled=any(side.ends is not None for side in sides),
        exact=varies.exact and not any(side.ends is not None for side in sides),
        missing=missing,
        answer=_answer(claim, low, high),
    )
    return effect, varies


def _sample(
    claim: Claim, term: Term, environment: str, records: Records, files: Files, noise: MetricIntervals
) -> _Sample:
    cell = (term.label, environment)
    rows = {seed: row for (*key, seed), row in records.items() if tuple(key) == cell}
    found = {seed: row.get(term.metric) for seed, row in rows.items()}
    present = {seed: value for seed, value in found.items() if value is not None and not math.isnan(value)}
    values = {seed: float(finite(value)) for seed, value in present.items()}
    if claim.scale == "ratio" and values and min(values.values()) < 0:
        raise UsageError(
            f"claim {claim.id!r}: {term.metric} of {term.label} on {environment} goes down to "
            f"{min(values.values()):.4g}, and a ratio needs values of 0 or more.",
            "Claim a difference instead.",
        )
    sampled_intervals = {seed: noise.get((*cell, seed), {}) for seed in rows}
    unsampled = [
        {name: value for name, value in row.items() if name not in sampled_intervals[seed]}
        for seed, row in rows.items()
    ]
    ends = {seed: sampled_intervals[seed][term.metric] for seed in values if term.metric in sampled_intervals[seed]}
    return _Sample(values, ends, cell in files or _deterministic(unsampled), len(rows) - len(values))


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
    return _from_effect_scale(claim, low), _from_effect_scale(claim, high)


def _to_effect_scale(claim: Claim, values: Floats) -> Floats:
    """Values on the scale where the effect is a difference."""
    return np.log(np.maximum(values, _FLOOR)) if claim.scale == "ratio" else values


def _from_effect_scale(claim: Claim, effect: float) -> float:
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


def _metrics(records: Records) -> set[str]:
    return {name for row in records.values() for name, value in row.items() if value is not None}


def _check(claim: Claim, records: Records, known: Collection[str]) -> None:
    """Refuse a metric that no run has, though some were made for it, and a ratio to a number that is not positive."""
    for term in claim.terms:
        made = any(label == term.label and environment in claim.environments for label, environment, _ in records)
        if made and term.metric not in known:
            error = UnknownNameError("metric in any finished run", term.metric, known)
            raise UsageError(f"claim {claim.id!r} compares {term.metric!r} of {term.label}: {error.message}")
    if claim.scale == "ratio" and not isinstance(claim.right, Term) and claim.right <= 0:
        raise UsageError(f"claim {claim.id!r} is a ratio to {claim.right:g}: expected a number above 0.")
