"""The boundary around an environment: its results are checked, and its errors are attributed to it.

For its first steps each copy stands behind a ``Boundary``, directly around what was registered, inside the wrappers of
``gymnasium.make``, which cannot tell a six-tuple from any other mistake. gymnasium's own checker looks at the first
reset and step of the first copy, and explains itself in warnings.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any, cast

import gymnasium
import numpy as np
from gymnasium.utils.passive_env_checker import env_reset_passive_checker, env_step_passive_checker
from numpy.typing import NDArray

from zoo.discovery.registration import describe

_BRIDGE = "zoo_envs.wrappers.FromSafetyGymnasium is a bridge from there"


class FaultError(Exception):
    """An environment broke its interface, or raised.

    Args:
        what: what it did, as the rest of a sentence that begins with the environment's name.
        copy: the number of the copy that did it.
    """

    def __init__(self, what: str, copy: int | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.copy = copy


class BadActionError(ValueError):
    """An algorithm gave an invalid action; the environment is not to blame."""


class Boundary(gymnasium.Wrapper[Any, Any, Any, Any]):
    """One copy of an environment.

    Raises:
        FaultError: the environment raised, or returned what gymnasium's interface does not know.
        BadActionError: it raised because of an action outside its space.
    """

    changes_nothing = True
    """neither rewards nor transitions, so that a model of what is inside holds outside as well"""

    def __init__(self, env: gymnasium.Env[Any, Any], copy: int) -> None:
        super().__init__(env)
        self._copy = copy
        self._shape = env.observation_space.shape
        self._unchecked = {"reset", "step"} if copy == 0 else set()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """As gymnasium's."""
        try:
            if "reset" in self._unchecked:
                self._unchecked.discard("reset")
                result: Any = env_reset_passive_checker(self.env, seed=seed, options=options)
            else:
                result = self.env.reset(seed=seed, options=options)
        except (KeyboardInterrupt, FaultError):
            raise
        except BaseException as error:
            raise self._fault(_old_reset(self.env.reset) or f"raised in reset(): {describe(error)}") from error
        if type(result) is not tuple or len(result) != 2 or not isinstance(result[1], Mapping):
            raise self._fault(
                f"returned {kind(result)} from reset(): expected an observation and a dictionary (gym before 0.26 "
                "returned the observation alone)"
            )
        return result[0], dict(result[1])

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """As gymnasium's."""
        try:
            result: Any = self.env.step(action)
        except (KeyboardInterrupt, FaultError):
            raise
        except BaseException as error:
            if outside(action, self.action_space):
                raise BadActionError(f"the action {action!r} is outside {self.action_space}") from error
            raise self._fault(f"raised in step(): {describe(error)}") from error
        if type(result) is not tuple or len(result) != 5:
            raise self._fault(_other_step(result))
        obs, reward, terminated, truncated, info = result
        if not isinstance(info, Mapping):
            raise self._fault(f"returned {kind(info)} as the info of step(): expected a dictionary")
        result = (
            obs, number(reward, self._copy), truth(terminated, "terminated", self._copy),
            truth(truncated, "truncated", self._copy), dict(info),
        )  # fmt: skip
        if "step" in self._unchecked:
            self._explain(result)
        return result  # type: ignore[no-any-return]

    def _fault(self, what: str) -> FaultError:
        return FaultError(what, self._copy)

    def _explain(self, result: tuple[Any, ...]) -> None:
        """Let gymnasium's checker look at a step that was already taken."""
        self._unchecked.discard("step")
        try:
            env_step_passive_checker(cast("Any", _ReplayedStep(result, self.observation_space)), None)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise self._fault(f"broke gymnasium's interface: {describe(error)}") from error


class _ReplayedStep:
    """An environment whose step returns a result that was already taken, for gymnasium's checker."""

    def __init__(self, result: tuple[Any, ...], observation_space: Any) -> None:
        self._result = result
        self.observation_space = observation_space

    def step(self, action: Any) -> tuple[Any, ...]:
        return self._result


def number(reward: Any, copy: int) -> float:
    """A reward as a number.

    Raises:
        FaultError: it is something else.
    """
    if isinstance(reward, (int, float, np.integer, np.floating, np.bool_)):
        return float(reward)
    if np.ndim(reward) == 0 and np.asarray(reward).dtype.kind in "biuf":
        return float(reward)
    shape = f" of shape {np.shape(reward)}" if np.ndim(reward) else ""
    how = ", such as reward.item()" if shape and np.size(reward) == 1 else ""
    raise FaultError(f"gave {kind(reward)}{shape} as reward: expected one number{how}", copy)


