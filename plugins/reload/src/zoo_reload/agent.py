"""The seven algorithms: one base class, and for each its configuration and its update rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np

from zoo import Algorithm, Array, Batch, Context, InterfaceError, Metrics, Outcome, State
from zoo.tabular import ORACLE_LIMIT, CMDPSolution, InfeasibleCMDPError, solve_lp
from zoo_reload.config import (
    AlternatingConfig,
    AugmentedLagrangianConfig,
    AverageConfig,
    GDAConfig,
    PIDConfig,
    ReloadConfig,
    RPGPDConfig,
    RunnerConfig,
)
from zoo_reload.convergence import assess
from zoo_reload.core import Floats
from zoo_reload.game import Game
from zoo_reload.projection import OccupancyRule
from zoo_reload.rules import (
    AlternatingRule,
    AugmentedLagrangianRule,
    AverageRule,
    GDARule,
    PIDRule,
    ReloadRule,
    RPGPDRule,
    Rule,
)
from zoo_reload.search import RATIOS, StepSearch
from zoo_reload.trajectory import Assessment, Trajectory, advance_together

ConfigT = TypeVar("ConfigT", bound=RunnerConfig)

STACKED_STATES = 500
"""states up to which one dense solve for all stacked runs is quicker than a sparse solve for each"""


class PrimalDualRun(Algorithm[ConfigT]):
    """A policy player and a multiplier player on an exact model; ``env_steps`` counts iterations.

    Offers ``policy()`` and ``multipliers()`` as well: see ``zoo.api.Explicit`` and ``zoo.api.PrimalDual``.

    Raises:
        InterfaceError: the environment has no exact model, or its observations are not the model's states.
    """

    _rule: ClassVar[type[Rule]]

    def __init__(self, ctx: Context, config: ConfigT) -> None:
        super().__init__(ctx, config)
        cmdp = ctx.problem.tabular
        _require_states(ctx, cmdp.num_states)
        self.solution: CMDPSolution | None = None
        self.infeasibility: InfeasibleCMDPError | None = None
        if config.oracle if config.oracle is not None else cmdp.r.size <= ORACLE_LIMIT:
            try:
                self.solution = solve_lp(cmdp)
            except InfeasibleCMDPError as error:
                self.infeasibility = error
        eta = getattr(config, "eta", 1.0)
        self.game = Game.scaled(cmdp, config.cap) if eta == "auto" else Game.of(cmdp, config.cap)
        self.rule = self.make_rule(self.game, config)
        self._z_0: Floats = config.init_std * ctx.rng.standard_normal(cmdp.r.shape)
        self._act_rng = ctx.stream("act")
        self.search: StepSearch | None = None
        if eta == "auto":
            ratios = RATIOS if cmdp.num_constraints else (1.0,)
            self.search = StepSearch(self._new_trajectory, config.tol, ctx.budget, ratios)
            self.trajectory = self.search.first()
        else:
            eta_mu: float | None = getattr(config, "eta_mu", None)
            self.trajectory = self._new_trajectory(eta, eta if eta_mu is None else eta_mu)

    @classmethod
    def make_rule(cls, game: Game, config: ConfigT) -> Rule:
        """The update rule that ``config`` asks for."""
        return cls._rule(game, config)

    def _new_trajectory(self, eta: float, eta_mu: float) -> Trajectory:
        return Trajectory(self.game, self.rule, self.solution, self._z_0, eta, eta_mu)

    def begin_update(self) -> int:
        """Choose the trajectory to continue, and return the number of its iterations in this update."""
        remaining = self.ctx.budget - self.env_steps
        # A caller who continues past the budget, or gave none, gets whole updates.
        iterations = min(self.config.check_every, remaining) if remaining > 0 else self.config.check_every
        if self.search is not None:
            self.trajectory = self.search.next(self.trajectory, self.env_steps, iterations)
        return iterations

    def end_update(self, iterations: int) -> Metrics:
        """Evaluate the trajectory that has just taken ``iterations`` steps; the metrics of this update."""
        self.env_steps += iterations
        self.trajectory.check(self.env_steps)
        if self.search is not None and self.env_steps >= self.ctx.budget:
            self.trajectory = self.search.best(self.trajectory)
        self.outcome = self._outcome()
        return self._metrics()

    def update(self) -> Metrics:
        """Take ``check_every`` iterations, each evaluated exactly, and compute the residuals once.

        Returns:
            In the environment's own units: ``kkt``; with an oracle ``gap``, ``err``, ``oscillation`` and
            ``optimum/reward``; ``value/reward``, and for each constraint ``value/``, ``violation/`` and
            ``multiplier/``. ``kkt/relative`` and ``err/relative``, which decide on convergence, are relative to the
            ranges over all policies. The step sizes ``eta`` and ``eta_mu`` are in the units of the game (scaled under
            "auto").
        """
        iterations = self.begin_update()
        self.trajectory.advance(iterations)
        return self.end_update(iterations)

    def _outcome(self) -> Outcome:
        game = self.game
        return assess(
            self.trajectory.history,
            names=game.original.names,
            tol=self.config.tol,
            err_tol=self.config.tol + self._oracle_error(),
            caps=game.original_multipliers(game.cap),
            units=game.ranges.signals,
            feasible=True if self.solution else False if self.infeasibility else None,
            infeasibility=self.infeasibility,
            finished=self.env_steps >= self.ctx.budget,
        )

    def _oracle_error(self) -> float:
        """Bound on the error of the linear program's own optimum, relative to the range of the reward."""
        if self.solution is None:
            return 0.0
        violation = self.game.original.violation(self.solution.costs)
        error = abs(self.solution.duality_gap) + float(np.abs(self.solution.multipliers) @ violation)
        return error / self.game.ranges.reward

    def _assessment(self) -> Assessment:
        assessment = self.trajectory.assessment
        return self.trajectory.check(self.env_steps) if assessment is None else assessment

    def _metrics(self) -> Metrics:
        assessment, trajectory, names = self._assessment(), self.trajectory, self.game.original.names
        result = assessment.residuals
        metrics = {"kkt": result.kkt, "kkt/relative": assessment.kkt, "value/reward": result.evaluation.J_r}
        if (
            self.solution is not None
            and result.gap is not None
            and result.err is not None
            and assessment.err is not None
        ):
            metrics["gap"] = result.gap
            metrics["err"], metrics["err/relative"] = result.err, assessment.err
            metrics["oscillation"] = trajectory.history.oscillation()
            metrics["optimum/reward"] = self.solution.value
        for i, name in enumerate(names):
            metrics[f"value/{name}"] = float(result.evaluation.J[i])
            metrics[f"violation/{name}"] = float(result.violations[i])
            metrics[f"multiplier/{name}"] = float(assessment.mu[i])
        metrics["eta"], metrics["eta_mu"] = trajectory.eta, trajectory.eta_mu
        return metrics

    def policy(self) -> Floats:
        """Action probabilities ``[S, A]`` of the policy that the algorithm returns: the last or the average iterate."""
        return self.trajectory.answer()[0].copy()

    def multipliers(self) -> Mapping[str, float]:
        """Constraint name to multiplier, in reward per unit of the environment's own signal."""
        names = self.game.original.names
        return dict(zip(names, self.trajectory.answer()[1].tolist(), strict=True))

    def act(self, obs: Array, *, greedy: bool = True) -> Array:
        """Actions ``int64 [B]`` for states ``[B]``, sampled: a constrained optimum is stochastic.

        Raises:
            InterfaceError: an observation is not a state of the model.
        """
        states = np.asarray(obs)
        S, A = self.game.cmdp.r.shape
        if not np.issubdtype(states.dtype, np.integer) or ((states < 0) | (states >= S)).any():
            raise InterfaceError(f"observations of dtype {states.dtype} are not states: expected integers in [0, {S}).")
        below = np.cumsum(self.policy()[states], axis=-1) <= self._act_rng.random(states.shape)[..., None]
        return np.minimum(below.sum(axis=-1), A - 1)

    def state(self) -> State:
        """Everything needed to continue bit for bit."""
        return {
            "env_steps": self.env_steps,
            "z_0": self._z_0,
            "trajectory": self.trajectory.state(),
            "search": {} if self.search is None else self.search.state(self.trajectory),
            "act": self._act_rng.bit_generator.state,
        }

    def load_state(self, state: State) -> None:
        """Continue from ``state``."""
        self.env_steps = int(state["env_steps"])
        self._z_0 = np.array(state["z_0"], dtype=np.float64)
        self.trajectory = self._new_trajectory(1.0, 1.0)
        self.trajectory.load_state(state["trajectory"])
        if self.search is not None:
            self.search.load_state(state["search"], self.trajectory)
        self._act_rng.bit_generator.state = state["act"]
        self.outcome = self._outcome() if self.trajectory.k else None

    @classmethod
    def batch(cls, contexts: Sequence[Context], config: ConfigT) -> StackedRuns:
        """Many seeds advanced together with stacked arrays."""
        return StackedRuns([cls(ctx, config) for ctx in contexts])


