"""One uninterrupted sequence of iterates with given step sizes, and its residuals."""

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
class Assessment:
    """The last check in full: policy and multipliers in the environment's own units, and their residuals.

    ``kkt`` and ``err`` are those of ``residuals``, relative to the ranges over all policies.
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
        self.assessment: Assessment | None = None
        self._point: Point | None = game.evaluate(z)
        self.x = rule.start(z, np.zeros(game.cmdp.num_constraints), self.point)

    @property
    def point(self) -> Point:
        """The exact values of the present iterate."""
        if self._point is None:
            self._point = self.game.evaluate(self.x.z)
        return self._point

    def advance(self, iterations: int) -> None:
        """Take ``iterations`` steps; each evaluates exactly once."""
        x, point, game, rule = self.x, self.point, self.game, self.rule
        for _ in range(iterations):
            x, point = rule.step(x, point, self.eta, self.eta_mu, game.evaluate)
        self.set_iterate(x, iterations, point)

    def set_iterate(self, x: Iterate, iterations: int, point: Point | None = None) -> None:
        """Set the present iterate to ``x``, ``iterations`` later; its values are computed when needed if not given."""
        self.x, self._point = x, point
        self.k += iterations

    def answer(self) -> tuple[Floats, Floats]:
        """The policy ``[S, A]`` and the multipliers ``[N]`` that are returned, in the environment's own units."""
        pi, mu = self.rule.answer(self.x, self.point)
        return pi, self.game.original_multipliers(mu)

    def check(self, step: int | None = None) -> Assessment:
        """Compute the residuals of the present policy and multipliers, and add them to the history.

        Args:
            step: step of the run, where other trajectories have taken some of its steps; None: k.
        """
        policy, mu = self.answer()
        evaluation = self.point.evaluation if policy is self.point.pi else None
        result = residuals(self.game.original, policy, mu, solution=self.solution, evaluation=evaluation)
        relative = result.relative(self.game.ranges)
        self.assessment = Assessment(policy, mu, result, *relative)
        self.history.add(
            Check(self.k, self.k if step is None else step, result.kkt, result.err, result.violations, mu, relative)
        )
        return self.assessment

    def copy(self) -> Trajectory:
        """A copy that continues independently."""
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
        self.assessment = None
        ranges = self.game.ranges
        self.history.load(np.asarray(state["history"]), min([ranges.reward, *ranges.signals]))


def advance_together(trajectories: Sequence[Trajectory], iterations: int) -> None:
    """``advance`` for several trajectories of one game and one rule at once, each with its own step sizes."""
    game, rule = trajectories[0].game, trajectories[0].rule
    iterates = [trajectory.x for trajectory in trajectories]
    x = Iterate(
        np.stack([iterate.z for iterate in iterates]),
        np.stack([iterate.mu for iterate in iterates]),
        {name: np.stack([iterate.memory[name] for iterate in iterates]) for name in iterates[0].memory},
    )
    eta = np.array([trajectory.eta for trajectory in trajectories])[:, None, None]
    eta_mu = np.array([trajectory.eta_mu for trajectory in trajectories])[:, None]
    # Computed afresh from the logits, so that a batch resumed from its members' checkpoints goes on bit for bit.
    point = game.evaluate_many(x.z)
    for _ in range(iterations):
        x, point = rule.step(x, point, eta, eta_mu, game.evaluate_many)
    for i, trajectory in enumerate(trajectories):
        memory = {name: value[i] for name, value in x.memory.items()}
        trajectory.set_iterate(Iterate(x.z[i], x.mu[i], memory), iterations)
