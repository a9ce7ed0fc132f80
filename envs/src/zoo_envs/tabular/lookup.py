"""Shared by the single and the batched tabular environment: tables, spaces, checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from zoo_envs.tabular.categorical import Categorical
from zoo_envs.tabular.model import TabularModel
from zoo_envs.tabular.rendering import StateView
from zoo_envs.tabular.transitions import Outcomes
from zoo_envs.validation import integer

__all__ = ["TabularCore", "batched_metadata", "checked_render_mode", "metadata", "restored_generator", "snapshot_entry"]

_NEVER = int(np.iinfo(np.int64).max)


class TabularCore:
    """Lookup tables of a `TabularModel`, row = s*A + a.

    Attributes:
        model: the exact arrays.
        spec: its constraints.
        successor: laws of s' [S*A rows].
        start: law of the first state [1 row].
        r: float64 [S*A].
        pay: rewards of the outcomes in the order of ``successor.succ``, or None where r says it all.
        terminal: bool [S], or None where no state is terminal.
        c: float32 [S*A,N].
        limit: steps until truncation (the largest int64 if there is no limit).
        observations: table [S, ...] of observations, or None where the state is the observation.
        view: renders states.
    """

    def __init__(
        self,
        model: TabularModel,
        max_episode_steps: int | None,
        observations: NDArray[np.float32] | None,
        view: StateView | None,
        outcomes: Outcomes | None = None,
    ) -> None:
        """Build the tables; `outcomes`, if given, are sampled in place of P and r.

        Raises:
            ValueError: `max_episode_steps` is neither None nor an integer of at least 1.
        """
        S, A, N = model.num_states, model.num_actions, model.num_constraints
        self.model = model
        self.spec = model.constraint_spec
        self.has_cost = self.spec.has_cost
        self.A = A
        if outcomes is None:
            self.successor = Categorical.of(model.P)
        else:
            self.successor = Categorical.listed(outcomes.succ.reshape(S * A, -1), outcomes.p.reshape(S * A, -1))
        self.start = Categorical(model.rho[None])
        self.r = model.r.reshape(S * A)
        self.pay = None if outcomes is None else outcomes.pay.reshape(-1)
        self.terminal = model.terminal if model.terminal.any() else None
        self.c = np.ascontiguousarray(model.c.reshape(N, S * A).T, dtype=np.float32)
        self.limit = _NEVER if max_episode_steps is None else integer("max_episode_steps", max_episode_steps, 1)
        self.observations = observations
        self.view = view or StateView(S)
        self.action_space = spaces.Discrete(A)
        self.observation_space: spaces.Discrete | spaces.Box = (
            spaces.Discrete(S)
            if observations is None
            else spaces.Box(
                float(observations.min()), float(observations.max()), shape=observations.shape[1:], dtype=np.float32
            )
        )

    def rewards(self, rows: NDArray[np.int64], outcomes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the rewards float64[n] of `rows` s*A + a whose `outcomes` were drawn by ``successor.index_many``."""
        return self.r.take(rows) if self.pay is None else self.pay.take(outcomes)

    def over(self, states: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of `states` int64[n] are terminal, bool[n]."""
        return np.zeros(states.size, dtype=np.bool_) if self.terminal is None else self.terminal.take(states)

    def show(self, mode: str | None, state: int, marked: Sequence[int] = ()) -> Any:
        """Return `state` rendered in `mode`: str, uint8 [H,W,3], or None where no mode was chosen.

        `marked` are states that are drawn as goals.
        """
        if mode is None:
            return None
        return self.view.text(state, marked) if mode == "ansi" else self.view.pixels(state, marked)

    def same(self, other: TabularCore) -> bool:
        """Return whether `other` has the same dynamics, rewards, signals, observations and length of episodes."""
        return all(np.array_equal(mine, its) for mine, its in zip(self._parts(), other._parts(), strict=True))

    def _parts(self) -> list[Any]:
        laws = [self.successor.succ, self.successor.cum, self.start.succ, self.start.cum]
        return [*laws, self.r, self.c, self.pay, self.terminal, self.observations, self.limit, self.spec.names]


def metadata(*render_modes: str) -> dict[str, Any]:
    """Return the class metadata of a single environment."""
    return {"render_modes": list(render_modes), "render_fps": 4}


def batched_metadata(*render_modes: str) -> dict[str, Any]:
    """Return the class metadata of a batched environment."""
    return metadata(*render_modes) | {"autoreset_mode": AutoresetMode.SAME_STEP}


def checked_render_mode(mode: str | None, known: list[str]) -> str | None:
    """Return `mode`.

    Raises:
        ValueError: `mode` is neither None nor one of `known`.
    """
    if mode is not None and mode not in known:
        raise ValueError(f"render_mode must be None or one of {', '.join(known)}, got {mode!r}")
    return mode


def snapshot_entry(
    snapshot: Mapping[str, Any], key: str, shape: tuple[int, ...], below: int | None = None
) -> NDArray[np.int64]:
    """Return entry `key` of a snapshot as a new int64 array.

    Raises:
        ValueError: the entry is missing, is not an integer array of `shape`, or leaves [0, below).
    """
    if not isinstance(snapshot, Mapping) or key not in snapshot:
        raise ValueError(f"a snapshot must be a mapping with the entry {key!r}, which is missing")
    array = np.array(snapshot[key])
    if array.dtype.kind not in "iu" or array.shape != shape:
        raise ValueError(
            f"snapshot entry {key!r} must hold integers of shape {shape}, got {array.dtype} of shape {array.shape}"
        )
    if (array < 0).any() or (below is not None and (array >= below).any()):
        upper = "" if below is None else f" and below {below}"
        raise ValueError(f"snapshot entry {key!r} must be at least 0{upper}, got {array.tolist()}")
    return array.astype(np.int64)


def restored_generator(snapshot: Mapping[str, Any]) -> np.random.Generator:
    """Return a new generator in the state of the snapshot's entry "rng" (a PCG64 `bit_generator.state`).

    Raises:
        ValueError: the entry is missing or no such state.
    """
    bits = np.random.PCG64()
    try:
        bits.state = snapshot["rng"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"snapshot entry 'rng' must be the state of a PCG64 generator ({error})") from None
    return np.random.Generator(bits)