def truth(value: Any, name: str, copy: int) -> bool:
    """``terminated`` or ``truncated`` as a boolean.

    Raises:
        FaultError: it is something else.
    """
    if isinstance(value, (bool, np.bool_)) or (isinstance(value, (int, np.integer)) and value in (0, 1)):
        return bool(value)
    if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype == np.bool_:
        return bool(value)
    hint = f" (a cost belongs into info; {_BRIDGE})" if isinstance(value, float) else ""
    raise FaultError(f"gave {value!r} as {name}: expected True or False{hint}", copy)


def copied(value: Any) -> Any:
    """Observations of any space, with arrays of their own."""
    if isinstance(value, np.ndarray):
        return np.array(value)
    if isinstance(value, Mapping):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)) and not hasattr(value, "_fields"):
        return type(value)(copied(item) for item in value)
    return value


_FEW = 16
"""size up to which Python's sum is faster than numpy's dot product"""


def finite(values: NDArray[Any]) -> bool:
    """Whether an array has neither NaN nor infinity; the dot product tells in a third of the time of ``isfinite``."""
    if values.dtype.kind != "f":
        return True
    flat = values.ravel()
    try:
        if math.isfinite(sum(flat.tolist()) if flat.size <= _FEW else flat.dot(flat)):
            return True
    except RuntimeWarning:  # an overflow, where warnings are errors
        pass
    return bool(np.isfinite(flat).all())


def first_bad(values: Any) -> tuple[tuple[int, ...], float] | None:
    """Index and value of the first number in a batch that is not finite; mappings and tuples are looked through."""
    if isinstance(values, Mapping):
        values = tuple(values.values())
    if isinstance(values, (tuple, list)):
        return next((bad for item in values if (bad := first_bad(item)) is not None), None)
    if not isinstance(values, np.ndarray):
        return None
    if values.dtype == object:
        rows = [(row, first_bad(_batch(item))) for row, item in enumerate(values.ravel()) if item is not None]
        return next((((row, *bad[0]), bad[1]) for row, bad in rows if bad is not None), None)
    if finite(values):
        return None
    index = tuple(int(place) for place in np.argwhere(~np.isfinite(values))[0])
    return index, float(values[index])


def _batch(item: Any) -> Any:
    return item if isinstance(item, (Mapping, tuple, list)) else np.asarray(item)


def with_boundary(made: gymnasium.Env[Any, Any], copy: int) -> gymnasium.Env[Any, Any]:
    """A made environment with its boundary: in the place of gymnasium's checker, or around it where there is none."""
    outer: Any = None
    layer: Any = made
    while isinstance(layer, gymnasium.Wrapper):
        if type(layer) is gymnasium.wrappers.PassiveEnvChecker:
            inner = Boundary(layer.env, copy)
            if outer is None:
                return inner
            outer.env = inner
            return made
        outer, layer = layer, layer.env
    return Boundary(made, copy)


def kind(value: Any) -> str:
    """The kind of a value in words: "a tuple of 3", "None", "an array"."""
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    name = "array" if isinstance(value, np.ndarray) else type(value).__name__
    return "None" if value is None else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _other_step(result: Any) -> str:
    """A sentence on a step that is not a five-tuple, and which library has such steps."""
    expected = "expected observation, reward, terminated, truncated, info"
    if isinstance(result, tuple) and len(result) == 4:
        return f"returned four values from step(), as gym before 0.26 did: {expected}"
    if isinstance(result, tuple) and len(result) == 6:
        return f"returned six values from step(), as safety-gymnasium does with its cost third: {expected} ({_BRIDGE})"
    return f"returned {kind(result)} from step(): {expected}"


def _old_reset(reset: Any) -> str:
    """A sentence where ``reset`` does not take what gymnasium hands over."""
    try:
        parameters = inspect.signature(reset).parameters
    except (TypeError, ValueError):
        return ""
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return ""
    missing = [name for name in ("seed", "options") if name not in parameters]
    if not missing:
        return ""
    return f"has a reset() without {' and '.join(missing)}: expected reset(*, seed=None, options=None)"


def outside(action: Any, space: gymnasium.Space[Any]) -> bool:
    """Whether an action cannot be one, whatever the environment makes of those that are out of its bounds."""
    if isinstance(space, gymnasium.spaces.Discrete):
        return not (np.ndim(action) == 0 and space.start <= action < space.start + space.n)
    if isinstance(space, gymnasium.spaces.Box):
        return np.shape(action) != space.shape or not np.isfinite(np.asarray(action, dtype=np.float64)).all()
    return not space.contains(action)
