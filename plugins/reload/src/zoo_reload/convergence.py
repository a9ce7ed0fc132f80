"""The outcome of a run, as one sentence, from the checks of its trajectory."""

from __future__ import annotations

import numpy as np

from zoo import Outcome
from zoo.tabular import InfeasibleCMDPError
from zoo_reload.core import Floats
from zoo_reload.history import History

_CYCLE = 3.0  # kkt that spans more than this factor over the last half oscillates or falls
_SETTLED = 1.01  # kkt that spans at most this factor has settled


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
    finished: bool,
) -> Outcome:
    """The outcome so far.

    Args:
        history: the checks, at least one.
        names: names of the N constraints.
        tol: the problem counts as solved where the relative kkt is at most this,
        err_tol: and the relative err, where it is known, at most this.
        caps: largest multipliers ``[N]``.
        units: range of each constraint's value over all policies, ``[N]``.
        feasible: whether the linear program is feasible; None if it was not solved.
        infeasibility: the error of the linear program, if it is infeasible.
        finished: whether the budget is used.

    Returns:
        The outcome; final if converged over the whole last half, or if the budget is used and the problem looks
        infeasible.
    """
    row = history.rows[-1]
    iteration, step, kkt, err = int(row[0]), int(row[-1]), float(history.kkt()[-1]), history.err()
    N = len(names)
    violation, mu = row[3 : 3 + N], row[3 + N : 3 + 2 * N]
    reached = np.abs(mu) >= caps * (1 - 1e-12)
    at_cap = [repr(name) for name, capped in zip(names, reached, strict=True) if capped]
    cap_note = f"the multiplier of {', '.join(at_cap)} is at its cap" if at_cap else ""
    converged = history.converged_from(tol, err_tol)
    if converged is not None and feasible is not False:
        residuals = "kkt" if err is None else "kkt and err"
        message = "; ".join(filter(None, [f"relative {residuals} <= {tol:g} from step {converged[1]} on", cap_note]))
        return Outcome("converged", f"{message}.", final=2 * converged[0] <= iteration)
    suspected = history.suspected_infeasible(tol, caps, units)
    if feasible is False or (feasible is None and suspected.any()):
        worst = names[int(np.argmax(np.where(suspected | (not suspected.any()), violation, -1.0)))]
        least = "" if infeasibility is None else f"; no policy gets below {infeasibility.min_violation:.6g}"
        message = f"constraint {worst!r} stays violated by {violation[names.index(worst)]:.6g}{least}."
        return Outcome("infeasible_suspected", message, final=finished and bool(suspected.any()))
    if kkt <= tol and err is not None and err > err_tol:
        sentence = f"relative kkt = {kkt:.3g}, and yet err = {err:.3g} > {tol:g}"
        return Outcome("not_converged", f"{'; '.join(filter(None, [f'{sentence} at step {step}', cap_note]))}.")
    reason = "; ".join(filter(None, [cap_note, _reason(history)]))
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