def _require_states(ctx: Context, num_states: int) -> None:
    space = ctx.env.single_observation_space
    if getattr(space, "n", None) != num_states or getattr(space, "start", 0) != 0:
        raise InterfaceError(
            f"the observations are {space}: expected Discrete({num_states}), the states of the exact model."
        )


class Reload(PrimalDualRun[ReloadConfig]):
    """ReLOAD: optimistic gradients for both players (arXiv:2302.01275)."""

    @classmethod
    def make_rule(cls, game: Game, config: ReloadConfig) -> Rule:
        """The update rule on logits, or, as a cross-check, on occupancies."""
        return ReloadRule(game, config) if config.form == "policy" else OccupancyRule(game, config)


class GDA(PrimalDualRun[GDAConfig]):
    """Gradient descent-ascent."""

    _rule = GDARule


class Alternating(PrimalDualRun[AlternatingConfig]):
    """Gradient descent-ascent whose multipliers see the new policy."""

    _rule = AlternatingRule


class Average(PrimalDualRun[AverageConfig]):
    """The occupancy average of gradient descent-ascent."""

    _rule = AverageRule


class RPGPD(PrimalDualRun[RPGPDConfig]):
    """Regularised policy-gradient primal-dual (arXiv:2306.11700)."""

    _rule = RPGPDRule


