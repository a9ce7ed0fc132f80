"""A claim in one line: whose it is, and as a formula."""

from __future__ import annotations

from zoo.runs import number
from zoo_bench.schema import Claim, Term


def source_of(claim: Claim) -> str:
    """Whose claim it is, where, by which statistic and in which setting: "paper (abstract), mean, small model"."""
    where = f" ({claim.where})" if claim.where else ""
    return ", ".join(filter(None, (claim.source + where, claim.statistic, claim.setting)))


def formula_of(claim: Claim) -> str:
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
