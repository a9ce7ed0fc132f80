"""Why a verdict is what it is: the environment that decided, in numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from zoo.runs import number
from zoo.stats import FEWEST, TIED
from zoo_bench.claims.verdict import Answer, Effect, seeds_in_words
from zoo_bench.schema import Claim, Term, level_of

_MOST = 5
"""seeds that are named"""


def sentence(
    claim: Claim,
    answer: Answer,
    effects: Sequence[Effect],
    violated: Sequence[bool],
    without: Mapping[tuple[str, str], Sequence[int]],
) -> str:
    """Why: the environment that decided, in numbers; or which seeds are missing.

    Args:
        claim: which.
        answer: the verdict's.
        effects: by environment.
        violated: whether the claim fails there.
        without: seeds without a value, by label and environment.
    """
    if without:
        (label, environment), seeds = max(without.items(), key=lambda item: len(item[1]))
        shown = ", ".join(map(str, seeds[:_MOST])) + (", ..." if len(seeds) > _MOST else "")
        rest = f"; {len(without) - 1} more of its cells lack some" if len(without) > 1 else ""
        which = f"seed{'s' * (len(seeds) > 1)} {shown}"
        return f"{label} on {environment} has no value of what is compared for {which}{rest}."
    candidates = [
        effect
        for effect, fails in zip(effects, violated, strict=True)
        if (fails if answer == "not reproduced" else effect.answer != "reproduced" or answer == "reproduced")
    ]
    decisive = min(candidates, key=lambda effect: _slack(claim, effect))
    left, right = claim.left.label, claim.right.label if isinstance(claim.right, Term) else number(claim.right)
    if decisive.n == 0:
        if decisive.paired:
            return f"On {decisive.environment} {left} and {right} have no seed in common."
        if decisive.missing:
            return f"On {decisive.environment} {_runs(decisive.missing)} ended without a value of what is compared."
        either = f" or of {right}" if isinstance(claim.right, Term) else ""
        return f"On {decisive.environment} no run of {left}{either} has a value yet."
    where = f"on {decisive.environment}"
    if len(effects) > 1:
        where += f", the {'tightest' if answer == 'reproduced' else 'worst'} of {len(effects)}"
    rest = f"; {_runs(decisive.missing)} had no value or partner" if decisive.missing else ""
    metrics = " and ".join(dict.fromkeys(term.metric for term in claim.terms))
    sign = "over" if claim.scale == "ratio" else "minus"
    metrics = f"{in_words(claim.statistic)}{metrics}"
    what, shift = f"{metrics}: {left} {sign} {right}", 0.0
    if not isinstance(claim.right, Term) and claim.scale == "difference":  # shown as a value, not as a difference
        what, shift = f"{metrics} of {left}", claim.right
    what = f"{what} is {number(decisive.estimate + shift)}"
    if math.isnan(decisive.low):
        if decisive.sampled and decisive.n >= FEWEST:
            return (
                f"{what} at {seeds_in_words(decisive.n)} {where}; equal numbers that were sampled prove nothing{rest}."
            )
        need = TIED if decisive.n >= FEWEST else FEWEST
        return f"{what} at {seeds_in_words(decisive.n)} {where}; at least {need} are needed{rest}."
    ends = "exactly" if decisive.exact else f"[{number(decisive.low + shift)}, {number(decisive.high + shift)}]"
    return f"{what} {ends} at {seeds_in_words(decisive.n)} {where}; claimed {_bound(claim, shift)}{rest}."


def in_words(statistic: str) -> str:
    """What stands before a metric: nothing for the interquartile mean, "mean " or "share above 3 of "."""
    if statistic == "iqm":
        return ""
    level = level_of(statistic)
    return f"{statistic} " if level is None else f"share above {number(level)} of "


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


def _runs(count: int) -> str:
    return f"{count} run{'s' * (count != 1)}"
