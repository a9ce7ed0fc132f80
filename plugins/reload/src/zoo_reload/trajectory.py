"""One uninterrupted sequence of iterates with given step sizes, and its judgement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo import State
from zoo.tabular import CMDPSolution, Residuals, residuals
from zoo_reload.core import Floats
from zoo_reload.game import Game, Point
from zoo_reload.history import Check, History
from zoo_reload.rules import Iterate, Rule


@dataclass(frozen=True, eq=False)
class Judged:
    """The last check in full: the policy and multipliers judged, both in the environment's own unit.

    ``kkt`` and ``err`` are those of ``residuals`` relative to the ranges over all policies.
    """

    policy: Floats
    mu: Floats
    residuals: Residuals
    kkt: float
    err: float | None


class Trajectory:
    """Iterates ``x_0 .. x_k`` of one rule in one game.

    Args:
        game: the game played.
        rule: the update rule.
        solution: the exact optimum of the original problem, if known.
        z: initial logits ``[S, A]``.
        eta: step size of the policy.
        eta_mu: step size of the multipliers.
    """

    def __init__(
        self, game: Game, rule: Rule, solution: CMDPSolution | None, z: Floats, eta: float, eta_mu: float
    ) -> None:
        self.game = game
        self.rule = rule
        self.solution = solution
        self.eta = eta
        self.eta_mu = eta_mu
        self.k = 0
        self.history = History(game.cmdp.num_constraints)
        self.judged: Judged | None = None
        self._point: Point | None = game.evaluate(z)
        self.x = rule.start(z, np.zeros(game.cmdp.num_constraints), self.point)

    @property
    def point(self) -> Point:
        """Exact values of the present iterate."""
        if self._point is None:
            self._point = self.game.evaluate(self.x.z)
        return self._point

    def advance(self, iterations: int) -> None:
        """Take ``iterations`` steps; each evaluates exactly once."""
        x, point, game, rule = self.x, self.point, self.game, self.rule
        for _ in range(iterations):
            x, point = rule.step(x, point, self.eta, self.eta_mu, game.evaluate)
        self.moved_to(x, iterations, point)

    def moved_to(self, x: Iterate, iterations: int, point: Point | None = None) -> None:
        """Be at ``x``, ``iterations`` later; its values are computed when needed if not given."""
        self.x, self._point = x, point
        self.k += iterations

    def answer(self) -> tuple[Floats, Floats]:
        """The policy ``[S, A]`` and the multipliers ``[N]`` in the environment's own unit."""
        pi, mu = self.rule.answer(self.x, self.point)
        return pi, self.game.original_multipliers(mu)

    def check(self, step: int | None = None) -> Judged:
        """Judge the present answer, and remember the figures.

        Args:
            step: of the run, where other trajectories have taken some of its steps; k when not given.
        """
        policy, mu = self.answer()
        known = self.point.known if policy is self.point.pi else None
        gaps = residuals(self.game.original, policy, mu, solution=self.solution, evaluation=known)
        relative = gaps.relative(self.game.natural)
        self.judged = Judged(policy, mu, gaps, *relative)
        self.history.add(
            Check(self.k, self.k if step is None else step, gaps.kkt, gaps.err, gaps.violations, mu, relative)
        )
        return self.judged

    def copy(self) -> Trajectory:
        """A second trajectory that starts where this one is."""
        other: Trajectory = object.__new__(Trajectory)
        other.__dict__.update(self.__dict__)
        other.history = self.history.copy()
        return other

    def state(self) -> State:
        """Everything needed to continue bit for bit."""
        return {
            "k": self.k,
            "eta": self.eta,
            "eta_mu": self.eta_mu,
            "z": self.x.z,
            "mu": self.x.mu,
            "memory": dict(self.x.memory),
            "history": self.history.rows,
        }

    def load_state(self, state: State) -> None:
        """Continue from ``state``."""
        self.k = int(state["k"])
        self.eta, self.eta_mu = float(state["eta"]), float(state["eta_mu"])
        arrays = {name: np.array(value, dtype=np.float64) for name, value in state["memory"].items()}
        self.x = Iterate(np.array(state["z"]), np.array(state["mu"]), arrays)
        self._point = None
        self.judged = None
        natural = self.game.natural
        self.history.load(np.asarray(state["history"]), min([natural.reward, *natural.signals]))


def advance_together(trajectories: Sequence[Trajectory], iterations: int) -> None:
    """``advance`` for trajectories of one game and one rule, each with its own step sizes."""
    game, rule = trajectories[0].game, trajectories[0].rule
    each = [trajectory.x for trajectory in trajectories]
    x = Iterate(
        np.stack([one.z for one in each]),
        np.stack([one.mu for one in each]),
        {name: np.stack([one.memory[name] for one in each]) for name in each[0].memory},
    )
    eta = np.array([trajectory.eta for trajectory in trajectories])[:, None, None]
    eta_mu = np.array([trajectory.eta_mu for trajectory in trajectories])[:, None]
    # Computed afresh from the logits, so that a batch resumed from its members' checkpoints goes on bit for bit.
    point = game.evaluate_many(x.z)
    for _ in range(iterations):
        x, point = rule.step(x, point, eta, eta_mu, game.evaluate_many)
    for i, trajectory in enumerate(trajectories):
        memory = {name: value[i] for name, value in x.memory.items()}
        trajectory.moved_to(Iterate(x.z[i], x.mu[i], memory), iterations)
