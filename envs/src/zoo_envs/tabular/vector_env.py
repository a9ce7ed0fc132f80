"""Many copies of an environment that is sampled from exact tables, stepped by array operations."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo_envs.batched import CopiesEnv, Info, Move, Observations
from zoo_envs.reward_rules import RewardRule
from zoo_envs.tabular.constraints import ConstraintSpec
from zoo_envs.tabular.lookup import (
    TabularCore,
    batched_metadata,
    checked_render_mode,
    restored_generator,
    snapshot_entry,
)
from zoo_envs.tabular.model import TabularModel
from zoo_envs.tabular.rendering import StateView
from zoo_envs.tabular.transitions import Outcomes

__all__ = ["SampledVectorEnv", "TabularVectorEnv"]


class SampledVectorEnv(CopiesEnv):
    """`num_envs` independent copies, stepped by array operations from one random stream; see `CopiesEnv`."""

    STATE_ARRAYS = ("_state", "_elapsed")
    metadata = batched_metadata("ansi")

    def __init__(
        self,
        model: TabularModel,
        num_envs: int = 1,
        *,
        max_episode_steps: int | None = 200,
        render_mode: str | None = None,
        observations: NDArray[np.float32] | None = None,
        view: StateView | None = None,
        outcomes: Outcomes | None = None,
        rule: RewardRule | None = None,
    ) -> None:
        """Sample `num_envs` copies of `model`; see `SampledEnv` for the other arguments.

        Raises:
            ValueError: an argument is outside its range.
        """
        self._core = TabularCore(model, max_episode_steps, observations, view, outcomes)
        super().__init__(num_envs, self._core.observation_space, self._core.action_space)
        self._rule = None if rule is None else rule.prepared(self.num_envs)
        self.render_mode = checked_render_mode(render_mode, self.metadata["render_modes"])
        self._continuing = self._core.terminal is None and rule is None
        self._elapsed = np.zeros(self.num_envs, dtype=np.int64)

    def model(self) -> TabularModel:
        """Return the exact arrays that are sampled."""
        return self._core.model

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Draw a first state from rho for every copy; `seed` starts the one random stream anew."""
        super().reset(seed=seed)
        self._begin(np.ones(self.num_envs, dtype=np.bool_))
        infos: dict[str, Any] = {}
        self._put_info(infos, self._rule_info())
        return self._observe(self._state), infos

    def render(self) -> tuple[Any, ...] | None:
        """Return every copy rendered as by `SampledEnv.render`, or None where no mode was chosen."""
        if self.render_mode is None:
            return None
        marked = [[] if self._rule is None else self._rule.marked(index) for index in range(self.num_envs)]
        states = self._current().tolist()
        return tuple(self._core.show(self.render_mode, *shown) for shown in zip(states, marked, strict=True))

    def get_state(self) -> dict[str, Any]:
        """Return everything needed to continue bit for bit.

        That is {"state": int64[n], "elapsed": int64[n], "rng"} and what the rule remembers, int64 [n, ...] each.

        Raises:
            ResetNeeded: there is nothing to continue yet.
        """
        snapshot = {"state": self._current().copy(), "elapsed": self._elapsed.copy()}
        snapshot |= {name: array.copy() for name, array in self._memory().items()}
        return snapshot | {"rng": self.np_random.bit_generator.state}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned; on an error nothing changes.

        Raises:
            ValueError: `state` is not a snapshot of this environment with this number of copies.
        """
        n = self.num_envs
        index = snapshot_entry(state, "state", (n,), self._core.model.num_states)
        elapsed = snapshot_entry(state, "elapsed", (n,))
        layout = {} if self._rule is None else self._rule.layout()
        memory = {name: snapshot_entry(state, name, (n, *tail), below) for name, (tail, below) in layout.items()}
        self.np_random = restored_generator(state)
        self._state[:], self._elapsed[:] = index, elapsed
        for name, array in self._memory().items():
            array[:] = memory[name]

    def _advance(self, actions: NDArray[np.integer[Any]]) -> Move:
        core = self._core
        rows = self._current() * core.A
        rows += self._checked(actions)
        outcomes = core.successor.index_many(rows, self._draw())
        arrived = core.successor.succ.take(outcomes)
        self._state[:] = arrived
        self._elapsed += 1
        rewards = core.rewards(rows, outcomes)
        ended = truncations = self._elapsed >= core.limit
        if self._continuing:
            terminations = np.zeros(self.num_envs, dtype=np.bool_)
        else:
            terminations = core.over(arrived)
            if self._rule is not None:
                extra, over = self._rule.arrive(arrived, self._draw)
                rewards += extra
                terminations |= over
            ended = terminations | truncations
            truncations &= ~terminations
        rule_info = self._rule_info()
        any_ended = bool(ended.any())
        if any_ended:
            self._begin(ended)
        return Move(
            arrived, rewards, terminations, truncations, ended if any_ended else None, self._signals(rows), rule_info
        )

    def _begin(self, where: NDArray[np.bool_]) -> None:
        """Start a new episode in the copies `where` bool[n]."""
        u = self._draw(where)
        self._state[where] = self._core.start.draw_many(np.zeros(u.size, dtype=np.int64), u)
        self._elapsed[where] = 0
        if self._rule is not None:
            self._rule.begin(where, self._state)

    def _draw(self, where: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """Return one uniform for each copy, or for each of `where` bool[n]."""
        if not self._stacked:
            return self.np_random.random(self.num_envs if where is None else int(np.count_nonzero(where)))
        B = self.num_envs // len(self._stacked)
        counts = itertools.repeat(B) if where is None else where.reshape(-1, B).sum(1).tolist()
        # Generators are looked up anew: resetting or restoring a member may have replaced its own.
        return np.concatenate([m.np_random.random(k) for m, k in zip(self._stacked, counts, strict=False)])

    def _memory(self) -> dict[str, NDArray[np.int64]]:
        return {} if self._rule is None else self._rule.memory

    def _differs_only_in_seed(self, other: Any) -> bool:
        if type(self) is not type(other) or self.num_envs != other.num_envs or not self._core.same(other._core):
            return False
        return other._rule is None if self._rule is None else self._rule.same(other._rule)

    def _observe(self, state: NDArray[np.int64]) -> Observations:
        table = self._core.observations
        return state.copy() if table is None else table.take(state, axis=0)

    def _signals(self, rows: NDArray[np.int64]) -> Info:
        """Return what the infos say of the transitions of `rows` s*A + a, [n, ...] each."""
        return {}


class TabularVectorEnv(SampledVectorEnv):
    """`SampledVectorEnv` with constraint signals: ``infos["constraints"]`` float32[n,N], and perhaps "cost"."""

    @property
    def constraint_spec(self) -> ConstraintSpec:
        """Names, thresholds and senses of the N constraints."""
        return self._core.spec

    def _signals(self, rows: NDArray[np.int64]) -> Info:
        constraints = self._core.c.take(rows, axis=0)
        signals: Info = {"constraints": constraints}
        if self._core.has_cost:
            signals["cost"] = constraints[:, 0].astype(np.float64)
        return signals
