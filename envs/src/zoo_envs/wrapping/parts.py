"""What the rules of ``grammar`` speak of: the parts of a step of n copies, found by name, and expressions of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from zoo_envs.wrapping.grammar import Apply, Expression, Number, Part

__all__ = ["Step", "bind", "columns", "observation_names", "signal"]

Values = NDArray[np.float64]
_ROOTS: Final = ("observation", "action", "reward", "info")
_NAMED: Final = MappingProxyType({"obs": "observation"})


@dataclass(frozen=True, eq=False)
class Step:
    """One step of n copies; whatever is an array has n rows.

    Attributes:
        observation: arrived in, before any reset.
        action: that was taken.
        reward: float64[n].
        info: of the step, by key.
        slices: first column, and that after the last, of named parts of an observation that is one array.
    """

    observation: Any
    action: Any
    reward: Any
    info: Mapping[str, Any]
    slices: Mapping[str, tuple[int, int]]


def observation_names(space: spaces.Space[Any], slices: Mapping[str, tuple[int, int]]) -> list[str]:
    """Return the names of the parts of an observation, none if it has none."""
    return list(space.spaces) if isinstance(space, spaces.Dict) else list(slices)


def columns(sizes: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Return where each part lies in an array of all, one after another: first column, and that after the last."""
    ends = np.cumsum([*sizes.values()]).tolist()
    return {name: (end - size, end) for (name, size), end in zip(sizes.items(), ends, strict=True)}


def bind(expression: Expression, observed: Iterable[str], info: Iterable[str]) -> Expression:
    """Return the expression with every part below "observation", "action", "reward" or "info".

    Args:
        expression: as typed; a bare name is one of an observation's or of the info.
        observed: names of the parts of an observation.
        info: keys of the info.

    Raises:
        ValueError: there is no such part, with the nearest that are there; or there are two.
    """
    if isinstance(expression, Apply):
        inner = tuple(bind(argument, observed, info) for argument in expression.arguments)
        return Apply(expression.function, inner)
    if not isinstance(expression, Part):
        return expression
    first, *keys = expression.path
    head = _NAMED.get(str(first), str(first))
    if head in _ROOTS:
        return Part((head, *keys))
    found = [root for root, names in (("observation", observed), ("info", info)) if head in names]
    if len(found) == 2:
        raise ValueError(f"{head!r} is a part of both the observation and the info: expected obs.{head} or info.{head}")
    if not found:
        raise ValueError(_missing("part", head, [*_ROOTS[:3], *observed, *info]))
    return Part((found[0], head, *keys))


def signal(expression: Expression, step: Step) -> Values:
    """Return the value of an expression for each copy, float64[n].

    Raises:
        ValueError: a part is not there, or is more than one number.
    """
    with np.errstate(all="ignore"):  # what is not finite is refused by whoever steps the environment
        value = _value(expression, step)
    n = len(step.reward)
    if value.shape[:1] == (n,) and value.size == n:
        return value.reshape(n)
    if value.ndim == 0:
        return np.full(n, float(value))
    where = str(expression) if isinstance(expression, Part) else "it"
    size = value.size // n
    raise ValueError(
        f"{where} is {size} numbers, not one: expected an index, as in [0], or max, min, mean, sum or norm"
    )


def _value(expression: Expression, step: Step) -> Values:
    if isinstance(expression, Number):
        return np.array(expression.value)
    if isinstance(expression, Part):
        return _part(expression, step)
    values = [_value(argument, step) for argument in expression.arguments]
    if len(values) == 1:
        return _UNARY[expression.function](values[0])
    left, *others = _aligned(values)
    for right in others:
        left = np.asarray(_BINARY[expression.function](left, right), dtype=np.float64)
    return left


def _part(part: Part, step: Step) -> Values:
    head, *keys = part.path
    value: Any = getattr(step, str(head))
    for depth, key in enumerate(keys):
        value = _below(value, key, Part(part.path[: depth + 1]), step.slices if head == "observation" else {})
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        within = f": it has {', '.join(map(str, value))}" if isinstance(value, Mapping) else ""
        raise ValueError(f"{part} is not a number or an array of numbers{within}") from None
    return array


def _below(value: Any, key: str | int, whole: Part, slices: Mapping[str, tuple[int, int]]) -> Any:
    """Return what lies under `key` in `value`, which is `whole`."""
    if isinstance(value, Mapping):
        if key not in value:
            raise ValueError(_missing(f"part of {whole}", str(key), value))
        return value[key]
    if isinstance(key, str):
        if len(whole.path) > 1 or key not in slices:
            raise ValueError(_missing(f"part of {whole}", key, slices if len(whole.path) == 1 else ()))
        return value[:, slice(*slices[key])]
    size = len(value) if isinstance(value, tuple) else np.shape(value)[1] if np.ndim(value) > 1 else 0
    if not -size <= key < size:
        parts = f"numbers 0 to {size - 1}" if size else "no index, for it is one number"
        raise ValueError(f"there is no {whole}[{key}]: {whole} has {parts}")
    return value[key] if isinstance(value, tuple) else value[:, key]


def _missing(what: str, name: str, there: Iterable[str]) -> str:
    """Return a sentence on a name that is not there, with the nearest, or all, that are."""
    names = list(dict.fromkeys(map(str, there)))
    near = get_close_matches(name, names, n=3)
    known = (
        f"the nearest: {', '.join(near)}" if near else f"there are {', '.join(names)}" if names else "it has no names"
    )
    return f"there is no {what} called {name!r}; {known}"


def _aligned(values: list[Values]) -> list[Values]:
    """Give all arrays as many axes, so that rows stay rows."""
    most = max(value.ndim for value in values)
    return [value.reshape(*value.shape, *[1] * (most - value.ndim)) if value.ndim else value for value in values]


def _over_rows(reduce: Callable[..., Any]) -> Callable[[Values], Values]:
    """Return `reduce` over all axes but the first."""

    def reduced(value: Values) -> Values:
        axes = tuple(range(1, value.ndim))
        return np.asarray(reduce(value, axis=axes), dtype=np.float64) if axes else value

    return reduced


def _norm(value: Values, axis: tuple[int, ...]) -> Values:
    norm: Values = np.sqrt(np.square(value).sum(axis=axis))
    return norm


_UNARY: Mapping[str, Callable[[Values], Values]] = MappingProxyType({
    "-": np.negative, "abs": np.abs, "sqrt": np.sqrt, "max": _over_rows(np.max), "min": _over_rows(np.min),
    "mean": _over_rows(np.mean), "sum": _over_rows(np.sum), "norm": lambda value: _over_rows(_norm)(np.abs(value)),
})  # fmt: skip
_BINARY: Mapping[str, Callable[[Values, Values], Any]] = MappingProxyType({
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "max": np.maximum, "min": np.minimum,
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal,
})  # fmt: skip
