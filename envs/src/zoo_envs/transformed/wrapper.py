"""Any environment with Box observations, seen through a transformation of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from numpy.typing import NDArray
from zoo_envs_plugin.options.transformed import TransformName

from zoo_envs.transformed.transformations import Transformation, named

__all__ = ["Transformed", "TransformedEnv"]

_Env = gymnasium.Env[Any, Any]


class Transformed(gymnasium.ObservationWrapper[Any, Any, Any]):
    """An environment whose observation is g(s) where that of ``env`` is s; dynamics, rewards and ends are unchanged.

    The observation space is unbounded, of the same shape and type.
    """

    def __init__(self, env: _Env, transformation: Transformation) -> None:
        """Show ``env`` through ``transformation``.

        Raises:
            ValueError: the observations are not vectors with the transformation's number of coordinates.
        """
        super().__init__(env)
        space = env.observation_space
        if not isinstance(space, spaces.Box) or space.shape != (transformation.d,):
            raise ValueError(
                f"the observations are {space}: expected a Box of {transformation.d} numbers, for the transformation "
                f"{transformation.name!r}"
            )
        if not np.issubdtype(space.dtype, np.floating):
            raise ValueError(f"the observations are {space}: expected floating-point numbers")
        # A bound method is constant where the attributes of a wrapper are captured, as zoo does to resume runs.
        self._forward = transformation.forward
        self.observation_space = spaces.Box(-np.inf, np.inf, space.shape, space.dtype)

    @property
    def transformation(self) -> Transformation:
        """The map g."""
        transformation: Transformation = self._forward.__self__  # type: ignore[attr-defined]
        return transformation

    def observation(self, observation: NDArray[Any]) -> NDArray[Any]:
        """Return g of one observation [d], in its type."""
        return self._forward(observation).astype(self.observation_space.dtype)


class TransformedEnv(Transformed):
    """``zoo/Transformed-v0``: an environment given by its id, observed through a transformation that has a name.

    Actions, rewards, ends and optimum are those of the environment `base`, which must have Box observations;
    observations are g(s) of the same shape. Options: see `TransformedConfig`.
    """

    def __init__(
        self,
        *,
        base: str = "Acrobot-v1",
        base_options: Mapping[str, int | float | str] | None = None,
        transform: TransformName = "affine",
        transform_seed: int = 0,
        render_mode: str | None = None,
    ) -> None:
        """Make the environment called ``base`` and show it through a transformation.

        Args:
            base: an id that gymnasium knows. One that imports a module ("module:Id") is refused, since what is stored
                of a run must not import anything.
            base_options: keyword arguments of it.
            transform: see `zoo_envs.transformed.transformations.named`.
            transform_seed: which map is drawn, where one is.
            render_mode: of ``base``.

        Raises:
            ValueError: an argument is outside its range, or the observations are not a Box.
        """
        self._base = (base, tuple(dict(base_options or {}).items()))
        env = _make_base(self._base, render_mode)
        space = env.observation_space
        if not isinstance(space, spaces.Box) or len(space.shape) != 1:
            raise ValueError(f"the observations of {base} are {space}: expected a Box of one axis")
        super().__init__(env, named(transform, space.shape[0], transform_seed))

    def make_source(self, num_envs: int) -> SyncVectorEnv:
        """Return `num_envs` copies without the transformation."""
        return SyncVectorEnv([lambda: _make_base(self._base)] * num_envs, autoreset_mode=AutoresetMode.SAME_STEP)


def _make_base(base: tuple[str, tuple[tuple[str, int | float | str], ...]], render_mode: str | None = None) -> _Env:
    name, options = base[0], dict[str, Any](base[1])
    if render_mode is not None:  # some environments do not take the argument
        options["render_mode"] = render_mode
    if ":" in name:
        raise ValueError(f"base = {name!r} would import a module: expected the id of a registered environment")
    try:
        return gymnasium.make(name, disable_env_checker=True, **options)
    except (gymnasium.error.Error, TypeError) as error:  # the latter for a keyword that it does not know
        raise ValueError(f"base = {name!r} cannot be made: {' '.join(str(error).split())}") from error
