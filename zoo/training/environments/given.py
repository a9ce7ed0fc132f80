"""Observations that somebody hands to a trained agent."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from zoo.errors import UsageError
from zoo.training.environments.boundary import first_bad


def check_observations(observations: Any, space: spaces.Space[Any], what: str = "observations") -> None:
    """Whether they are a batch of those that an agent learned from.

    Args:
        observations: arrays [B, ...]; a mapping or tuple of such where the space is one.
        space: of one observation.
        what: to call them in messages.

    Raises:
        UsageError: they are of another kind or shape, or hold what is no number.
    """
    if isinstance(space, (spaces.Dict, spaces.Tuple)):
        for name, part in space.spaces.items() if isinstance(space, spaces.Dict) else enumerate(space.spaces):
            try:
                given = observations[name]
            except (KeyError, IndexError, TypeError) as error:
                raise UsageError(f"{what} have no {name!r}: expected those of {space}.") from error
            check_observations(given, part, f"{what}[{name!r}]")
        return
    if not isinstance(space, (spaces.Box, spaces.Discrete)):
        return
    shape = space.shape or ()
    array = np.asarray(observations)
    expected = f"expected an array [B{''.join(f', {size}' for size in shape)}]"
    if array.dtype.kind not in "biuf":
        raise UsageError(f"{what} are of dtype {array.dtype}: {expected} of numbers.")
    if array.shape[1:] != shape or array.ndim != len(shape) + 1:
        batch = f"; {what}[None] is a batch of one" if array.shape == shape else ""
        raise UsageError(f"{what} have shape {list(array.shape)}: {expected}{batch}.")
    if (bad := first_bad(array)) is not None:
        raise UsageError(f"{what}{list(bad[0])} is {bad[1]}: expected finite numbers.")
    if isinstance(space, spaces.Discrete) and not np.all((array >= space.start) & (array < space.start + space.n)):
        last = space.start + space.n - 1
        raise UsageError(f"{what} range from {array.min()} to {array.max()}: expected {space.start} to {last}.")
