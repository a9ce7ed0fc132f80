"""From the checks of a trajectory to one sentence about the run."""

from __future__ import annotations

import numpy as np

from zoo import Outcome
from zoo.tabular import InfeasibleCMDPError
from zoo_reload.core import Floats
from zoo_reload.history import History

_CYCLE = 3.0  # kkt that spans more than this factor over the last half goes up and down, or falls
_SETTLED = 1.01


def verdict(
    history: History,
    *,
    names: tuple[str, ...],
    tol: float,
    caps: Floats,
    feasible: bool | None,
    infeasibility: InfeasibleCMDPError | None,
    over: bool,
) -> Outcome:
    """The outcome so far.

    Args:
        history: at least one check.
        names: of the N constraints.
        tol: kkt at or below this counts as solved.
        caps: largest multipliers ``[N]``.
        feasible: what the linear program says; None if it was not solved.
        infeasibility: its error, if it found none feasible.
        over: the budget is used.

    Returns:
        Final if converged over the whole last half, or if the budget is used and the problem looks infeasible.
    """
    row = history.rows[-1]
    iteration, kkt = int(row[0]), float(row[1])
    N = len(names)
    violation, mu = row[3 : 3 + N], row[3 + N :]
    at_cap = [repr(name) for name, at in zip(names, np.abs(mu) >= caps * (1 - 1e-12), strict=True) if at]
    capped = f"the multiplier of {', '.join(at_cap)} is at its cap" if at_cap else ""
    since = history.within_since(tol)
    if since is not None:
        message = "; ".join(filter(None, [f"kkt <= {tol:g} from iteration {since} on", capped]))
        return Outcome("converged", f"{message}.", final=2 * since <= iteration)
    in_vain = history.pushed_in_vain(tol, caps)
    if feasible is False or (feasible is None and in_vain.any()):
        worst = names[int(np.argmax(np.where(in_vain | (not in_vain.any()), violation, -1.0)))]
        least = "" if infeasibility is None else f"; no policy gets below {infeasibility.min_violation:.6g}"
        message = f"constraint {worst!r} stays violated by {violation[names.index(worst)]:.6g}{least}."
        return Outcome("infeasible_suspected", message, final=over and bool(in_vain.any()))
    reason = "; ".join(filter(None, [capped, _reason(history)]))
    return Outcome("not_converged", f"kkt = {kkt:.3g} > {tol:g} at iteration {iteration}: {reason}.")


def _reason(history: History) -> str:
    half = history.kkt(0.5)
    low, high = float(half.min()), float(half.max())
    early, late = half[: (len(half) + 1) // 2], half[len(half) // 2 :]
    if late.max() < 0.5 * early.max():
        return "still falling, more steps may do"
    if high <= _SETTLED * low:
        return f"settled at a biased point, kkt between {low:.3g} and {high:.3g} over the last half"
    if high > _CYCLE * low:
        return f"oscillating, kkt between {low:.3g} and {high:.3g} over the last half; smaller steps may do"
    return f"hardly moving, kkt between {low:.3g} and {high:.3g} over the last half"
