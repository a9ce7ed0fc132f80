"""Putting an environment back exactly where it was.

An environment that offers ``get_state`` and ``set_state`` does it itself. For the many that do not, the
plain attributes (numbers, text, arrays, generators) of the environment and its wrappers are their whole state,
as in gymnasium's own classic-control and toy-text tasks; where any attribute is of another kind, such as a
handle into a simulator, no snapshot is offered and a resumed run starts fresh episodes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec

from zoo.api import Snapshot, State
from zoo.training.environments.boundary import Boundary

_CONSTANT = (type, FunctionType, MethodType, BuiltinFunctionType, ModuleType, EnvSpec)


class NoSnapshotError(Exception):
    """An attribute is neither plain data nor constant."""


def capture_env(env: gymnasium.vector.VectorEnv[Any, Any, Any]) -> State | None:
    """The state of a vector environment, or None if some part of it cannot be captured."""
    if isinstance(env, Snapshot):
        return {"own": env.get_state()}
    if not isinstance(env, gymnasium.vector.SyncVectorEnv):
        return None
    try:
        return {"copies": [_capture_chain(copy) for copy in env.envs]}
    except NoSnapshotError:
        return None


def restore_env(env: gymnasium.vector.VectorEnv[Any, Any, Any], state: State) -> None:
    """Undo everything since ``capture_env`` returned ``state``."""
    if "own" in state:
        assert isinstance(env, Snapshot)  # noqa: S101  the same environment offered it when it was captured
        env.set_state(state["own"])
        return
    for copy, chain in zip(env.envs, state["copies"], strict=True):  # type: ignore[attr-defined]
        _restore_chain(copy, chain)


def _layers(env: Any) -> list[Any]:
    """From the outermost wrapper to the environment; the boundary between them has no state of its own."""
    layers = [env]
    while isinstance(layers[-1], gymnasium.Wrapper):
        layers.append(layers[-1].env)
    return [layer for layer in layers if not isinstance(layer, Boundary)]


def _capture_chain(env: Any) -> list[State]:
    captured: list[State] = []
    for layer in _layers(env):
        if not isinstance(layer, gymnasium.Wrapper) and isinstance(layer, Snapshot):
            captured.append({"own": layer.get_state()})
            continue
        values = {name: value for name, value in vars(layer).items() if name != "env" and not _constant(value)}
        captured.append({name: _plain(value) for name, value in values.items()})
    return captured


def _restore_chain(env: Any, captured: list[Mapping[str, Any]]) -> None:
    for layer, values in zip(_layers(env), captured, strict=True):
        if set(values) == {"own"} and isinstance(layer, Snapshot):
            layer.set_state(values["own"])
            continue
        for name, value in values.items():
            setattr(layer, name, _revive(value))


def _constant(value: Any) -> bool:
    """Whether no step can change ``value``; a space's generator serves only those who sample it."""
    frozen = dataclasses.is_dataclass(type(value)) and getattr(type(value), "__dataclass_params__").frozen  # noqa: B009
    return frozen or isinstance(value, (*_CONSTANT, gymnasium.Space))


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str, np.generic)):
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        return value.copy()
    if isinstance(value, np.ndarray) and value.dtype.kind in "SU":  # a map drawn in letters
        return {
            "letters": value.tolist() if value.dtype.kind == "U" else value.astype("U").tolist(),
            "type": value.dtype.str,
        }
    if isinstance(value, np.random.Generator):
        return {"generator": type(value.bit_generator).__name__, "value": value.bit_generator.state}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(item) for item in value) if type(value) in (list, tuple) else _refuse(value)
    if type(value) is dict:
        return {"pairs": [[_plain(key), _plain(item)] for key, item in value.items()]}
    return _refuse(value)


def _refuse(value: Any) -> Any:
    raise NoSnapshotError(type(value).__name__)


def _revive(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, (list, tuple)):
        return type(value)(_revive(item) for item in value)
    if isinstance(value, Mapping):
        if "pairs" in value:
            return {_revive(key): _revive(item) for key, item in value["pairs"]}
        if "letters" in value:
            return np.array(value["letters"]).astype(value["type"])
        generator = np.random.Generator(getattr(np.random, value["generator"])())
        generator.bit_generator.state = value["value"]
        return generator
    return value
