"""``eta="auto"``: a search over step sizes on the scaled problem, then adjustment of the chosen ones.

The stages: "scan" runs every candidate for a few iterations, "extend" the best few for longer, "watch" continues the
chosen trajectory and doubles or halves its steps. Measured: on a problem of unit range the useful ratios
``eta_mu / eta`` are 0.1 to 10, 50 iterations suffice to reject most candidates, and among those that do about equally
well the largest steps win in the end. The search takes at most half of the run's budget: its stages are shorter where
that is small, and it chooses among the candidates that it has run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

from zoo import State
from zoo_reload.trajectory import Trajectory

ETAS = (0.5, 2.0, 8.0, 32.0, 128.0)
"""step sizes of the scan; those between are reached by doubling and halving"""
RATIOS = (1.0, 0.1, 10.0)
"""values of ``eta_mu / eta`` in a game of unit range, the most often successful first"""
SCAN, EXTEND, WATCH = 50, 200, 100
"""iterations of every candidate; of the best few; between two adjustments of the chosen one"""
SHORTEST = 10
"""least iterations of every candidate"""
KEEP = 5
"""candidates that are extended"""
SLACK = 3.0
"""candidates within this factor of the best kkt count as equally good"""
TRIAL_GROWTH = 1.5
"""doubled steps are undone if kkt grows by more than this factor; smaller growth is normal with larger steps"""
PATIENCE = 2
"""adjustments without another trial of larger steps, after steps were too large"""
GROWTH = 10.0
"""steps are halved if kkt grows by more than this factor between two adjustments; on constrained-catch slow
oscillations raise it sixfold before it converges"""

NewTrajectory: TypeAlias = Callable[[float, float], Trajectory]
Stage: TypeAlias = Literal["scan", "extend", "watch"]


class StepSearch:
    """Decides, after every check, which trajectory is continued.

    Args:
        new_trajectory: builds a trajectory at k = 0 from ``eta`` and ``eta_mu``.
        tol: kkt at or below this needs no further search.
        budget: iterations of the whole run, of which the search takes at most half.
        ratios: values of ``eta_mu / eta`` to try.
    """

    def __init__(
        self, new_trajectory: NewTrajectory, tol: float, budget: int, ratios: Sequence[float] = RATIOS
    ) -> None:
        self._new_trajectory = new_trajectory
        self._tol = tol
        self._ladder = [(eta, eta * ratio) for ratio in ratios for eta in ETAS]
        # The search has half of the budget: one half of that for the scan, the other for the best few.
        self._search_budget = budget // 2 if budget > 0 else math.inf
        self._scan = int(min(SCAN, max(SHORTEST, self._search_budget // (2 * len(self._ladder)))))
        self._extend = self._scan * EXTEND // SCAN
        self._rung = 0
        self._failed = 0
        self._initial = math.inf
        self._row_best = math.inf
        self.stage: Stage = "scan"
        self._kept: list[Trajectory] = []
        self._reference: Trajectory | None = None
        self._trial = False
        self._cooldown = 0

    def first(self) -> Trajectory:
        """The first candidate."""
        first = self._new_trajectory(*self._ladder[0])
        self._initial = first.copy().check().kkt
        return first

    def best(self, current: Trajectory) -> Trajectory:
        """The trajectory whose result the run returns if the budget ends now."""
        candidates = [t for t in (*self._kept, current) if t.k]
        return current if self.stage == "watch" or not candidates else self._chosen(candidates)

    def next(self, current: Trajectory, spent: int, upcoming: int) -> Trajectory:
        """The trajectory to advance, given the one that was checked last.

        Args:
            current: the one that was checked last, or is about to begin.
            spent: iterations of the run so far.
            upcoming: iterations until the next check.
        """
        if self.stage == "watch":
            return self._watched(current)
        if current.k == 0:
            return current
        if current.history.kkt()[-1] <= self._tol:
            return self._settle([current])
        if spent + upcoming > self._search_budget:
            return self._settle([*(t for t in self._kept if t is not current), current])
        if self.stage == "scan" and current.k < self._scan:
            return current
        return self._scanned(current) if self.stage == "scan" else self._extended(current)

    def _scanned(self, current: Trajectory) -> Trajectory:
        score = _score(current)
        failed = score > max(self._initial, 2 * self._row_best)
        self._row_best = min(self._row_best, score)
        self._failed = self._failed + 1 if failed else 0
        self._kept = sorted([*self._kept, current], key=_score)[:KEEP]
        self._rung += 1
        # Two failures in a row are past the best step size of this ratio: larger ones are skipped.
        if self._failed == 2:
            self._rung += -self._rung % len(ETAS)
        if self._rung % len(ETAS) == 0:
            self._failed, self._row_best = 0, math.inf
        if self._rung < len(self._ladder):
            return self._new_trajectory(*self._ladder[self._rung])
        self.stage = "extend"
        return self._extended(self._kept[0])

    def _extended(self, current: Trajectory) -> Trajectory:
        if current.k < self._extend:
            return current
        waiting = [candidate for candidate in self._kept if candidate.k < self._extend]
        return waiting[0] if waiting else self._settle(self._kept)

    def _settle(self, candidates: list[Trajectory]) -> Trajectory:
        chosen = self._chosen(candidates)
        self.stage, self._kept, self._reference = "watch", [], chosen.copy()
        return chosen

    @staticmethod
    def _chosen(candidates: Sequence[Trajectory]) -> Trajectory:
        best = min(candidates, key=_score)
        # Large steps win in the end, unless they only cycle: then kkt has not halved since the first checks.
        equals = [t for t in candidates if _score(t) <= min(SLACK * _score(best), t.history.kkt()[:5].min() / 2)]
        return max(equals or [best], key=lambda candidate: candidate.eta * candidate.eta_mu)

    def _watched(self, current: Trajectory) -> Trajectory:
        reference = self._reference
        if reference is None or current.k < reference.k + WATCH:
            return current
        before, now = reference.history.recent_kkt(), current.history.recent_kkt()
        if now <= self._tol:
            self._trial = False
        elif now > GROWTH * before:
            current = _with_steps(reference, current.eta / 2, current.eta_mu / 2)
            self._trial, self._cooldown = False, PATIENCE
        elif self._trial and now > TRIAL_GROWTH * before:
            # The doubled steps are too large: return to the iterate and the steps from before.
            current = reference.copy()
            self._trial, self._cooldown = False, PATIENCE
        elif self._cooldown == 0 and now > before / 2 and 2 * current.eta <= ETAS[-1]:
            self._reference = current.copy()
            self._trial = True
            return _with_steps(current, 2 * current.eta, 2 * current.eta_mu)
        else:
            self._trial, self._cooldown = False, max(self._cooldown - 1, 0)
        self._reference = current.copy()
        return current

    def state(self, current: Trajectory) -> State:
        """Everything needed to continue; the trajectory ``current`` is left out, because the run stores it."""
        return {
            "stage": self.stage,
            "rung": self._rung,
            "failed": self._failed,
            "initial": self._initial,
            "row_best": self._row_best,
            "kept": {str(i): t.state() for i, t in enumerate(self._kept) if t is not current},
            "kept_count": len(self._kept),
            "trial": self._trial,
            "wait": self._cooldown,
            "mark": {} if self._reference is None else self._reference.state(),
        }

    def load_state(self, state: State, current: Trajectory) -> None:
        """Continue from ``state``; ``current`` is the run's trajectory, already restored."""
        self.stage = state["stage"]
        self._rung, self._failed = int(state["rung"]), int(state["failed"])
        self._initial, self._row_best = float(state["initial"]), float(state["row_best"])
        self._trial = bool(state["trial"])
        self._cooldown = int(state["wait"]) if "wait" in state else 0 if state["may_grow"] else PATIENCE
        stored: Any = state["kept"]
        self._kept = [
            self._restored(stored[str(i)]) if str(i) in stored else current for i in range(state["kept_count"])
        ]
        self._reference = self._restored(state["mark"]) if state["mark"] else None

    def _restored(self, state: State) -> Trajectory:
        trajectory = self._new_trajectory(1.0, 1.0)
        trajectory.load_state(state)
        return trajectory


def _with_steps(trajectory: Trajectory, eta: float, eta_mu: float) -> Trajectory:
    other = trajectory.copy()
    other.eta, other.eta_mu = eta, eta_mu
    return other


def _score(trajectory: Trajectory) -> float:
    kkt = trajectory.history.recent_kkt()
    return kkt if math.isfinite(kkt) else math.inf
