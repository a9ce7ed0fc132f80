"""Training representations: the core collects transitions with a policy and calls ``update``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.api import (
    Algorithm,
    Array,
    Batch,
    Context,
    Metrics,
    Outcome,
    Representation,
    RepresentationBatch,
    Solvable,
    State,
    Transitions,
)
from zoo.errors import InterfaceError, UsageError
from zoo.training.environments.stack import stack
from zoo.training.representations.behaviour import BehaviourPolicy, PolicyLoader, collect
from zoo.training.storage.spec import UNIFORM

STEPS_PER_UPDATE = 128


class RepresentationTrainer(Algorithm[None]):
    """An Algorithm around a Representation.

    Args:
        ctx: environment and randomness.
        representation: what is trained; its ``ctx`` shares the environment.
        behaviour: the policy that collects transitions.
        solution: the exact table for this policy, where it is known.
        exact: install the solution instead of learning.
    """

    def __init__(
        self,
        ctx: Context,
        representation: Representation[Any],
        behaviour: BehaviourPolicy,
        solution: NDArray[np.float64] | None,
        *,
        exact: bool,
    ) -> None:
        super().__init__(ctx, None)
        self.representation = representation
        self.behaviour = behaviour
        self.obs, _ = ctx.env.reset()
        self.rounds = max(1, STEPS_PER_UPDATE // ctx.env.num_envs)
        self.exact = exact
        self._solution = solution
        self._stack = stack([ctx.env])

    @classmethod
    def of(
        cls, ctx: Context, representation: Representation[Any], options: Mapping[str, Any], load_policy: PolicyLoader
    ) -> RepresentationTrainer:
        """The trainer of one seed.

        Args:
            ctx: environment and randomness.
            representation: what is trained.
            options: "policy": "uniform", "greedy:GOAL" (shortest way to a state of a tabular environment) or the
                path of a run whose policy to follow; "exact": solve instead of learning.
            load_policy: opens a run to follow.

        Raises:
            UsageError: the policy cannot be had here, or "exact" without an exact solution.
        """
        behaviour = BehaviourPolicy.of(ctx, str(options.get("policy", UNIFORM)), load_policy)
        exact = bool(options.get("exact", False))
        return cls(ctx, representation, behaviour, _solution(ctx, representation, behaviour, exact=exact), exact=exact)

    def sibling(
        self, ctx: Context, representation: Representation[Any], options: Mapping[str, Any], load_policy: PolicyLoader
    ) -> RepresentationTrainer:
        """The trainer of another seed: a table and its solution are shared, a run to follow is loaded anew."""
        if self.behaviour.leader is not None:
            return self.of(ctx, representation, options, load_policy)
        return RepresentationTrainer(ctx, representation, self.behaviour, self._solution, exact=self.exact)

    def update(self) -> Metrics:
        """Collect about 128 transitions and learn from them, or, if exact, install the solution."""
        if self.exact:
            return self.install()
        transitions, obs = collect(
            self._stack, [self.behaviour], [self.ctx.stream("collect")], self.obs[None], self.rounds
        )
        return self.learned(self.representation.update(_of_member(transitions, 0)), obs[0])

    def learned(self, metrics: Metrics, obs: Array) -> Metrics:
        """Account for one update whose ``metrics`` the representation gave, after which the copies are at ``obs``."""
        self.obs = obs
        self.env_steps += self.rounds * self.ctx.env.num_envs
        return {**metrics, **self._distance()}

    def install(self) -> Metrics:
        """Put the exact solution in the place of what was learned; the run is over."""
        representation = self.representation
        assert isinstance(representation, Solvable)  # noqa: S101  _solution looked
        assert self._solution is not None  # noqa: S101
        learned = self._distance()
        representation.set_table(self._solution)
        self.env_steps = self.ctx.budget
        self.outcome = Outcome("converged", "the exact solution was installed", final=True)
        return {**{f"{name}_before": value for name, value in learned.items()}, **self._distance()}

    def _distance(self) -> dict[str, float]:
        """How far the learned table is from the exact one, where that is known."""
        if self._solution is None or not isinstance(self.representation, Solvable):
            return {}
        error = np.asarray(self.representation.table()) - self._solution
        return {"distance/max": float(np.abs(error).max()), "distance/rms": float(np.sqrt(np.mean(error**2)))}

    def restart(self) -> None:
        """Begin fresh episodes."""
        self.obs, _ = self.ctx.env.reset()

    def act(self, obs: Array, *, greedy: bool = True) -> Array:
        """Actions of the policy that collects transitions; evaluating does not change what is collected."""
        return self.behaviour.choose(obs, self.ctx.stream("act"))

    def state(self) -> State:
        """The representation's state and where the environment was."""
        leader = self.behaviour.leader
        return {
            "representation": self.representation.state(),
            "obs": np.asarray(self.obs),
            "leader": leader.state() if leader is not None else None,
        }

    def load_state(self, state: State) -> None:
        """Continue from ``state``."""
        self.representation.load_state(state["representation"])
        self.obs = state["obs"]
        if self.behaviour.leader is not None:
            self.behaviour.leader.load_state(state["leader"])


