"""CartPole observed through a transformation, all copies in one array."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from zoo_envs_plugin.options.transformed import TransformName

from zoo_envs.control.cart_pole import CartPole, CartPoleVector
from zoo_envs.transformed.transformations import Transformation, named

__all__ = ["CartPoleTransformed", "CartPoleTransformedVector"]

_DIMENSIONS = 4
_UNBOUNDED = spaces.Box(-np.inf, np.inf, (_DIMENSIONS,), np.float32)


def _transform(transformation: Transformation, obs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return g of observations [n, 4], as float32."""
    return transformation.forward(obs).astype(np.float32)


class CartPoleTransformed(CartPole):
    """``zoo/CartPoleTransformed-v0``, one copy: `CartPole` with its four numbers seen through g.

    Actions, rewards, ends and optimum are those of `CartPole`. Observations: g(s), float32[4]. Options: see
    `CartPoleTransformedConfig`.

    Attributes:
        transformation: g.
    """

    def __init__(
        self,
        *,
        transform: TransformName = "affine",
        transform_seed: int = 0,
        max_episode_steps: int | None = 500,
        render_mode: str | None = None,
    ) -> None:
        """Make one copy; see `zoo_envs.transformed.transformations.named` and `CartPole`."""
        super().__init__(max_episode_steps=max_episode_steps, render_mode=render_mode)
        self.transformation = named(transform, _DIMENSIONS, transform_seed)
        self.observation_space = _UNBOUNDED

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Draw a first state."""
        obs, info = super().reset(seed=seed, options=options)
        return _transform(self.transformation, obs), info

    def step(self, action: int | np.integer[Any]) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Push once; see `CartPole.step`."""
        obs, *rest = super().step(action)
        return (_transform(self.transformation, obs), *rest)  # type: ignore[return-value]


class CartPoleTransformedVector(CartPoleVector):
    """``zoo/CartPoleTransformed-v0``, `num_envs` copies; see `CartPoleTransformed`."""

    def __init__(
        self,
        num_envs: int = 1,
        *,
        transform: TransformName = "affine",
        transform_seed: int = 0,
        max_episode_steps: int | None = 500,
        render_mode: str | None = None,
    ) -> None:
        """Make `num_envs` copies; arguments and errors as of `CartPoleTransformed`."""
        self.transformation = named(transform, _DIMENSIONS, transform_seed)
        super().__init__(num_envs, max_episode_steps=max_episode_steps, render_mode=render_mode)
        self._max_episode_steps = max_episode_steps

    def make_source(self, num_envs: int) -> CartPoleVector:
        """Return `num_envs` copies without the transformation."""
        return CartPoleVector(num_envs, max_episode_steps=self._max_episode_steps)

    def _observe(self, state: NDArray[np.float64]) -> NDArray[np.float32]:
        return _transform(self.transformation, super()._observe(state))

    def _observation_space(self) -> spaces.Box:
        return _UNBOUNDED

    def _differs_only_in_seed(self, other: Self) -> bool:
        # The states of two dozen copies decide whether two transformations are one.
        probe = np.random.default_rng(0).standard_normal((24, _DIMENSIONS))
        alike = np.array_equal(self.transformation.forward(probe), other.transformation.forward(probe))
        return alike and super()._differs_only_in_seed(other)