class PID(PrimalDualRun[PIDConfig]):
    """Multipliers from a PID controller (arXiv:2007.03964)."""

    _rule = PIDRule


class AugmentedLagrangian(PrimalDualRun[AugmentedLagrangianConfig]):
    """Lagrangian with a quadratic penalty."""

    _rule = AugmentedLagrangianRule


class StackedRuns(Batch):
    """Several seeds whose iterates are stacked in arrays between two checks; its members are ordinary runs.

    Args:
        members: runs of one algorithm with one configuration on one environment, at least one.
    """

    def __init__(self, members: Sequence[PrimalDualRun[Any]]) -> None:
        self._members = tuple(members)

    def __len__(self) -> int:
        return len(self._members)

    def member(self, index: int) -> PrimalDualRun[Any]:
        """Run ``index``, to inspect, save or restore."""
        return self._members[index]

    def update(self) -> Sequence[Metrics]:
        """One update of every member."""
        lengths = [member.begin_update() for member in self._members]
        trajectories = [member.trajectory for member in self._members]
        game = trajectories[0].game
        if len(set(lengths)) == 1 and game.cmdp.num_states <= STACKED_STATES and trajectories[0].rule.stacks:
            advance_together(trajectories, lengths[0])
        else:
            for trajectory, iterations in zip(trajectories, lengths, strict=True):
                trajectory.advance(iterations)
        return [member.end_update(n) for member, n in zip(self._members, lengths, strict=True)]
