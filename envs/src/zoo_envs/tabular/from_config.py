"""Single and batched environments from a function of their options."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from zoo_envs.reward_rules import Diminishing, RewardRule
from zoo_envs.signatures import constructor_signature
from zoo_envs.tabular.env import SampledEnv
from zoo_envs.tabular.grid import Grid
from zoo_envs.tabular.lookup import batched_metadata, metadata
from zoo_envs.tabular.model import TabularModel
from zoo_envs.tabular.rendering import CellView
from zoo_envs.tabular.transitions import Outcomes
from zoo_envs.tabular.vector_env import SampledVectorEnv

__all__ = ["Design", "DesignedEnv", "DesignedVectorEnv"]

_MODES = ("ansi", "rgb_array")


@dataclass(frozen=True, kw_only=True)
class Design:
    """Everything about an environment that its options determine.

    Attributes:
        model: the exact arrays, with the rewards of an episode's beginning where they change during it.
        outcomes: the events that are sampled, without what `rule` pays.
        view: renders states.
        max_episode_steps: steps until truncation; None: never.
        rule: rewards that depend on the episode so far.
        grid: the grid whose free cells are the states, if any.
        observations: float32 [S, ...], shown instead of the state's index; None: the index.
    """

    model: TabularModel
    outcomes: Outcomes
    view: CellView
    max_episode_steps: int | None
    rule: RewardRule | None = None
    grid: Grid | None = None
    observations: NDArray[np.float32] | None = None

    def observed_as(self, observations: NDArray[np.float32]) -> Design:
        """Return this design with a row of `observations` [S, ...] shown for each state."""
        return dataclasses.replace(self, observations=observations)

    def describe(self, env: DesignedEnv | DesignedVectorEnv) -> None:
        """Give `env` the attributes `grid` and `diminishing`, where it has them."""
        if self.grid is not None:
            env.grid = self.grid
        if isinstance(self.rule, Diminishing):
            env.diminishing = self.rule

    def arguments(self) -> dict[str, Any]:
        """Return all fields but the grid, as the constructors of both forms take them."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "grid"}


class DesignedEnv(SampledEnv):
    """One copy of an environment whose options are a dataclass.

    A subclass names the dataclass and the function that makes a `Design` of it::

        class Escape(DesignedEnv, config=EscapeConfig, design=escape): ...

    Its keyword arguments are then the fields of that dataclass, and `render_mode`.

    Attributes:
        grid: its free cells are the states; absent where there is no grid.
        diminishing: the rule by which rewards diminish; absent where they do not.
    """

    metadata = metadata(*_MODES)
    grid: Grid
    diminishing: Diminishing
    _design: ClassVar[Callable[..., Design]]

    def __init_subclass__(
        cls, *, config: type[Any] | None = None, design: Callable[[Any], Design] | None = None
    ) -> None:
        """Show the options as the signature of the constructor; a subclass of a subclass inherits them."""
        super().__init_subclass__()
        if config is None or design is None:
            return
        cls._design = staticmethod(lambda **options: design(config(**options)))
        cls.__signature__ = _signature(config)  # type: ignore[attr-defined]

    def __init__(self, *, render_mode: str | None = None, **options: Any) -> None:
        """Build the environment of `options`.

        Raises:
            TypeError: an option is unknown.
            ValueError: an option is outside its range.
        """
        design = self._design(**options)
        super().__init__(**design.arguments(), render_mode=render_mode)
        design.describe(self)


class DesignedVectorEnv(SampledVectorEnv):
    """`num_envs` copies; see `DesignedEnv`."""

    metadata = batched_metadata(*_MODES)
    grid: Grid
    diminishing: Diminishing
    _design: ClassVar[Callable[..., Design]]

    def __init_subclass__(
        cls, *, config: type[Any] | None = None, design: Callable[[Any], Design] | None = None
    ) -> None:
        """Show the options as the signature of the constructor; a subclass of a subclass inherits them."""
        super().__init_subclass__()
        if config is None or design is None:
            return
        cls._design = staticmethod(lambda **options: design(config(**options)))
        cls.__signature__ = _signature(config, num_envs=1)  # type: ignore[attr-defined]

    def __init__(self, num_envs: int = 1, *, render_mode: str | None = None, **options: Any) -> None:
        """Build `num_envs` copies of the environment of `options`; errors as of `DesignedEnv`."""
        design = self._design(**options)
        super().__init__(num_envs=num_envs, **design.arguments(), render_mode=render_mode)
        design.describe(self)


def _signature(config: type[Any], **leading: object) -> inspect.Signature:
    """Return the signature with `leading`, then `render_mode` and the fields of `config`."""
    options = {"render_mode": None} | {field.name: field.default for field in dataclasses.fields(config)}
    return constructor_signature(leading, options)
