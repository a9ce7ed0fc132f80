"""Many copies of an environment that is sampled from exact tables, stepped by array operations."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self, TypeAlias

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.vector import VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from zoo_envs.arguments import integer
from zoo_envs.core import TabularCore, batched_metadata, checked_render_mode, restored_generator, snapshot_entry
from zoo_envs.model import TabularModel
from zoo_envs.outcomes import Outcomes
from zoo_envs.rules import RewardRule
from zoo_envs.stacking import Stack
from zoo_envs.view import StateView

__all__ = ["Move", "SampledVectorEnv"]

Observations: TypeAlias = "NDArray[Any]"  # int64 [n], or float32 [n, ...]
Info: TypeAlias = dict[str, NDArray[Any]]
_NO_STATE = -1


class Move(NamedTuple):
    """One step of n copies, those that ended having begun anew.

    Attributes:
        arrived: int64[n], the states before any reset.
        rewards: float64[n].
        terminations: bool[n].
        truncations: bool[n].
        ended: bool[n], or None where no episode ended.
        signals: what the infos say of the transitions, [n, ...] each.
        told: what the rule said before any reset, [n, ...] each.
    """

    arrived: NDArray[np.int64]
    rewards: NDArray[np.float64]
    terminations: NDArray[np.bool_]
    truncations: NDArray[np.bool_]
    ended: NDArray[np.bool_] | None
    signals: Info
    told: Info


class SampledVectorEnv(VectorEnv[Any, Any, NDArray[Any]]):
    """`num_envs` independent copies, stepped by array operations from one random stream.

    Autoreset mode SAME_STEP: where an episode ends, the observation returned is the first of the next one,
    the last one is in ``infos["final_obs"]`` and its info in ``infos["final_info"]``, laid out as in
    `gymnasium.vector.SyncVectorEnv`. One difference: signals of the step just taken are in ``infos`` for every
    copy, so that the last signal of an episode is where all others are.

    The arrays that hold the copies are changed in place only, so that `zoo_envs.stacking` can bind them together.
    """

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
        self.num_envs = integer("num_envs", num_envs, 1)
        self._core = TabularCore(model, max_episode_steps, observations, view, outcomes)
        self._rule = None if rule is None else rule.prepared(self.num_envs)
        self.render_mode = checked_render_mode(render_mode, self.metadata["render_modes"])
        self.single_observation_space = self._core.observation_space
        self.single_action_space = self._core.action_space
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._continuing = self._core.terminal is None and rule is None
        self._bound: tuple[SampledVectorEnv, ...] = ()  # the members, where this is the whole of a stack
        self._state = np.full(self.num_envs, _NO_STATE, dtype=np.int64)
        self._elapsed = np.zeros(self.num_envs, dtype=np.int64)

    @classmethod
    def stacked(cls, members: Sequence[Self]) -> Any:
        """Bind `members` of this very class with equal numbers of copies: see `zoo_envs.stacking.Stack`.

        Returns:
            An object whose ``step(actions)`` steps all members by one array operation, or None where the members
            differ in more than their random streams.
        """
        first = members[0]
        alike = all(member._same(first) for member in members)
        return Stack(members) if alike else None

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
        self._tell(infos, self._told())
        return self._observe(self._state), infos

    def step(
        self, actions: NDArray[np.integer[Any]]
    ) -> tuple[Observations, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Take one transition in every copy, and start anew those whose episode ended.

        Returns:
            observations [n, ...], rewards float64[n], terminations bool[n], truncations bool[n], infos.

        Raises:
            ResetNeeded: `reset` was never called.
            ValueError: `actions` are not n integers in [0, A-1].
        """
        move = self._advance(actions)
        infos: dict[str, Any] = {} if move.ended is None else self._final(move, move.ended)
        self._tell(infos, move.signals)
        self._tell(infos, move.told if move.ended is None else self._told())
        return self._observe(self._state), move.rewards, move.terminations, move.truncations, infos

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
        kept = {"state": self._current().copy(), "elapsed": self._elapsed.copy()}
        kept |= {name: array.copy() for name, array in self._memory().items()}
        return kept | {"rng": self.np_random.bit_generator.state}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned; on an error nothing changes.

        Raises:
            ValueError: `state` is no snapshot of this environment with this number of copies.
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
        told = self._told()
        begun = bool(ended.any())
        if begun:
            self._begin(ended)
        return Move(arrived, rewards, terminations, truncations, ended if begun else None, self._signals(rows), told)

    def _begin(self, where: NDArray[np.bool_]) -> None:
        """Start a new episode in the copies `where` bool[n]."""
        u = self._draw(where)
        self._state[where] = self._core.start.draw_many(np.zeros(u.size, dtype=np.int64), u)
        self._elapsed[where] = 0
        if self._rule is not None:
            self._rule.begin(where, self._state)

    def _draw(self, where: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """Return one uniform for each copy, or for each of `where` bool[n]."""
        if not self._bound:
            return self.np_random.random(self.num_envs if where is None else int(np.count_nonzero(where)))
        B = self.num_envs // len(self._bound)
        counts = itertools.repeat(B) if where is None else where.reshape(-1, B).sum(1).tolist()
        # Generators are looked up anew: resetting or restoring a member may have replaced its own.
        return np.concatenate([m.np_random.random(k) for m, k in zip(self._bound, counts, strict=False)])

    def _current(self) -> NDArray[np.int64]:
        if self._state[0] == _NO_STATE:
            raise ResetNeeded("call reset() first: the environment has no state yet")
        return self._state

    def _memory(self) -> dict[str, NDArray[np.int64]]:
        return {} if self._rule is None else self._rule.memory

    def _same(self, other: SampledVectorEnv) -> bool:
        """Return whether `other` differs from this environment in its random stream at most."""
        if type(self) is not type(other) or self.num_envs != other.num_envs or not self._core.same(other._core):
            return False
        return other._rule is None if self._rule is None else self._rule.same(other._rule)

    def _observe(self, state: NDArray[np.int64]) -> Observations:
        table = self._core.observations
        return state.copy() if table is None else table.take(state, axis=0)

    def _signals(self, rows: NDArray[np.int64]) -> Info:
        """Return what the infos say of the transitions of `rows` s*A + a, [n, ...] each."""
        return {}

    def _told(self) -> Info:
        return {} if self._rule is None else self._rule.info()

    def _tell(self, infos: dict[str, Any], what: Info) -> None:
        """Put `what`, which holds for every copy, into `infos` with its masks."""
        for key, value in what.items():
            infos[key], infos[f"_{key}"] = value, np.ones(self.num_envs, dtype=np.bool_)

    def _checked(self, actions: object) -> NDArray[np.int64]:
        array = np.asarray(actions)
        if array.shape != (self.num_envs,) or array.dtype.kind not in "iu":
            raise ValueError(
                f"actions must be {self.num_envs} integers, got {array.dtype} of shape {list(array.shape)}"
            )
        array = array.astype(np.int64, copy=False)
        # Seen as unsigned a negative number is huge, so one reduction checks both ends.
        if np.maximum.reduce(array.view(np.uint64)) >= self._core.A:
            bad = np.flatnonzero((array < 0) | (array >= self._core.A))[0]
            raise ValueError(f"actions must lie in [0, {self._core.A - 1}], got {array[bad]} for copy {bad}")
        return array

    def _final(self, move: Move, ended: NDArray[np.bool_]) -> dict[str, Any]:
        """Return "final_obs" and "final_info" with their masks, laid out as by SyncVectorEnv."""
        last = self._observe(move.arrived[ended])
        final_obs = np.full(self.num_envs, None, dtype=object)
        # An int per ended copy, or an array: what the single form returns. Arrays must go in one by one.
        for i, observation in zip(np.flatnonzero(ended), last.tolist() if last.ndim == 1 else last, strict=True):
            final_obs[i] = observation
        final_info: dict[str, Any] = {}
        for key, value in (move.signals | move.told).items():
            kept = np.zeros_like(value)
            kept[ended] = value[ended]
            final_info[key], final_info[f"_{key}"] = kept, ended.copy()
        return {
            "final_obs": final_obs,
            "_final_obs": ended.copy(),
            "final_info": final_info,
            "_final_info": ended.copy(),
        }
