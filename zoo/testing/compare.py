"""Where two states differ, bit for bit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.api import State
from zoo.training.storage.checkpoint import Tensors, pack, unpack


def copied(state: State) -> State:
    """A copy that shares no array with ``state``, which its owner may go on changing in place."""
    copy: State = unpack(*pack(state))
    return copy


def difference(expected: State, actual: State, *, generators: bool = True) -> str:
    """The first leaf where two states differ, as "algorithm.weights[2] is 0.5, expected 0.25"; empty if none.

    Args:
        expected: what it should be.
        actual: what it is.
        generators: compare the states of numpy generators too.
    """
    (one_tensors, one), (other_tensors, other) = pack(expected), pack(actual)
    return _differ(one, other, "", one_tensors, other_tensors, generators)


def _differ(one: Any, other: Any, path: str, left: Tensors, right: Tensors, generators: bool) -> str:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        if not generators and "bit_generator" in one and "bit_generator" in other:
            return ""
        if one.keys() != other.keys():
            return f"{path or 'the state'} has the keys {_keys(other)}, expected {_keys(one)}"
        if "$array" in one:
            return _arrays(left[one["$array"]], right[other["$array"]], path)
        for key in one:
            problem = _differ(one[key], other[key], _join(path, key), left, right, generators)
            if problem:
                return problem
        return ""
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (before, after) in enumerate(zip(one, other, strict=True)):
            problem = _differ(before, after, f"{path}[{index}]", left, right, generators)
            if problem:
                return problem
        return ""
    if json.dumps(one) == json.dumps(other):  # tells 1 from 1.0, and 0.0 from -0.0
        return ""
    return f"{path or 'the state'} is {_short(other)}, expected {_short(one)}"


def _arrays(one: NDArray[Any], other: NDArray[Any], path: str) -> str:
    if (one.dtype, one.shape) != (other.dtype, other.shape):
        return f"{path} is {other.dtype} of shape {other.shape}, expected {one.dtype} of shape {one.shape}"
    if one.tobytes() == other.tobytes():
        return ""
    differs = one != other
    where = np.argwhere(differs if differs.any() else np.isnan(one) if one.dtype.kind == "f" else differs)
    if not len(where):
        return f"{path} differs in the sign of a zero"
    index = tuple(where[0])
    shown = f"[{', '.join(str(int(i)) for i in index)}]" if index else ""
    return f"{path}{shown} is {other[index]}, expected {one[index]}"


def _join(path: str, key: str) -> str:
    if key == "$tuple":
        return path
    return f"{path}.{key}" if path else key


def _keys(mapping: Mapping[str, Any]) -> str:
    return ", ".join(sorted(mapping)) or "(none)"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
