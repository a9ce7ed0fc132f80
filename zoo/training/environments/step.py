"""Results of one step of many copies: told apart from resets, checked, and owned by the caller."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from sys import getrefcount
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.api import Array, ConstraintSpec
from zoo.discovery.registration import describe
from zoo.errors import EnvironmentFailed, InterfaceError
from zoo.terminal.streams import brief
from zoo.training.environments.boundary import FaultError, copied, finite, first_bad


def environment_failed(error: BaseException, name: str, where: str, lengths: NDArray[Any]) -> EnvironmentFailed:
    """An error of an environment, with the environment's name first.

    Args:
        error: what was raised.
        name: what messages call the environment.
        where: "reset()" or "step()".
        lengths: steps so far in the episode of each copy, [n].
    """
    copy = error.copy if isinstance(error, FaultError) else None
    cause = error.__cause__ if isinstance(error, FaultError) else error
    if getattr(cause, "names_owner", False):  # a part that a user brought to the environment
        return EnvironmentFailed(f"{brief(cause).rstrip('.')}.", "--debug shows where.")
    what = error.what if isinstance(error, FaultError) else f"raised in {where}: {describe(error)}"
    place = "" if copy is None else f" (copy {copy}"
    if place and where == "step()":
        place += f", step {int(lengths[copy]) + 1} of its episode"
    return EnvironmentFailed(f"{name} {what.rstrip('.')}{place}{')' if place else ''}.", "--debug shows where.")


def check_finite(
    parts: Mapping[str, Any], name: str, lengths: NDArray[Any], copies: int, columns: Sequence[str] = ()
) -> None:
    """Refuse what is not finite in what a step returned.

    Args:
        parts: arrays [n, ...] by what they are.
        name: what messages call the environment.
        lengths: steps so far in the episode of each copy, [n].
        copies: of one member; n is a multiple of it.
        columns: names of the constraints.

    Raises:
        EnvironmentFailed: with the copy, the step of its episode, and which number it is.
    """
    for what, values in parts.items():
        bad = first_bad(values)
        if bad is None:
            continue
        (row, *index), value = bad
        which = f" {columns[index[0]]!r}" if what == "constraint" and index else f"{index or ''}"
        member = f" of member {row // copies}" if len(lengths) > copies else ""
        raise EnvironmentFailed(
            f"{name} gave {'NaN' if value != value else value} as {what}{which} (copy {row % copies}{member}, step "
            f"{int(lengths[row]) + 1} of its episode): expected finite numbers."
        )


def check_step(
    obs: Any, reward: Any, infos: Mapping[str, Any], name: str, lengths: NDArray[Any], copies: int,
    constraints: ConstraintSpec | None, signals: NDArray[Any] | None, done: NDArray[np.bool_],
) -> None:  # fmt: skip
    """``check_finite`` of one step, as cheap as it can be where there is nothing to refuse."""
    plain = type(obs) is np.ndarray and finite(obs) and finite(reward) and (signals is None or finite(signals))
    if plain and (not done.any() or "final_obs" not in infos or _plain_rows(infos["final_obs"], done)):
        return
    columns = constraints.names if constraints else ()
    # Constraints first: where the reward is made of them, they say which of its parts is at fault.
    check_finite({"constraint": signals, "reward": reward}, name, lengths, copies, columns)
    for values in (_last(infos), obs):
        check_finite({"observation": values}, name, lengths, copies)


def _plain_rows(values: Any, rows: NDArray[np.bool_]) -> bool:
    """Whether these rows [n, ...] are sure to be finite: one array, or an object array of such."""
    if type(values) is not np.ndarray or values.shape[0] != len(rows):
        return False
    if values.dtype != object:
        return finite(values[rows])
    parts = values[rows].tolist()
    return all(type(part) is np.ndarray for part in parts) and finite(np.concatenate(parts, axis=None))


def _last(infos: Mapping[str, Any]) -> NDArray[Any] | None:
    """The last observations of the episodes that ended in this step, [n, ...]; of other copies, zeros or None."""
    if "final_obs" not in infos:
        return None
    final = np.array(infos["final_obs"])
    ended = infos.get("_final_obs")
    if ended is not None and final.dtype.kind != "O":
        final[~np.asarray(ended, dtype=bool)] = 0
    return final


def owned(array: Any) -> Any:
    """``array`` itself where nobody else holds it, and else a copy that nobody can write into.

    A fresh array has one reference, that of the caller; one that its environment keeps, or a view, has another owner.
    """
    if type(array) is not np.ndarray:
        return copied(array)
    if array.dtype == object:
        own = np.empty_like(array)
        for row, item in enumerate(array.tolist()):
            if item is not None:  # one of the few whose episode has ended
                own[row] = item.copy() if type(item) is np.ndarray else copied(item)
        return own
    return array if array.base is None and getrefcount(array) <= _FRESH else array.copy()


def _fresh_count() -> int:
    """References that ``owned`` counts to an array with none but its caller's; they differ between interpreters."""
    array = np.empty(0)

    def count(array: Any) -> int:
        return getrefcount(array)

    return count(array)


_FRESH = _fresh_count()


def constraint_signals(
    infos: Mapping[str, Any], copies: int, names: Sequence[str], env: str = "the environment"
) -> NDArray[np.float32]:
    """The constraint signals float32[n, K] of the step whose ``infos`` these are, resets or not.

    Raises:
        InterfaceError: they are missing, or of another shape.
    """
    signals = np.full((copies, len(names)), np.nan, dtype=np.float32)
    present = np.zeros(copies, dtype=bool)
    for values, rows in _sources(infos, "constraints", copies):
        if values.shape != signals.shape:
            raise InterfaceError(
                f'info["constraints"] of {env} has shape {values.shape}: expected {signals.shape}, one column for '
                f"each of {', '.join(names)}."
            )
        signals[rows] = values[rows]
        present |= rows
    if not present.all():
        raise InterfaceError(
            f'copy {int(np.argmin(present))} of {env} gave no info["constraints"]: expected '
            f"{len(names)} numbers at every step, for {', '.join(names)}."
        )
    return signals


def step_info(infos: Mapping[str, Any], name: str, copies: int) -> NDArray[Any]:
    """The array [n, ...] called ``name`` of the step whose ``infos`` these are, resets or not.

    Raises:
        InterfaceError: some copy does not give it.
    """
    values: NDArray[Any] | None = None
    present = np.zeros(copies, dtype=bool)
    for array, rows in _sources(infos, name, copies):
        if values is None:
            values = np.zeros_like(array)
        values[rows] = array[rows]
        present |= rows
    if values is None or not present.all():
        raise InterfaceError(f"copy {int(np.argmin(present))} of the environment gave no info[{name!r}] at this step.")
    return values


def _sources(infos: Mapping[str, Any], name: str, copies: int) -> Iterator[tuple[NDArray[Any], NDArray[np.bool_]]]:
    """What the infos and the final infos hold under ``name``, each with the copies it is of."""
    for source in (infos, infos.get("final_info", {})):
        if name in source:
            yield np.asarray(source[name]), np.asarray(source.get(f"_{name}", np.ones(copies, dtype=bool)))


def arrived(following: Array, infos: Mapping[str, Any]) -> Array:
    """The states really arrived in: where a copy was reset in the same step, its final observation."""
    if "final_obs" not in infos:
        return following
    states = np.array(following)
    ended = np.asarray(infos.get("_final_obs", np.ones(len(states), dtype=bool)))
    if ended.any():
        states[ended] = np.stack(list(infos["final_obs"][ended]))
    return states
