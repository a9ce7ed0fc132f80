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
        self._patience, self._last_call = config.share * budget, (1 - config.share) * budget
        self.bounds: dict[str, tuple[float, float]] = {}
        """lowest and highest threshold of each reward model; empty before ``begin``"""
        self._machine: NelderMead | None = None
        self._since = 0
        """environment steps at which the proposal was made"""
        self.proposals = 0
        """measured so far, those recalled included"""
        self.over: str = ""
        """why the search has ended; empty while it goes on"""

    def begin(self, low: Floats, best: Floats, steps: int) -> None:
        """Draw the simplex.

        Args:
            low: mean scores of the reference policy, [N].
            best: the largest score of one of its sequences for each reward model, [N].
            steps: environment steps so far.
        """
        tops = [self._config.highest.get(name, top) for name, top in zip(self._names, best, strict=True)]
        high = np.maximum(low, tops)
        self.bounds = {name: (float(a), float(b)) for name, a, b in zip(self._names, low, high, strict=True)}
        vertices = [dict(zip(self._names, vertex, strict=True)) for vertex in self._first(low, high).tolist()]
        self._machine = NelderMead(vertices, self.bounds, cache_tol=self._config.cache_tol)
        self._since = steps

    def _first(self, low: Floats, high: Floats) -> Floats:
        """N + 1 vertices [N + 1, N]: one somewhere in the lower half, and from it one step up for each coordinate.

        Vertices that were drawn apart from each other would often lie almost on a line, on which the search stays.
        """
        corner, step = 0.5 * self._rng.random(len(low)), self._rng.uniform(0.25, 0.5, len(low))
        shares = corner + np.concatenate([np.zeros((1, len(low))), np.diag(step)])
        return np.asarray(low + shares * (high - low))

    @property
    def begun(self) -> bool:
        """Whether there is a simplex."""
        return self._machine is not None

    def thresholds(self) -> dict[str, float]:
        """What is to be trained for now, by name."""
        machine = self._ready()
        return machine.best[0] if self.over else machine.ask()

    @property
    def best(self) -> tuple[dict[str, float], float]:
        """The best thresholds so far and what they were worth; minus infinity while none has been measured."""
        point, value = self._ready().best
        return point, -value

    @property
    def agreed(self) -> bool:
        """Whether the evaluations of the vertices are about the same, which ends the search."""
        return self._ready().settled and self._ready().spread < self._config.stop_sd

    def add(self, scores: Floats, worth: float, steps: int) -> None:
        """Take note of one rollout of the policy that is trained for ``thresholds()``.

        Args:
            scores: mean scores, [N].
            worth: their evaluation, which is maximised.
            steps: environment steps so far; also the policy's version.
        """
        if self.over:
            return
        machine = self._ready()
        theta = np.array([machine.ask()[name] for name in self._names])
        reached = (np.abs(scores - theta) <= self._config.reach * np.abs(theta)).all()
        # At least one measurement for each proposal, reached or not.
        if reached or steps - self._since >= self._patience:
            self._tell(worth, steps)
        if not self.over and steps >= self._last_call:
            if not np.isfinite(machine.best[1]):
                self._tell(worth, steps)
            self.over = "the budget for the search was used"

    def _tell(self, worth: float, version: int) -> None:
        machine = self._ready()
        machine.tell(-worth, version=version)
        self.proposals += 1
        # Once for each policy: a simplex as small as the tolerance would otherwise shrink forever on one value.
        known = machine.recall(version)
        if known is not None:
            machine.tell(known, version=version)
            self.proposals += 1
        self._since = version
        if self.agreed:
            self.over = f"the evaluations of the vertices have a standard deviation of {machine.spread:.2g}"

    def _ready(self) -> NelderMead:
        assert self._machine is not None  # noqa: S101  begin comes first
        return self._machine

    def state(self) -> dict[str, Any]:
        """All that is needed to go on, as plain data."""
        if self._machine is None:
            return {"machine": None}
        return {
            "machine": self._machine.state(),
            "bounds": {name: list(pair) for name, pair in self.bounds.items()},
            "since": self._since,
            "proposals": self.proposals,
            "over": self.over,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""
        if state["machine"] is None:
            self._machine = None
            return
        # In the order of the names, which plain data need not keep.
        bounds = {name: state["bounds"][name] for name in self._names}
        self.bounds = {name: (float(low), float(high)) for name, (low, high) in bounds.items()}
        corner = {name: pair[0] for name, pair in self.bounds.items()}
        self._machine = NelderMead([corner] * (len(corner) + 1), self.bounds, cache_tol=self._config.cache_tol)
        self._machine.load_state(state["machine"])
        self._since, self.proposals, self.over = int(state["since"]), int(state["proposals"]), str(state["over"])
