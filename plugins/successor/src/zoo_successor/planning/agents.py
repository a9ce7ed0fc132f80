"""Planning to reach goals: first-occupancy planning, and plain value iteration to compare it with.

Source: Moskovitz et al. 2022, arXiv:2109.13863; the mathematics is in ``zoo_successor.planning.frp``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zoo import Algorithm, Array, Context, Metrics, Outcome, State
from zoo.tabular import evaluate
from zoo_successor.config import FRPConfig, ValueIterationConfig
from zoo_successor.exact import representations as exact
from zoo_successor.learning.arrival import TIE, actions_towards, arrival_discounts, log_arrival_discounts
from zoo_successor.learning.problem import (
    base_policies,
    dense_kernel,
    discount,
    goal_state,
    most_likely_model,
    num_states,
    states,
)
from zoo_successor.learning.td import Floats, Ints
from zoo_successor.planning.frp import NONE, Plan, PlanValues, best_policies, frp, frp_all


class FirstOccupancyPlanner(Algorithm[FRPConfig]):
    """Plans between all pairs of states by switching between base policies; ``env_steps`` counts sweeps.

    An update adds one segment to every plan. Without ``max_segments`` the last one, when nothing gets better, is the
    exact limit by Dijkstra's algorithm. ``act`` follows the plan to the goal; where there is none it follows the first
    base policy, and ``reachable`` says for how much of the start distribution that is so.

    Raises:
        UsageError: a cell of an option is not a state.
        InterfaceError: the observations are not the model's states.
    """

    def __init__(self, ctx: Context, config: FRPConfig) -> None:
        super().__init__(ctx, config)
        model = most_likely_model(ctx.problem.tabular) if config.determinise else ctx.problem.tabular
        S, P = num_states(ctx), dense_kernel(model)
        self.gamma = discount(ctx.problem, config.gamma)
        self.goal = goal_state(ctx.problem, config.goal)
        self.policies, self.names = base_policies(ctx.problem, config.policies, self.gamma)
        self.chains: Floats = np.stack([P[np.arange(S), policy] for policy in self.policies])
        self.occupancies = np.stack([exact.first_occupancy(chain, self.gamma, model.terminal) for chain in self.chains])
        self._direct = best_policies(self.occupancies)[0]
        self._optimal_discounts = arrival_discounts(model, self.gamma)
        self._optimal_log_discounts = log_arrival_discounts(model, self.gamma)
        self._following: tuple[Ints, Ints, Ints] | None = None
        self._values = PlanValues.of(self._direct)
        self._segments: int | None = 1
        self._plan = self.plan_for(self.goal)

    @property
    def value(self) -> Floats:
        """Of the plan from each state to each, ``[S, S]``."""
        return self._values.value

    def plan_for(self, goal: int) -> Plan:
        """The plan to the state ``goal`` with as many segments as sweeps were made."""
        return frp(self.occupancies, goal, self._segments)

    def update(self) -> Metrics:
        """One more segment.

        Returns:
            Over all pairs of states: ``optimal``, the share whose plan is as soon as any policy could be, and ``gap``,
            the mean difference of the discounts of arrival. For the goal, over the start distribution: ``value``,
            ``direct`` (one segment), ``reachable``, and from the likeliest start ``subgoals`` between it and the goal.
        """
        improved = self.env_steps == 0
        if not improved:
            extended, _, better = self._values.extended(self._direct)
            improved = bool(better.any())
            self._values = extended
        self.env_steps += 1
        limit = self.config.max_segments
        self._segments = self.env_steps if improved or limit else None
        if not improved:
            sentence = f"no plan gets better with more than {self.env_steps - 1} segments"
            self.outcome = Outcome("converged", sentence, final=True)
            if not limit:
                plans = frp_all(self.occupancies)
                self._values = PlanValues(plans.value, plans.log_value)
        elif self.env_steps == limit:
            self.outcome = Outcome("not_converged", f"stopped at max_segments = {limit}", final=True)
        self._plan, self._following = self.plan_for(self.goal), None
        rho = self.ctx.problem.tabular.rho
        segments = self._plan.segments(int(rho.argmax()))
        return {
            "optimal": float(self._optimal().mean()),
            "gap": float((self._optimal_discounts - self.value).mean()),
            "value": float(rho @ self._plan.value),
            "direct": float(rho @ self._direct[:, self.goal]),
            "reachable": float(rho @ self._plan.reachable),
            "subgoals": float(max(len(segments) - 1, 0)) if segments is not None else 0.0,
        }

    def _optimal(self) -> NDArray[np.bool_]:
        """Which plans are as soon as any policy could be, ``[S, S]``."""
        logs, best = self._values.log_value, self._optimal_log_discounts
        both = (logs > -np.inf) & (best > -np.inf)
        apart = np.abs(np.where(both, logs, 0.0) - np.where(both, best, 0.0))
        return np.asarray(
            np.where(both, apart <= TIE * np.maximum(1.0, np.abs(np.where(both, best, 0.0))), logs == best)
        )

    def policy_for(self, goal: int) -> Ints:
        """Actions ``[S]`` towards the state ``goal``, the plan being read anew at every state."""
        chosen = self.plan_for(goal).policy[-1]
        return np.asarray(self.policies[np.where(chosen == NONE, 0, chosen), np.arange(len(chosen))])

    def act(self, obs: Array, *, greedy: bool = True) -> Array:
        """Actions ``int64 [B]`` for states ``[B]``: each copy keeps to its policy until its subgoal is reached."""
        s, plan = states(obs, len(self._plan.value)), self._plan
        if self._following is None or len(self._following[0]) != len(s):
            self._following = (np.full(len(s), NONE), np.full(len(s), NONE), np.full(len(s), len(plan.policy) - 1))
        policy, subgoal, remaining = self._following
        reached = s == subgoal
        remaining = np.where(reached, np.maximum(remaining - 1, 0), remaining)
        replanned = reached | (policy == NONE) | self.config.reread
        policy = np.where(replanned, plan.policy[remaining, s], policy)
        subgoal = np.where(replanned, plan.subgoal[remaining, s], subgoal)
        self._following = (policy, subgoal, remaining)
        return np.asarray(self.policies[np.where(policy == NONE, 0, policy), s])

    def forget(self, ended: Array | None = None) -> None:
        """Begin the plan anew in the copies ``ended [B]``, or in all."""
        if ended is None or self._following is None:
            self._following = None
            return
        policy, subgoal, remaining = self._following
        most = len(self._plan.policy) - 1
        self._following = (
            np.where(ended, NONE, policy),
            np.where(ended, NONE, subgoal),
            np.where(ended, most, remaining),
        )

    def state(self) -> State:
        """The values of all plans, and how many segments these have (0: no limit); all else follows from the model."""
        # No logarithm of a discount is positive, and a state holds finite numbers.
        logs = np.where(self._values.log_value > -np.inf, self._values.log_value, 1.0)
        return {"value": self.value, "log_value": logs, "segments": self._segments or 0}

    def load_state(self, state: State) -> None:
        """Continue from ``state``."""
        self._values = PlanValues.of(np.array(state["value"], dtype=np.float64))
        if "log_value" in state:  # as runs of zoo-successor 0.1 have not
            logs = np.asarray(state["log_value"], dtype=np.float64)
            self._values = PlanValues(self._values.value, np.where(logs > 0, -np.inf, logs))
        self._segments = int(state["segments"]) or None
        self._plan, self._following = self.plan_for(self.goal), None


class ValueIteration(Algorithm[ValueIterationConfig]):
    """Value iteration on the environment's reward, one sweep an update; ``env_steps`` counts sweeps."""

    def __init__(self, ctx: Context, config: ValueIterationConfig) -> None:
        super().__init__(ctx, config)
        self.model = ctx.problem.tabular
        self.gamma = discount(ctx.problem, config.gamma)
        self._V = np.zeros(num_states(ctx))

    def _q(self) -> Floats:
        return np.asarray(self.model.r + self.gamma * (self.model.kernel @ self._V).reshape(self.model.r.shape))

    def update(self) -> Metrics:
        """One sweep; ``residual`` is the largest change, ``value/reward`` the exact value of the greedy policy."""
        V = self._q().max(axis=1)
        residual = float(np.abs(V - self._V).max())
        self._V = V
        self.env_steps += 1
        if residual <= TIE * float(np.abs(V).max()):
            self.outcome = Outcome(
                "converged", f"the values stopped changing after {self.env_steps} sweeps", final=True
            )
        elif self.env_steps == self.config.sweeps:
            self.outcome = Outcome("not_converged", f"stopped at sweeps = {self.config.sweeps}", final=True)
        return {"residual": residual, "value/reward": evaluate(self.model, self.policy()).J_r}

    def policy(self) -> Floats:
        """The greedy policy as probabilities ``[S, A]``, lowest index on ties."""
        return np.asarray(np.eye(self.model.num_actions)[self._q().argmax(axis=1)])

    def policy_for(self, goal: int) -> Ints:
        """Actions ``[S]`` that reach the state ``goal`` soonest, after as many sweeps as were made, lowest on ties."""
        return np.asarray(actions_towards(self.model, self.gamma, [goal], sweeps=self.env_steps)[0])

    def act(self, obs: Array, *, greedy: bool = True) -> Array:
        """Greedy actions ``int64 [B]`` for states ``[B]``."""
        return np.asarray(self._q().argmax(axis=1)[states(obs, len(self._V))])

    def state(self) -> State:
        """The values."""
        return {"V": self._V}

    def load_state(self, state: State) -> None:
        """Continue from ``state``."""
        self._V = np.array(state["V"], dtype=np.float64)
