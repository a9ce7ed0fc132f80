"""CartPole: balance a pole on a cart; gymnasium's CartPole-v1 with all copies in one array.

Barto, Sutton & Anderson 1983, with the equations of motion without friction (Florian 2007, "Correct equations for the
dynamics of the cart-pole system", eqs. 23 and 24). Constants, bounds, time limit and the distribution of the first
state are those of gymnasium's CartPole-v1; tests compare every number, bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Self

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from zoo_envs.batched import CopiesEnv, Move
from zoo_envs.tabular.lookup import batched_metadata, checked_render_mode, metadata, restored_generator, snapshot_entry
from zoo_envs.validation import integer

__all__ = ["CartPole", "CartPoleVector"]

GRAVITY = 9.8
"""m/s^2"""
CART_MASS, POLE_MASS = 1.0, 0.1
"""masses in kg"""
TOTAL_MASS = CART_MASS + POLE_MASS
HALF_LENGTH = 0.5
"""half of the pole's length, in m"""
FORCE = np.array([-10.0, 10.0])
"""force of each action in N"""
TAU = 0.02
"""seconds between states"""
MAX_POSITION, MAX_ANGLE = 2.4, 12 * 2 * math.pi / 360
"""the episode ends beyond this distance from the centre in m, and beyond this angle in rad"""
START_RANGE = 0.05
"""each entry of a first state is uniform in [-START, START)"""


