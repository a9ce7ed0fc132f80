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
    """What both forms share: the options as the signature of the constructor, and what the options come to."""

    _model: ClassVar[Callable[..., TabularModel]]
    _view: ClassVar[Callable[..., Any] | None]
    _observations: ClassVar[Callable[..., Any] | None]
    _own: ClassVar[Mapping[str, Any]]

    @classmethod
    def _set_up(
        cls,
        model: Callable[..., TabularModel],
        view: Callable[..., Any] | None,
        observations: Callable[..., Any] | None,
        leading: Mapping[str, Any],
        own: Mapping[str, Any],
    ) -> None:
        cls._model, cls._own = staticmethod(model), own
        cls._view = staticmethod(view) if view else None
        cls._observations = staticmethod(observations) if observations else None
        arguments = [*inspect.signature(model).parameters.values()]
        options = {parameter.name: parameter.default for parameter in arguments} | dict(own)
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
        chosen = {name: bound.arguments[name] for name in (*inspect.signature(cls._model).parameters, *cls._own)}
        arguments = {name: bound.arguments[name] for name in ("max_episode_steps", "render_mode")}
        arguments["model"] = cls._model(**{name: value for name, value in chosen.items() if name not in cls._own})
        for name, function in (("view", cls._view), ("observations", cls._observations)):
            if function is not None:
                arguments[name] = function(**{key: chosen[key] for key in inspect.signature(function).parameters})
        return arguments


class CMDPEnv(_FromFunction, TabularEnv):
    """One copy of a CMDP; a subclass says which function returns its model.

    For example::

        class TwoState(CMDPEnv, model=two_state_model): ...

    Its keyword arguments are then those of the function, `max_episode_steps` and `render_mode`. `view` and
    `observations` are functions of some of the options; `own` holds options, with defaults, that the model does not
    depend on.
    """

    def __init_subclass__(
        cls,
        *,
        model: Callable[..., TabularModel] | None = None,
        view: Callable[..., Any] | None = None,
        observations: Callable[..., Any] | None = None,
        own: Mapping[str, Any] | None = None,
    ) -> None:
        """Show the options as the signature of the constructor; a subclass of a subclass inherits them."""
        super().__init_subclass__()
        if model is not None:
            cls.metadata = metadata(*_MODES[view is not None])
            cls._set_up(model, view, observations, {}, own or {})

    def __init__(self, **options: Any) -> None:
        """Build what `options` say; errors as of the function."""
        super().__init__(**self._arguments(options))


class CMDPVectorEnv(_FromFunction, TabularVectorEnv):
    """`num_envs` copies; see `CMDPEnv`."""

    def __init_subclass__(
        cls,
        *,
        model: Callable[..., TabularModel] | None = None,
        view: Callable[..., Any] | None = None,
        observations: Callable[..., Any] | None = None,
        own: Mapping[str, Any] | None = None,
    ) -> None:
        """Show the options as the signature of the constructor; a subclass of a subclass inherits them."""
        super().__init_subclass__()
        if model is not None:
            cls.metadata = batched_metadata(*_MODES[view is not None])
            cls._set_up(model, view, observations, {"num_envs": 1}, own or {})

    def __init__(self, num_envs: int = 1, **options: Any) -> None:
        """Build `num_envs` copies of what `options` say; errors as of the function."""
        super().__init__(num_envs=num_envs, **self._arguments(options))
