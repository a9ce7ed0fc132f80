"""Gymnasium environments sampled from the exact arrays of a CMDP, one copy or many at once.

Both forms follow the constrained-environment interface: a five-tuple step, ``info["constraints"]`` float32[N]
at every step and never at reset, ``info["cost"]`` as an alias where there is exactly one constraint and its
sense is "<=". They are continuing: `terminated` is always False, `truncated` comes after `max_episode_steps`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.vector import VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from zoo_envs.arguments import integer
from zoo_envs.constraints import ConstraintSpec
from zoo_envs.core import (
    TabularCore,
    batched_metadata,
    checked_render_mode,
    metadata,
    restored_generator,
    snapshot_entry,
)
from zoo_envs.model import TabularModel
from zoo_envs.view import StateView

__all__ = ["TabularEnv", "TabularVectorEnv"]

Observation: TypeAlias = "int | NDArray[np.float32]"
Observations: TypeAlias = "NDArray[Any]"  # int64 [n], or float32 [n, ...]


class TabularEnv(gymnasium.Env[Any, Any]):
    """One copy. Observation `Discrete(S)` (or a table row), action `Discrete(A)`.

    Each reset and each step draws exactly one uniform from `np_random`.
    """

    metadata = metadata("ansi")

    def __init__(
        self,
        model: TabularModel,
        *,
        max_episode_steps: int | None = 200,
        render_mode: str | None = None,
        observations: NDArray[np.float32] | None = None,
        view: StateView | None = None,
    ) -> None:
        """Sample `model`.

        Args:
            model: the CMDP.
            max_episode_steps: steps until truncation, at least 1; None: never. A `max_episode_steps` given to
                `gymnasium.make` is gymnasium's own wrapper around this one, and can only shorten.
            render_mode: None or one of ``metadata["render_modes"]``.
            observations: float32 [S, ...] in [0,1], shown instead of the state's index.
            view: how states are rendered; by default as numbers.

        Raises:
            ValueError: an argument is outside its range.
        """
        self._core = TabularCore(model, max_episode_steps, observations, view)
        self.render_mode = checked_render_mode(render_mode, self.metadata["render_modes"])
        self.observation_space = self._core.observation_space
        self.action_space = self._core.action_space
        self._state: int | None = None
        self._elapsed = 0

    @property
    def constraint_spec(self) -> ConstraintSpec:
        """Names, thresholds and senses of the N constraints."""
        return self._core.spec

    def model(self) -> TabularModel:
        """Return the exact arrays that are sampled."""
        return self._core.model

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Draw a first state from rho; `seed` starts the random stream anew."""
        super().reset(seed=seed)
        self._state = self._core.start.draw(0, self.np_random.random())
        self._elapsed = 0
        return self._observe(self._state), {}

    def step(self, action: int | np.integer[Any]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Take one transition.

        Raises:
            ResetNeeded: `reset` was never called.
            ValueError: `action` is no integer in [0, A-1].
        """
        core, row = self._core, self._current() * self._core.A
        row += integer("action", action, 0, core.A - 1)
        self._state = core.successor.draw(row, self.np_random.random())
        self._elapsed += 1
        constraints = core.c[row].copy()
        info: dict[str, Any] = {"constraints": constraints}
        if core.has_cost:
            info["cost"] = constraints.item(0)
        return self._observe(self._state), core.r.item(row), False, self._elapsed >= core.limit, info

    def render(self) -> Any:
        """Return the state as str ("ansi"), uint8 [H,W,3] ("rgb_array"), or None where no mode was chosen."""
        return self._core.show(self.render_mode, self._current())

    def get_state(self) -> dict[str, Any]:
        """Return everything needed to continue bit for bit: {"state", "elapsed", "rng"}.

        Raises:
            ResetNeeded: there is nothing to continue yet.
        """
        return {"state": self._current(), "elapsed": self._elapsed, "rng": self.np_random.bit_generator.state}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned; on an error nothing changes.

        Raises:
            ValueError: `state` is no snapshot of this environment.
        """
        index = snapshot_entry(state, "state", (), self._core.model.num_states)
        elapsed = snapshot_entry(state, "elapsed", ())
        self.np_random = restored_generator(state)
        self._state, self._elapsed = int(index), int(elapsed)

    def _current(self) -> int:
        if self._state is None:
            raise ResetNeeded("call reset() first: the environment has no state yet")
        return self._state

    def _observe(self, state: int) -> Observation:
        table = self._core.observations
        # A copy: the caller owns what is returned to it.
        return state if table is None else table[state].copy()


class TabularVectorEnv(VectorEnv[Any, Any, NDArray[Any]]):
    """`num_envs` independent copies, stepped by array operations from one random stream.

    Autoreset mode SAME_STEP: where an episode ends, the observation returned is the first of the next one,
    the last one is in ``infos["final_obs"]`` and its info in ``infos["final_info"]``, laid out as in
    `gymnasium.vector.SyncVectorEnv`. One difference: ``infos["constraints"]`` (and "cost") always hold the
    signals of the step just taken, for every copy, so that the last signal of an episode is where all others
    are.
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
    ) -> None:
        """Sample `num_envs` copies of `model`; see `TabularEnv` for the other arguments.

        Raises:
            ValueError: an argument is outside its range.
        """
        self.num_envs = integer("num_envs", num_envs, 1)
        self._core = TabularCore(model, max_episode_steps, observations, view)
        self.render_mode = checked_render_mode(render_mode, self.metadata["render_modes"])
        self.single_observation_space = self._core.observation_space
        self.single_action_space = self._core.action_space
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._state: NDArray[np.int64] | None = None
        self._elapsed = np.zeros(self.num_envs, dtype=np.int64)

    @property
    def constraint_spec(self) -> ConstraintSpec:
        """Names, thresholds and senses of the N constraints."""
        return self._core.spec

    def model(self) -> TabularModel:
        """Return the exact arrays that are sampled."""
        return self._core.model

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Draw a first state from rho for every copy; `seed` starts the one random stream anew."""
        super().reset(seed=seed)
        self._state = self._start(self.num_envs)
        self._elapsed = np.zeros(self.num_envs, dtype=np.int64)
        return self._observe(self._state), {}

    def step(
        self, actions: NDArray[np.integer[Any]]
    ) -> tuple[Observations, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Take one transition in every copy, and start anew those whose episode ended.

        Returns:
            observations [n, ...], rewards float64[n], terminations bool[n], truncations bool[n], infos with
            "constraints" float32[n,N].

        Raises:
            ResetNeeded: `reset` was never called.
            ValueError: `actions` are not n integers in [0, A-1].
        """
        core, n = self._core, self.num_envs
        rows = self._current() * core.A
        rows += self._checked(actions)
        self._state = state = core.successor.draw_many(rows, self.np_random.random(n))
        self._elapsed += 1
        truncations = self._elapsed >= core.limit
        infos: dict[str, Any] = {}
        constraints = core.c.take(rows, axis=0)
        signals: dict[str, NDArray[Any]] = {"constraints": constraints}
        if core.has_cost:
            signals["cost"] = constraints[:, 0].astype(np.float64)
        if truncations.any():
            infos = self._final(state, truncations, signals)
            state[truncations] = self._start(int(truncations.sum()))
            self._elapsed[truncations] = 0
        for key, value in signals.items():
            infos[key], infos[f"_{key}"] = value, np.ones(n, dtype=np.bool_)
        return self._observe(state), core.r.take(rows), np.zeros(n, dtype=np.bool_), truncations, infos

    def render(self) -> tuple[Any, ...] | None:
        """Return every copy rendered as by `TabularEnv.render`, or None where no mode was chosen."""
        if self.render_mode is None:
            return None
        return tuple(self._core.show(self.render_mode, state) for state in self._current().tolist())

    def get_state(self) -> dict[str, Any]:
        """Return everything needed to continue bit for bit: {"state": int64[n], "elapsed": int64[n], "rng"}.

        Raises:
            ResetNeeded: there is nothing to continue yet.
        """
        return {
            "state": self._current().copy(),
            "elapsed": self._elapsed.copy(),
            "rng": self.np_random.bit_generator.state,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned; on an error nothing changes.

        Raises:
            ValueError: `state` is no snapshot of this environment with this number of copies.
        """
        shape = (self.num_envs,)
        index = snapshot_entry(state, "state", shape, self._core.model.num_states)
        elapsed = snapshot_entry(state, "elapsed", shape)
        self.np_random = restored_generator(state)
        self._state, self._elapsed = index, elapsed

    def _current(self) -> NDArray[np.int64]:
        if self._state is None:
            raise ResetNeeded("call reset() first: the environment has no state yet")
        return self._state

    def _start(self, k: int) -> NDArray[np.int64]:
        return self._core.start.draw_many(np.zeros(k, dtype=np.int64), self.np_random.random(k))

    def _observe(self, state: NDArray[np.int64]) -> Observations:
        table = self._core.observations
        return state.copy() if table is None else table.take(state, axis=0)

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

    def _final(
        self, state: NDArray[np.int64], done: NDArray[np.bool_], signals: Mapping[str, NDArray[Any]]
    ) -> dict[str, Any]:
        """Return "final_obs" and "final_info" with their masks, laid out as by SyncVectorEnv."""
        last = self._observe(state[done])
        final_obs = np.full(self.num_envs, None, dtype=object)
        # An int per ended copy, or an array: what the single form returns. Arrays must go in one by one.
        for i, observation in zip(np.flatnonzero(done), last.tolist() if last.ndim == 1 else last, strict=True):
            final_obs[i] = observation
        final_info: dict[str, Any] = {}
        for key, value in signals.items():
            kept = np.zeros_like(value)
            kept[done] = value[done]
            final_info[key], final_info[f"_{key}"] = kept, done.copy()
        return {
            "final_obs": final_obs,
            "_final_obs": done.copy(),
            "final_info": final_info,
            "_final_info": done.copy(),
        }
