"""Arguments of an environment's constructor and their types: options without a dataclass."""

from __future__ import annotations

import contextlib
import inspect
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zoo.discovery.aliases import UnknownOptionError
from zoo.discovery.names import EnvName
from zoo.discovery.registration import describe
from zoo.discovery.values import forms, members, read
from zoo.errors import UnknownNameError, UsageError

_BY_NAME = {"bool": bool, "int": int, "float": float, "str": str, "None": type(None)}


@dataclass(frozen=True)
class Parameters:
    """The keyword arguments that an environment takes.

    Attributes:
        kinds: what each admits, as ``zoo.discovery.values.read`` wants it; empty where nothing is known.
        open: whether it takes others, too (``**kwargs``).
        defaults: of those that have one.
    """

    kinds: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    open: bool = True
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def described(self) -> list[list[str]]:
        """Option, form and default of each, as ``zoo train --help`` shows them."""
        return [
            [_flag(name), forms(kinds), f"(default: {self.defaults.get(name)})"] for name, kinds in self.kinds.items()
        ]

    def read(
        self, values: Mapping[str, Any], where: str, *, typed: bool = False, also: Iterable[str] = ()
    ) -> dict[str, Any]:
        """The keyword arguments ``values``, each as its parameter wants it.

        Args:
            values: by name.
            where: what they are of, for messages.
            typed: text is from a command line.
            also: further names to suggest from.

        Raises:
            UnknownNameError: there is no such parameter; if ``typed``, an UnknownOptionError.
            UsageError: a value is of another kind.
        """
        for name in values:
            if name not in self.kinds and not self.open:
                known = {*self.kinds, *also}
                if typed:
                    raise UnknownOptionError(_flag(name), map(_flag, known))
                raise UnknownNameError(where, name, known)
        return {
            name: read(value, self.kinds.get(name, ()), f"{where} {name!r}", typed=typed)
            for name, value in values.items()
        }


def parameters_of(env: EnvName) -> Parameters:
    """The keyword arguments that build ``env``, a gymnasium id or a registered environment without a dataclass.

    An annotation says what a parameter takes, and so does its default; a ``**kwargs`` is followed to the classes above.

    Raises:
        UsageError: the environment's module cannot be imported, or there is no such environment.
        PluginError: the module of a registered environment cannot be imported.
    """
    if env.entry is not None:
        return _parameters(env.entry.resolve(), {}, {})
    gym_id = env.gym_id
    import gymnasium
    from gymnasium.envs.registration import load_env_creator

    try:
        spec = gymnasium.spec(_imported(gym_id))
        target = load_env_creator(spec.entry_point) if isinstance(spec.entry_point, str) else spec.entry_point
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a module may raise anything when it is imported
        raise UsageError(f"environment {gym_id} cannot be built: {describe(error).rstrip('.')}.") from error
    kinds: dict[str, tuple[Any, ...]] = {"max_episode_steps": (int, type(None)), "render_mode": (str, type(None))}
    for name, value in spec.kwargs.items():  # where the constructor says nothing, what was registered does
        kinds[name] = _kinds(inspect.Parameter.empty, value)
    return _parameters(target, kinds, dict(spec.kwargs))


def _flag(name: str) -> str:
    """The option of the command line for a parameter."""
    return f"--env.{name.replace('_', '-')}"


def taken_by(function: Any) -> tuple[Any, ...]:
    """What the last parameter of a function admits, as ``read`` wants it."""
    return list(_parameters(function, {}, {}).kinds.values())[-1]


def _parameters(target: Any, kinds: dict[str, tuple[Any, ...]], defaults: dict[str, Any]) -> Parameters:
    """Those of the constructor ``target``, added to ``kinds``; its defaults to ``defaults``."""
    is_open = False
    for function in _constructors(target):
        hints = _hints(function)
        is_open = False
        for name, parameter in _signature(function).items():
            if parameter.kind is parameter.VAR_KEYWORD:
                is_open = True
            elif name != "self" and parameter.kind is not parameter.VAR_POSITIONAL:
                known = _kinds(hints.get(name, parameter.annotation), parameter.default)
                kinds[name] = known or kinds.get(name, ())
                if parameter.default is not parameter.empty:
                    defaults.setdefault(name, parameter.default)
        if not is_open:
            break
    return Parameters(kinds, is_open, defaults)


def _imported(gym_id: str) -> str:
    """The id without its module, which is imported."""
    import importlib

    module, colon, name = gym_id.rpartition(":")
    if colon:
        importlib.import_module(module)
    return name


def _constructors(target: Any) -> list[Any]:
    """The constructor that is called, and those to which it may pass its further arguments."""
    if not isinstance(target, type):
        return [target]
    return [vars(cls)["__init__"] for cls in target.__mro__ if "__init__" in vars(cls) and cls is not object]


def _signature(function: Any) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # written in another language
        return {"kwargs": inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)}


def _hints(function: Any) -> dict[str, Any]:
    """Annotations as types; those that cannot be evaluated here are left out."""
    with contextlib.suppress(Exception):
        return typing.get_type_hints(function)
    return {}


def _kinds(annotation: Any, default: Any) -> tuple[Any, ...]:
    """What a parameter admits; empty if that is not known."""
    empty = inspect.Parameter.empty
    if isinstance(annotation, str):  # could not be evaluated: read the plain ones
        parts = [_BY_NAME.get(part.strip()) for part in annotation.split("|")]
        annotation = empty if None in parts else typing.Union[tuple(parts)]  # noqa: UP007
    kinds = () if annotation is empty or annotation is Any else members(annotation)
    if default is empty:
        return kinds
    if default is None:
        return (*kinds, type(None)) if kinds else ()
    if any(default in typing.get_args(kind) for kind in kinds if typing.get_origin(kind) is typing.Literal):
        return kinds
    kind = _kind_of(default)
    if annotation is empty and kind is int:
        return (int, float)  # a whole default does not say that fractions are refused
    return tuple(dict.fromkeys((*kinds, kind))) if kind is not None else ()


def _kind_of(default: Any) -> type | None:
    """The plain kind of a default value, a numpy scalar's included."""
    value = default.item() if type(default).__module__ == "numpy" and hasattr(default, "item") else default
    return next((kind for kind in (bool, int, float, str, list, tuple, dict) if isinstance(value, kind)), None)
