"""Reading the arguments of ``undo`` as samples, and checks that target and source can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo_tvd.cost import Kind
from zoo_tvd.samples import Samples
from zoo_tvd.transport.arrays import real

Floats = NDArray[np.float64]
Data: TypeAlias = "Samples | ArrayLike | Sequence[ArrayLike]"


def samples_of(data: Any, cost: Kind, name: str) -> Samples:
    """The samples that a ground cost compares.

    Args:
        data: samples, or arrays in the form that ``undo`` describes.
        cost: the ground cost.
        name: of this side, for the messages.

    Raises:
        ValueError: there are none, a number is not finite, or shapes do not fit.
    """
    if isinstance(data, Samples):
        have, wanted_states = data.states.shape[1], {"state": 1, "state-action": 1, "transition": 2}.get(cost)
        if wanted_states not in (None, have):
            raise ValueError(
                f"{name} has samples of {have} state{'s' * (have != 1)}: expected {wanted_states} for the cost {cost}"
            )
        return data
    parts_name = f"the samples of {name}"
    if cost == "trajectory":
        return Samples.of(_filled(real(data, name), name), name=parts_name)
    if cost == "state":
        states = _states(data[0] if isinstance(data, tuple) else data, name)
        return Samples.of(states[:, None], name=parts_name)
    parts = list(data) if isinstance(data, (tuple, list)) else []
    wanted = ("s", "a", "s'") if cost == "transition" else ("s", "a")
    if len(parts) < len(wanted):
        raise ValueError(f"{name} has {len(parts)} parts: expected ({', '.join(wanted)}) for the cost {cost}")
    s = _states(parts[0], name)
    actions = _actions(parts[1], len(s), name)
    if cost == "state-action":
        return Samples.of(s[:, None], actions[:, None], parts_name)
    after = _states(parts[2], name)
    if after.shape != s.shape:
        raise ValueError(f"{name} has states {list(s.shape)} and next states {list(after.shape)}: expected the same")
    return Samples.of(np.stack([s, after], axis=1), actions[:, None], parts_name)


def check_alike(target: Samples, source: Samples, cost: Kind) -> None:
    """Check that target and source can be compared.

    Raises:
        ValueError: trajectories differ in length, or actions in kind, number of coordinates, or values.
    """
    if (target.actions is None) != (source.actions is None):
        raise ValueError("one side has actions and the other has none: expected both or neither")
    if cost == "trajectory" and target.states.shape[1] != source.states.shape[1]:
        raise ValueError(
            f"the target's trajectories have {target.states.shape[1]} states and the source's "
            f"{source.states.shape[1]}: expected as many, padded with the last"
        )
    if cost not in ("state-action", "transition") or target.actions is None or source.actions is None:
        return
    here, there = target.actions[:, 0], source.actions[:, 0]
    if here.shape[1:] != there.shape[1:]:
        raise ValueError(
            f"the target's actions are {_kind(here)} and the source's {_kind(there)}: expected the same actions"
        )
    if here.ndim == 1:
        own, other = np.unique(here), np.unique(there)
        if not np.array_equal(own, other):
            raise ValueError(
                f"the target has the discrete actions {_listed(own)} and the source {_listed(other)}: expected the "
                "same ones, or continuous actions [n, k]"
            )


def _kind(actions: NDArray[Any]) -> str:
    return "discrete, [n]" if actions.ndim == 1 else f"continuous, [n, {', '.join(map(str, actions.shape[1:]))}]"


def _listed(values: NDArray[Any]) -> str:
    return f"{values[:8].tolist()}" if len(values) <= 8 else f"{values[:8].tolist()[:-1]} and {len(values) - 7} more"


def _actions(x: Any, count: int, name: str) -> NDArray[Any]:
    if x is None:
        raise ValueError(f"{name} has no actions: expected one for each state")
    real(x, f"the list of actions of {name}")
    found = np.asarray(x)
    if found.ndim == 0 or len(found) != count:
        raise ValueError(f"{name} has {count} states and {found.size} actions: expected one for each")
    if not np.isfinite(found).all():
        raise ValueError(f"action {int(np.argwhere(~np.isfinite(found))[0][0])} of {name} is not finite")
    return found


def _states(x: Any, name: str) -> Floats:
    found = _filled(real(x, name), name)
    found = found[:, None] if found.ndim == 1 else found
    if found.ndim != 2:
        raise ValueError(f"the states of {name} have shape {list(found.shape)}: expected [n, d]")
    return found


def _filled(x: Floats, name: str) -> Floats:
    if not x.size:
        raise ValueError(f"{name} is empty: expected at least one sample")
    return x
