"""Constrained Markov decision processes (CMDPs) whose options are the arguments of the function of their model."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from zoo_envs.signatures import constructor_signature
from zoo_envs.tabular.env import TabularEnv
from zoo_envs.tabular.lookup import batched_metadata, metadata
from zoo_envs.tabular.model import TabularModel
from zoo_envs.tabular.vector_env import TabularVectorEnv

__all__ = ["CMDPEnv", "CMDPVectorEnv"]

_MODES = {False: ("ansi",), True: ("ansi", "rgb_array")}
"""render modes, by whether there is a view"""


class _FromFunction:
    """Shared by `CMDPEnv` and `CMDPVectorEnv`: the options as signature of the constructor, and as its arguments."""

    _model: ClassVar[Callable[..., TabularModel]]
    _view: ClassVar[Callable[..., Any] | None]
    _observations: ClassVar[Callable[..., Any] | None]
    _env_options: ClassVar[Mapping[str, Any]]

    @classmethod
    def _set_up(
        cls,
        model: Callable[..., TabularModel],
        view: Callable[..., Any] | None,
        observations: Callable[..., Any] | None,
        leading: Mapping[str, Any],
        env_options: Mapping[str, Any],
    ) -> None:
        cls._model, cls._env_options = staticmethod(model), env_options
        cls._view = staticmethod(view) if view else None
        cls._observations = staticmethod(observations) if observations else None
        arguments = [*inspect.signature(model).parameters.values()]
        options = {parameter.name: parameter.default for parameter in arguments} | dict(env_options)
        options |= {"max_episode_steps": 200, "render_mode": None}
        cls.__signature__ = constructor_signature(leading, options)  # type: ignore[attr-defined]

    @classmethod
    def _arguments(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments of `TabularEnv` and `TabularVectorEnv`.

        Raises:
            TypeError: an option is unknown.
            ValueError: an option is outside its range.
        """
        bound = inspect.signature(cls).bind_partial(**options)
        bound.apply_defaults()
        chosen = {
            name: bound.arguments[name] for name in (*inspect.signature(cls._model).parameters, *cls._env_options)
        }
        arguments = {name: bound.arguments[name] for name in ("max_episode_steps", "render_mode")}
        arguments["model"] = cls._model(
            **{name: value for name, value in chosen.items() if name not in cls._env_options}
        )
        for name, function in (("view", cls._view), ("observations", cls._observations)):
            if function is not None:
                arguments[name] = function(**{key: chosen[key] for key in inspect.signature(function).parameters})
        return arguments


class CMDPEnv(_FromFunction, TabularEnv):
    """One copy of a CMDP; a subclass says which function returns its model.

    For example::

        class TwoState(CMDPEnv, model=two_state_model): ...

    Its keyword arguments are then those of the function, `max_episode_steps` and `render_mode`. `view` and
    `observations` are functions of some of the options; `env_options` holds options, with defaults, that the model
    does not depend on.
    """

    def __init_subclass__(
        cls,
        *,
        model: Callable[..., TabularModel] | None = None,
        view: Callable[..., Any] | None = None,
        observations: Callable[..., Any] | None = None,
        env_options: Mapping[str, Any] | None = None,
    ) -> None:
        """Show the options as the signature of the constructor; a subclass of a subclass inherits them."""
        super().__init_subclass__()
        if model is not None:
            cls.metadata = metadata(*_MODES[view is not None])
            cls._set_up(model, view, observations, {}, env_options or {})

    def __init__(self, **options: Any) -> None:
        """Build the CMDP of `options`; raises what its function raises."""
        super().__init__(**self._arguments(options))


class CMDPVectorEnv(_FromFunction, TabularVectorEnv):
    """`num_envs` copies; see `CMDPEnv`."""

    def __init_subclass__(
        cls,
        *,
        model: Callable[..., TabularModel] | None = None,
        view: Callable[..., Any] | None = None,
        observations: Callable[..., Any] | None = None,
        env_options: Mapping[str, Any] | None = None,
    ) -> None:
        """Show the options as the signature of the constructor; a subclass of a subclass inherits them."""
        super().__init_subclass__()
        if model is not None:
            cls.metadata = batched_metadata(*_MODES[view is not None])
            cls._set_up(model, view, observations, {"num_envs": 1}, env_options or {})

    def __init__(self, num_envs: int = 1, **options: Any) -> None:
        """Build `num_envs` copies of the CMDP of `options`; raises what its function raises."""
        super().__init__(num_envs=num_envs, **self._arguments(options))