def next_state(state: NDArray[np.float64], action: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the states after one step of Euler's method.

    Args:
        state: position m, velocity m/s, angle rad, angular velocity rad/s, float64[n, 4].
        action: 0 pushes to the left, 1 to the right, [n].

    Returns:
        The states arrived in, float64[n, 4]; a new array.
    """
    x_dot, theta, theta_dot = state[:, 1], state[:, 2], state[:, 3]
    sine, cosine = np.sin(theta), np.cos(theta)
    force = (FORCE.take(action) + POLE_MASS * HALF_LENGTH * np.square(theta_dot) * sine) / TOTAL_MASS
    theta_acc = (GRAVITY * sine - cosine * force) / (HALF_LENGTH * (4 / 3 - POLE_MASS * np.square(cosine) / TOTAL_MASS))
    x_acc = force - POLE_MASS * HALF_LENGTH * theta_acc * cosine / TOTAL_MASS
    slope = np.empty_like(state)
    slope[:, 0], slope[:, 1], slope[:, 2], slope[:, 3] = x_dot, x_acc, theta_dot, theta_acc
    slope *= TAU
    slope += state
    return slope


def out_of_bounds(state: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which of ``state`` [n, 4] are out of bounds, bool[n]."""
    outside: NDArray[np.bool_] = (np.abs(state[:, 0]) > MAX_POSITION) | (np.abs(state[:, 2]) > MAX_ANGLE)
    return outside


class CartPole(gymnasium.Env[Any, Any]):
    """``zoo/CartPole-v0``, one copy: balance a pole on a cart.

    Actions: 0 pushes to the left, 1 to the right. Observations float32[4]: position m, velocity m/s, angle rad, angular
    velocity rad/s. Rewards: 1 for every step. Ends: terminated where the cart is more than 2.4 m off or the pole tilted
    by more than 12 degrees, truncated after `max_episode_steps`, the one option. Optimum: a return of
    `max_episode_steps`.
    """

    metadata = metadata("ansi", "rgb_array") | {"render_fps": 50}

    def __init__(self, *, max_episode_steps: int | None = 500, render_mode: str | None = None) -> None:
        """Make one copy.

        Args:
            max_episode_steps: steps until an episode is truncated; None: never.
            render_mode: None, "ansi" or "rgb_array".

        Raises:
            ValueError: an argument is outside its range.
        """
        self.observation_space, self.action_space = _spaces()
        self._limit = _limit(max_episode_steps)
        self.render_mode = checked_render_mode(render_mode, self.metadata["render_modes"])
        self._state: NDArray[np.float64] | None = None  # [1, 4]
        self._elapsed = 0
        self._picture: Any = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Draw a first state."""
        super().reset(seed=seed)
        self._state, self._elapsed = self.np_random.uniform(-START_RANGE, START_RANGE, (1, 4)), 0
        return self._state[0].astype(np.float32), {}

    def step(self, action: int | np.integer[Any]) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Push once.

        Raises:
            ResetNeeded: `reset` was never called.
            ValueError: `action` is neither 0 nor 1.
        """
        before = self._current()
        self._state = state = next_state(before, np.array([integer("action", action, 0, 1)]))
        self._elapsed += 1
        terminated = bool(out_of_bounds(state)[0])
        return state[0].astype(np.float32), 1.0, terminated, self._elapsed >= self._limit and not terminated, {}

    def render(self) -> Any:
        """Return a line like "cart +0.031 m, pole -1.2 degrees" ("ansi"), gymnasium's picture ("rgb_array"), or None.

        Raises:
            DependencyNotInstalled: pygame, which draws the picture, is missing.
        """
        if self.render_mode is None:
            return None
        state = self._current()[0]
        return _line(state) if self.render_mode == "ansi" else self._drawn(state)

    def close(self) -> None:
        """Put gymnasium's drawing away."""
        if self._picture is not None:
            self._picture.close()
            self._picture = None

    def get_state(self) -> dict[str, Any]:
        """Return everything needed to continue bit for bit: {"state": float64[4], "elapsed": int, "rng"}.

        Raises:
            ResetNeeded: there is nothing to continue yet.
        """
        state = self._current()[0].copy()
        return {"state": state, "elapsed": self._elapsed, "rng": self.np_random.bit_generator.state}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned; on an error nothing changes.

        Raises:
            ValueError: `state` is not a snapshot of this environment.
        """
        physics, elapsed = _physics(state, (4,)), snapshot_entry(state, "elapsed", ())
        self.np_random = restored_generator(state)
        self._state, self._elapsed = physics[None], elapsed.item()

    def _current(self) -> NDArray[np.float64]:
        if self._state is None:
            raise ResetNeeded("call reset() first: the environment has no state yet")
        return self._state

    def _drawn(self, state: NDArray[np.float64]) -> Any:
        if self._picture is None:
            self._picture = gymnasium.make("CartPole-v1", render_mode="rgb_array", disable_env_checker=True).unwrapped
        self._picture.state = state
        return self._picture.render()


class CartPoleVector(CopiesEnv):
    """``zoo/CartPole-v0``, `num_envs` copies from one random stream; see `CartPole` and `CopiesEnv`."""

    STATE_ARRAYS = ("_state", "_elapsed")
    metadata = batched_metadata("ansi")

    def __init__(
        self,
        num_envs: int = 1,
        *,
        max_episode_steps: int | None = 500,
        render_mode: str | None = None,
    ) -> None:
        """Make `num_envs` copies; arguments and errors as of `CartPole`."""
        super().__init__(num_envs, self._observation_space(), spaces.Discrete(2))
        self._limit = _limit(max_episode_steps)
        self.render_mode = checked_render_mode(render_mode, self.metadata["render_modes"])
        self._state = np.full((self.num_envs, 4), np.nan)
        self._elapsed = np.full(self.num_envs, -1, dtype=np.int64)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Draw a first state for every copy; `seed` starts the one random stream anew."""
        super().reset(seed=seed)
        self._begin(np.ones(self.num_envs, dtype=np.bool_))
        return self._observe(self._state), {}

    def render(self) -> tuple[Any, ...] | None:
        """Return every copy rendered as by `CartPole.render`, or None where no mode was chosen."""
        return None if self.render_mode is None else tuple(_line(state) for state in self._current())

    def get_state(self) -> dict[str, Any]:
        """Return everything needed to continue bit for bit: {"state": float64[n, 4], "elapsed": int64[n], "rng"}.

        Raises:
            ResetNeeded: there is nothing to continue yet.
        """
        state, elapsed = self._current().copy(), self._elapsed.copy()
        return {"state": state, "elapsed": elapsed, "rng": self.np_random.bit_generator.state}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned; on an error nothing changes.

        Raises:
            ValueError: `state` is not a snapshot of this environment with this number of copies.
        """
        n = self.num_envs
        physics, elapsed = _physics(state, (n, 4)), snapshot_entry(state, "elapsed", (n,))
        self.np_random = restored_generator(state)
        self._state[:], self._elapsed[:] = physics, elapsed

    def _advance(self, actions: NDArray[np.integer[Any]]) -> Move:
        arrived = next_state(self._current(), self._checked(actions))
        self._state[:] = arrived
        self._elapsed += 1
        terminations = out_of_bounds(arrived)
        timed_out = self._elapsed >= self._limit
        ended = terminations | timed_out
        any_ended = bool(ended.any())
        if any_ended:
            self._begin(ended)
        rewards, truncations = np.ones(self.num_envs), timed_out & ~terminations
        return Move(arrived, rewards, terminations, truncations, ended if any_ended else None, {}, {})

    def _begin(self, where: NDArray[np.bool_]) -> None:
        """Start a new episode in the copies `where` bool[n], each from the stream of the member it belongs to."""
        members = self._stacked or (self,)
        counts = where.reshape(len(members), -1).sum(1).tolist()
        drawn = [
            m.np_random.uniform(-START_RANGE, START_RANGE, (k, 4)) for m, k in zip(members, counts, strict=True) if k
        ]
        self._state[where] = np.concatenate(drawn)
        self._elapsed[where] = 0

    def _never_reset(self) -> NDArray[np.bool_]:
        return self._elapsed < 0

    def _differs_only_in_seed(self, other: Self) -> bool:
        return type(self) is type(other) and self.num_envs == other.num_envs and self._limit == other._limit

    def _observe(self, state: NDArray[np.float64]) -> NDArray[np.float32]:
        return state.astype(np.float32)

    def _observation_space(self) -> spaces.Box:
        return _spaces()[0]


def _spaces() -> tuple[spaces.Box, spaces.Discrete]:
    high = np.array([2 * MAX_POSITION, np.inf, 2 * MAX_ANGLE, np.inf], dtype=np.float32)
    return spaces.Box(-high, high, dtype=np.float32), spaces.Discrete(2)


def _limit(max_episode_steps: int | None) -> float:
    return math.inf if max_episode_steps is None else integer("max_episode_steps", max_episode_steps, 1)


def _physics(snapshot: Mapping[str, Any], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the entry "state" of a snapshot as a new array."""
    value = snapshot.get("state") if isinstance(snapshot, Mapping) else None
    array = np.array(value)
    if array.dtype.kind not in "iuf" or array.shape != shape or not np.isfinite(array).all():
        raise ValueError(f"snapshot entry 'state' must hold finite numbers of shape {shape}, got {value!r}")
    return array.astype(np.float64)


def _line(state: NDArray[np.float64]) -> str:
    return f"cart {state[0]:+.3f} m, pole {math.degrees(state[2]):+.1f} degrees\n"
