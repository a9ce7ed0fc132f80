"""The outer loop of ``nm-ppo``: proposals of thresholds, and their measured values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo_composite_rm.environment import Floats
from zoo_composite_rm.proxy.config import NMConfig
from zoo_composite_rm.proxy.nelder_mead import NelderMead


class ThresholdSearch:
    """Proposes thresholds, one after the other, to a policy that is never reset.

    The first measurement is the reference policy's. The simplex has N + 1 vertices between its scores and the highest
    thresholds, at random. A proposal ends when the scores have reached it, or its part of the budget is used: it is
    worth what is measured then. The best vertex is proposed from when the vertices agree, and in the last part of the
    budget, to the end.

    Args:
        names: of the reward models, N.
        config: the options.
        budget: environment steps of the whole run.
        rng: draws the first vertices.
    """

    def __init__(self, names: tuple[str, ...], config: NMConfig, budget: int, rng: np.random.Generator) -> None:
        self._names, self._config, self._rng = names, config, rng
        self._proposal_steps, self._deadline = config.share * budget, (1 - config.share) * budget
        self.bounds: dict[str, tuple[float, float]] = {}
        """lowest and highest threshold of each reward model; empty before ``begin``"""
        self._nelder_mead: NelderMead | None = None
        self._proposed_at = 0
        """environment steps at which the proposal was made"""
        self.proposals = 0
        """proposals measured so far, those recalled included"""
        self.stop_reason: str = ""
        """why the search has ended; empty while it goes on"""

    def begin(self, low: Floats, best: Floats, steps: int) -> None:
        """Draw the simplex.

        Args:
            low: mean scores of the reference policy, [N].
            best: the largest score of one of its sequences for each reward model, [N].
            steps: environment steps so far.
        """
        largest = [self._config.highest.get(name, top) for name, top in zip(self._names, best, strict=True)]
        high = np.maximum(low, largest)
        self.bounds = {name: (float(a), float(b)) for name, a, b in zip(self._names, low, high, strict=True)}
        vertices = [dict(zip(self._names, vertex, strict=True)) for vertex in self._draw_vertices(low, high).tolist()]
        self._nelder_mead = NelderMead(vertices, self.bounds, cache_tol=self._config.cache_tol)
        self._proposed_at = steps

    def _draw_vertices(self, low: Floats, high: Floats) -> Floats:
        """N + 1 vertices [N + 1, N]: one somewhere in the lower half, and from it one step up for each coordinate.

        Vertices that were drawn apart from each other would often lie almost on a line, on which the search stays.
        """
        corner, step = 0.5 * self._rng.random(len(low)), self._rng.uniform(0.25, 0.5, len(low))
        shares = corner + np.concatenate([np.zeros((1, len(low))), np.diag(step)])
        return np.asarray(low + shares * (high - low))

    @property
    def started(self) -> bool:
        """Whether there is a simplex."""
        return self._nelder_mead is not None

    def thresholds(self) -> dict[str, float]:
        """The thresholds to train for now, by name."""
        simplex = self._ready()
        return simplex.best[0] if self.stop_reason else simplex.ask()

    @property
    def best(self) -> tuple[dict[str, float], float]:
        """The best thresholds so far and what they were worth; minus infinity while none has been measured."""
        point, value = self._ready().best
        return point, -value

    @property
    def converged(self) -> bool:
        """Whether the vertices' evaluations differ by less than ``stop_sd``, which ends the search."""
        return self._ready().settled and self._ready().spread < self._config.stop_sd

    def add(self, scores: Floats, evaluation: float, steps: int) -> None:
        """Add the measurement of one rollout of the policy that is trained for ``thresholds()``.

        Args:
            scores: mean scores, [N].
            evaluation: of the policy, which is maximised.
            steps: environment steps so far; also the policy's version.
        """
        if self.stop_reason:
            return
        simplex = self._ready()
        theta = np.array([simplex.ask()[name] for name in self._names])
        reached = (np.abs(scores - theta) <= self._config.reach * np.abs(theta)).all()
        # At least one measurement for each proposal, reached or not.
        if reached or steps - self._proposed_at >= self._proposal_steps:
            self._tell(evaluation, steps)
        if not self.stop_reason and steps >= self._deadline:
            if not np.isfinite(simplex.best[1]):
                self._tell(evaluation, steps)
            self.stop_reason = "the budget for the search was used"

    def _tell(self, evaluation: float, version: int) -> None:
        simplex = self._ready()
        simplex.tell(-evaluation, version=version)
        self.proposals += 1
        # Only once for each policy: a simplex smaller than the tolerance would otherwise shrink forever on one value.
        known = simplex.recall(version)
        if known is not None:
            simplex.tell(known, version=version)
            self.proposals += 1
        self._proposed_at = version
        if self.converged:
            self.stop_reason = f"the evaluations of the vertices have a standard deviation of {simplex.spread:.2g}"

    def _ready(self) -> NelderMead:
        assert self._nelder_mead is not None  # noqa: S101  begin comes first
        return self._nelder_mead

    def state(self) -> dict[str, Any]:
        """All that is needed to go on, as plain data."""
        if self._nelder_mead is None:
            return {"machine": None}
        return {
            "machine": self._nelder_mead.state(),
            "bounds": {name: list(pair) for name, pair in self.bounds.items()},
            "since": self._proposed_at,
            "proposals": self.proposals,
            "over": self.stop_reason,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""
        if state["machine"] is None:
            self._nelder_mead = None
            return
        # In the order of the names, which plain data need not keep.
        bounds = {name: state["bounds"][name] for name in self._names}
        self.bounds = {name: (float(low), float(high)) for name, (low, high) in bounds.items()}
        corner = {name: pair[0] for name, pair in self.bounds.items()}
        self._nelder_mead = NelderMead([corner] * (len(corner) + 1), self.bounds, cache_tol=self._config.cache_tol)
        self._nelder_mead.load_state(state["machine"])
        self._proposed_at, self.proposals = int(state["since"]), int(state["proposals"])
        self.stop_reason = str(state["over"])
