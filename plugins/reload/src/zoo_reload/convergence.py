"""From the checks of a trajectory to one sentence about the run."""

from __future__ import annotations

import numpy as np

from zoo import Outcome
from zoo.tabular import InfeasibleCMDPError
from zoo_reload.core import Floats
from zoo_reload.history import History

_CYCLE = 3.0  # kkt that spans more than this factor over the last half goes up and down, or falls
_SETTLED = 1.01


def assess(
    history: History,
    *,
    names: tuple[str, ...],
    tol: float,
    err_tol: float,
    caps: Floats,
    units: Floats,
    feasible: bool | None,
    infeasibility: InfeasibleCMDPError | None,
    over: bool,
) -> Outcome:
    """The outcome so far.

    Args:
        history: at least one check.
        names: of the N constraints.
        tol: relative kkt at or below this counts as solved,
        err_tol: unless the relative err is known to be above this.
        caps: largest multipliers ``[N]``.
        units: range of each constraint's value over all policies, ``[N]``.
        feasible: what the linear program says; None if it was not solved.
        infeasibility: its error, if it found none feasible.
        over: the budget is used.

    Returns:
        Final if converged over the whole last half, or if the budget is used and the problem looks infeasible.
    """
    row = history.rows[-1]
    iteration, step, kkt, err = int(row[0]), int(row[-1]), float(history.kkt()[-1]), history.err()
    N = len(names)
    violation, mu = row[3 : 3 + N], row[3 + N : 3 + 2 * N]
    at_cap = [repr(name) for name, at in zip(names, np.abs(mu) >= caps * (1 - 1e-12), strict=True) if at]
    capped = f"the multiplier of {', '.join(at_cap)} is at its cap" if at_cap else ""
    since = history.within_since(tol, err_tol)
    if since is not None and feasible is not False:
        what = "kkt" if err is None else "kkt and err"
        message = "; ".join(filter(None, [f"relative {what} <= {tol:g} from step {since[1]} on", capped]))
        return Outcome("converged", f"{message}.", final=2 * since[0] <= iteration)
    in_vain = history.pushed_in_vain(tol, caps, units)
    if feasible is False or (feasible is None and in_vain.any()):
        worst = names[int(np.argmax(np.where(in_vain | (not in_vain.any()), violation, -1.0)))]
        least = "" if infeasibility is None else f"; no policy gets below {infeasibility.min_violation:.6g}"
        message = f"constraint {worst!r} stays violated by {violation[names.index(worst)]:.6g}{least}."
        return Outcome("infeasible_suspected", message, final=over and bool(in_vain.any()))
    if kkt <= tol and err is not None and err > err_tol:
        sentence = f"relative kkt = {kkt:.3g}, and yet err = {err:.3g} > {tol:g}"
        return Outcome("not_converged", f"{'; '.join(filter(None, [f'{sentence} at step {step}', capped]))}.")
    reason = "; ".join(filter(None, [capped, _reason(history)]))
    return Outcome("not_converged", f"relative kkt = {kkt:.3g} > {tol:g} at step {step}: {reason}.")


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