class TrainerBatch(Batch):
    """Several seeds of one representation: one stack of environments collects for the batch that learns.

    Args:
        contexts: one for each member.
        learners: the representations of these members.
        options: as for ``RepresentationTrainer.of``.
        load_policy: opens a run to follow.

    Raises:
        UsageError: as ``RepresentationTrainer.of``.
    """

    def __init__(
        self,
        contexts: Sequence[Context],
        learners: RepresentationBatch,
        options: Mapping[str, Any],
        load_policy: PolicyLoader,
    ) -> None:
        if len(learners) != len(contexts):
            raise InterfaceError(f"len() of a batch of {len(contexts)} representations is {len(learners)}.")
        self._learners = learners
        first = RepresentationTrainer.of(contexts[0], learners.member(0), options, load_policy)
        self._members = [first] + [
            first.sibling(ctx, learners.member(index), options, load_policy)
            for index, ctx in enumerate(contexts[1:], start=1)
        ]
        self._stack = stack([ctx.env for ctx in contexts])
        self._rngs = [ctx.stream("collect") for ctx in contexts]

    def __len__(self) -> int:
        return len(self._members)

    def member(self, index: int) -> RepresentationTrainer:
        """The trainer of one seed, which may also go on alone."""
        return self._members[index]

    def update(self) -> Sequence[Metrics]:
        """Collect about 128 transitions for each member and learn from them together."""
        members = self._members
        if members[0].exact:
            return [member.install() for member in members]
        obs = np.stack([member.obs for member in members])
        transitions, obs = collect(
            self._stack, [member.behaviour for member in members], self._rngs, obs, members[0].rounds
        )
        rows = self._learners.update(transitions)
        if len(rows) != len(members):
            raise InterfaceError(f"update() of a batch of {len(members)} representations gave {len(rows)} metrics.")
        return [member.learned(row, last_obs) for member, row, last_obs in zip(members, rows, obs, strict=True)]


def _solution(
    ctx: Context, representation: Representation[Any], behaviour: BehaviourPolicy, *, exact: bool
) -> NDArray[np.float64] | None:
    """The exact table for the behaviour's policy, or None where there is none.

    Raises:
        UsageError: there is none, and it was asked for.
    """
    if isinstance(representation, Solvable) and behaviour.table is not None:
        return representation.solve(ctx.problem.tabular, behaviour.table)
    if exact:
        raise UsageError(
            "--exact needs a representation with an exact solution, a tabular environment, and the policy "
            "'uniform' or 'greedy:GOAL'."
        )
    return None


def _of_member(transitions: Transitions, index: int) -> Transitions:
    """The transitions of one member."""
    parts = {field.name: getattr(transitions, field.name) for field in fields(transitions)}
    return Transitions(**{name: None if part is None else part[index] for name, part in parts.items()})
