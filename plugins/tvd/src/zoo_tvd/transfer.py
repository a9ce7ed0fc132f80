"""The base of all methods: the source policy, samples of target and source, and acting through f."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from zoo import Algorithm, Array, Context, Metrics, Outcome, State, UsageError, lookup
from zoo_tvd.config import TransferConfig
from zoo_tvd.maps.affine import Affine, Orthogonal
from zoo_tvd.maps.base import Fit, UndoMap
from zoo_tvd.maps.mlp import MLP
from zoo_tvd.maps.permutation import Permutation
from zoo_tvd.rollout import Choose, exploring, trajectories, transitions, uniform
from zoo_tvd.samples import Samples
from zoo_tvd.source.opening import open_source
from zoo_tvd.transport.pot import pot

Floats = NDArray[np.float64]
ConfigT = TypeVar("ConfigT", bound=TransferConfig)
KINDS: Mapping[str, type[UndoMap]] = {cls.kind: cls for cls in (Affine, Orthogonal, Permutation, MLP)}


class Transfer(Algorithm[ConfigT]):
    """The pushforward policy pi_f(a | o) = pi(a | f(o)) of a source policy pi that is never changed.

    ``env_steps`` counts steps of the target, whose rewards are never used; steps of the source are in the metric
    ``source_steps``.

    Raises:
        UsageError: the source cannot be read, acts in another action space, or the observations are not vectors.
    """

    uses_transport: ClassVar[bool] = False

    def __init__(self, ctx: Context, config: ConfigT) -> None:
        super().__init__(ctx, config)
        space = ctx.env.single_observation_space
        if not isinstance(space, Box) or len(space.shape) != 1:
            raise UsageError(f"the observations are {space}: expected vectors of numbers, a Box of one axis.")
        uniform(ctx.env.single_action_space, 1, np.random.default_rng(0))  # refuses actions that cannot be explored
        self.policy_source, self._make_source = open_source(
            ctx, config.source, bandwidth=getattr(config, "bandwidth", 0.0), epsilon=config.epsilon
        )
        self.d_target, self.d_source = int(space.shape[0]), self.policy_source.d
        if self.uses_transport:
            pot(torch=False)
        self.f: UndoMap = self.first_map()
        self.fit = Fit(0, 0)
        self.target: Samples | None = None
        self.source: Samples | None = None
        self.source_steps = 0
        self._digest = self.policy_source.digest()
        self._act_rng = ctx.stream("act")

    def first_map(self) -> UndoMap:
        """The initial map: the identity, or, between different dimensions, the first coordinates."""
        return Affine(np.eye(self.d_source, self.d_target), np.zeros(self.d_source))

    @abstractmethod
    def update(self) -> Metrics:
        """One iteration."""

    # Acting

    def push(self, obs: Array) -> Array:
        """Actions of the pushforward policy for observations [B, d_T]."""
        return self.policy_source.act(self.f(np.asarray(obs, dtype=np.float64)))

    def act(self, obs: Array, *, greedy: bool = True) -> Array:
        """Actions [B, ...] for observations [B, d_T]; if not ``greedy``, uniform ones with probability epsilon."""
        if greedy:
            return self.push(obs)
        space = self.ctx.env.single_action_space
        return exploring(self.push, self.config.epsilon, space, self._act_rng)(obs)

    def policy(self) -> Floats:
        """Action probabilities [S, A] in the states of a tabular target.

        Raises:
            UsageError: the target is not tabular, or the coordinates of its states are unknown.
        """
        points, g = lookup(self.ctx.env, "source_states"), lookup(self.ctx.env, "transformation")
        if points is None or g is None or self.ctx.problem.model is None:
            raise UsageError("this target has no exact model: its policy cannot be written as a table.")
        seen = g.forward(points).astype(np.float32)
        return np.asarray(np.eye(self.ctx.num_actions)[self.act(seen)])

    maps_states: ClassVar[bool] = True
    """whether ``f`` maps observations of the target to states of the source"""

    def act_in_source(self, obs: Array) -> Array:
        """Actions [B, ...] of the source policy in states of the source [B, d_S]."""
        return self.policy_source.act(np.asarray(obs, dtype=np.float64))

    def source_env(self, copies: int) -> Any:
        """Copies of the source's environment; begin with ``reset(seed=...)``."""
        return self._make_source(copies)

    def source_unchanged(self) -> bool:
        """Whether the source policy is, byte for byte, what it was at the beginning."""
        return self.policy_source.digest() == self._digest

    def states_of_source(self, rng: np.random.Generator) -> Floats:
        """States [N, d_S] that uniform actions visit in the source."""
        env = self._make_source(min(50, int(self.ctx.env.num_envs)))  # a simulator is slow to build
        try:
            env.reset(seed=int(rng.integers(2**31)))
            space = env.single_action_space
            found = transitions(env, lambda obs: uniform(space, len(obs), rng), 50, self.config.horizon)
        finally:
            env.close()
        return found.states[:, 0]

    # Samples

    def behaviour(self, states: Callable[[Array], Floats], rng: np.random.Generator) -> Choose:
        """The policy that collects data: the source policy in the ``states`` [B, d_S] of observations, exploring."""
        space = self.ctx.env.single_action_space
        return exploring(lambda obs: self.policy_source.act(states(obs)), self.config.epsilon, space, rng)

    def observe(self, policy: bool, *, whole: bool, rng: np.random.Generator) -> Samples:
        """Samples of the target: whole trajectories or transitions, under pi_f or uniform actions; counted."""
        env, config = self.ctx.env, self.config
        space = env.single_action_space
        if policy:
            choose = self.behaviour(lambda obs: self.f(np.asarray(obs, dtype=np.float64)), rng)
        else:
            choose = lambda obs: uniform(space, len(obs), rng)  # noqa: E731
        samples = (trajectories if whole else transitions)(env, choose, config.episodes, config.horizon)
        self.env_steps += self.steps_per_collection()
        return samples

    def steps_per_collection(self) -> int:
        """Environment steps of one collection."""
        copies = int(self.ctx.env.num_envs)
        return -(-self.config.episodes // copies) * copies * self.config.horizon

    def observe_source(self, policy: bool, *, whole: bool, rng: np.random.Generator) -> Samples:
        """Samples of the source under its own policy or uniform actions; see ``observe``."""
        config = self.config
        env = self._make_source(min(config.episodes, max(int(self.ctx.env.num_envs), 1)))
        try:
            env.reset(seed=int(rng.integers(2**31)))
            space = env.single_action_space
            if policy:
                choose = self.behaviour(lambda obs: np.asarray(obs, dtype=np.float64), rng)
            else:
                choose = lambda obs: uniform(space, len(obs), rng)  # noqa: E731
            samples = (trajectories if whole else transitions)(env, choose, config.episodes, config.horizon)
            self.source_steps += -(-config.episodes // env.num_envs) * env.num_envs * config.horizon
        finally:
            env.close()
        return samples

    # State

    def common_metrics(self) -> dict[str, float]:
        """The metrics that every method logs."""
        return {
            "rank": float(self.fit.rank),
            "identifiable": float(self.fit.identifiable),
            "source_steps": float(self.source_steps),
            "source_changed": float(not self.source_unchanged()),
        }

    def done(self, message: str, *, converged: bool = True) -> None:
        """End the run with an outcome."""
        self.outcome = Outcome("converged" if converged else "not_converged", message, final=True)

    def state(self) -> State:
        """The map and the samples; the source policy is named by its digest."""
        return {
            "map": {"kind": self.f.kind, **self.f.state()},
            "fit": {"rank": self.fit.rank, "full": self.fit.full},
            "target": None if self.target is None else stored(self.target),
            "source": None if self.source is None else stored(self.source),
            "source_steps": self.source_steps,
            "digest": self._digest,
            "outcome": None if self.outcome is None else [self.outcome.status, self.outcome.message],
            "act": self._act_rng.bit_generator.state,
        }

    def load_state(self, state: State) -> None:
        """Continue from ``state``.

        Raises:
            UsageError: the source policy has changed.
        """
        if state["digest"] != self._digest:
            raise UsageError(f"source {self.config.source} has changed since this run began: expected the same files.")
        self.f = restored_map(state["map"])
        self.fit = Fit(int(state["fit"]["rank"]), int(state["fit"]["full"]))
        self.target, self.source = (
            None if state[name] is None else restored(state[name]) for name in ("target", "source")
        )
        self.source_steps = int(state["source_steps"])
        outcome = state["outcome"]
        self.outcome = None if outcome is None else Outcome(outcome[0], outcome[1], final=True)
        self._act_rng.bit_generator.state = state["act"]


def restored_map(state: Mapping[str, Any]) -> UndoMap:
    """The map that ``{"kind", **map.state()}`` describes."""
    return KINDS[state["kind"]].restored(state)


def stored(samples: Samples) -> dict[str, Any]:
    """The samples as arrays, from which ``restored`` makes them."""
    found = {"states": samples.states, "weights": samples.weights}
    return found if samples.actions is None else {**found, "actions": samples.actions}


def restored(state: Mapping[str, Any]) -> Samples:
    """The samples that ``stored`` wrote."""
    actions = state.get("actions")
    return Samples(
        np.array(state["states"]), None if actions is None else np.array(actions), np.array(state["weights"])
    )
