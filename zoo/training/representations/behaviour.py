"""Collecting transitions for representations: the behaviour policy, and stepping many seeds at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray

from zoo.api import Algorithm, Array, Context, Transitions
from zoo.errors import InterfaceError, UsageError
from zoo.training.environments.stack import Stack
from zoo.training.storage.spec import UNIFORM

GREEDY = "greedy:"
PolicyLoader: TypeAlias = "Callable[[Path], Algorithm[Any]]"
"""opens a run and returns its algorithm, whose policy is followed"""


@dataclass(frozen=True, eq=False)
class BehaviourPolicy:
    """The policy that collects transitions: a table, a trained algorithm, or uniform where both are None.

    Attributes:
        space: of one action.
        table: action probabilities [S, A], where the environment is tabular.
        leader: the algorithm of a run.
    """

    space: Any
    table: NDArray[np.float64] | None = None
    leader: Algorithm[Any] | None = None

    @classmethod
    def of(cls, ctx: Context, policy: str, load_policy: PolicyLoader) -> BehaviourPolicy:
        """The policy called ``policy``: "uniform", "greedy:STATE", or the path of a run, which ``load_policy`` opens.

        Raises:
            UsageError: this environment does not support it.
        """
        space = ctx.env.single_action_space
        if policy.startswith(GREEDY):
            return cls(space, table=_greedy_table(ctx, policy.removeprefix(GREEDY)))
        if policy != UNIFORM:
            return cls(space, leader=_open_leader(Path(policy), load_policy))
        if ctx.problem.model is None:
            return cls(space)
        states, actions = ctx.problem.tabular.num_states, ctx.num_actions
        return cls(space, table=np.full((states, actions), 1 / actions))

    @cached_property
    def cumulative(self) -> NDArray[np.float64]:
        """Sums of ``table`` along each row, [S, A]."""
        if self.table is None:
            raise ValueError("this policy is not a table")
        return np.cumsum(self.table, axis=-1)

    def choose(self, obs: Array, rng: np.random.Generator) -> Array:
        """Actions [B, ...] for observations [B, ...]."""
        if self.leader is not None:
            return self.leader.act(obs, greedy=False)
        if self.table is not None:
            return self._look_up(np.asarray(obs), rng.random(len(obs)))
        if isinstance(self.space, Discrete):
            return self.space.start + rng.integers(self.space.n, size=_count(obs))
        if isinstance(self.space, Box) and self.space.is_bounded():
            drawn = rng.uniform(self.space.low, self.space.high, (_count(obs), *self.space.shape))
            return drawn.astype(self.space.dtype)
        raise InterfaceError(f"the policy 'uniform' needs discrete or bounded actions; these are {self.space}.")

    def _look_up(self, states: Array, draws: NDArray[np.float64]) -> NDArray[np.int64]:
        """Actions of ``states`` for uniform ``draws`` of the same shape, by the inverse of the cumulative sums."""
        reached: NDArray[np.int64] = (draws[..., None] > self.cumulative.take(states, axis=0)).sum(-1)
        np.minimum(reached, self.cumulative.shape[1] - 1, out=reached)
        return reached

    @staticmethod
    def choose_together(
        behaviours: Sequence[BehaviourPolicy], obs: Array, rngs: Sequence[np.random.Generator]
    ) -> Array:
        """Actions [M, B, ...] of M members, each with its own generator; a table is shared by all of them."""
        first = behaviours[0]
        if first.table is None:
            return np.stack(
                [
                    behaviour.choose(observations, rng)
                    for behaviour, observations, rng in zip(behaviours, obs, rngs, strict=True)
                ]
            )
        return first._look_up(obs, np.stack([rng.random(obs.shape[1]) for rng in rngs]))


def collect(
    stack: Stack, behaviours: Sequence[BehaviourPolicy], rngs: Sequence[np.random.Generator], obs: Array, rounds: int
) -> tuple[Transitions, Array]:
    """Step every member ``rounds`` times.

    Args:
        stack: the environments of M members, B copies each.
        behaviours: the policy of each member.
        rngs: the generator of each member.
        obs: the current observations, [M, B, ...].
        rounds: how many steps of each copy.

    Returns:
        Transitions [M, rounds * B, ...] in the order of time, and the observations after them.
    """
    rows: dict[str, list[Array]] = {}
    for _ in range(rounds):
        action = BehaviourPolicy.choose_together(behaviours, obs, rngs)
        following, reward, terminated, truncated, infos = stack.step(action)
        row = {
            "obs": obs, "action": action, "reward": reward, "next_obs": infos["arrived"],
            "terminated": terminated, "truncated": truncated,
        }  # fmt: skip
        if "constraints" in infos:
            row["constraints"] = infos["constraints"]
        for name, values in row.items():
            rows.setdefault(name, []).append(values)
        obs = following
    return Transitions(**{name: np.concatenate(values, axis=1) for name, values in rows.items()}), obs


def _count(obs: Array) -> int:
    """How many observations a batch holds, also where each is a dictionary."""
    return len(next(iter(obs.values())) if isinstance(obs, Mapping) else obs)


def _greedy_table(ctx: Context, goal: str) -> NDArray[np.float64]:
    """The policy that reaches the state ``goal`` soonest (in discounted time), as a table [S, A]."""
    if ctx.problem.model is None:
        raise UsageError(f"--policy greedy:{goal} needs a tabular environment.")
    model = ctx.problem.tabular
    if not (goal.isdigit() and int(goal) < model.num_states):
        raise UsageError(f"--policy greedy:{goal}: expected a state from 0 to {model.num_states - 1}.")
    from zoo.tabular import policy_iteration

    reward = np.zeros((model.num_states, model.num_actions))
    reward[int(goal)] = 1.0
    plan = policy_iteration(model, reward)
    return np.asarray(np.eye(model.num_actions)[plan.policy])


def _open_leader(path: Path, load_policy: PolicyLoader) -> Algorithm[Any]:
    if not path.exists():
        raise UsageError(f"--policy {path}: expected 'uniform', 'greedy:STATE' or the path of a run.")
    return load_policy(path)
