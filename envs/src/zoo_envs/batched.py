"""The base class of all batched environments of this package: action checks, ends of episodes, infos, stacking."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, Self, TypeAlias

import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.vector import VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from zoo_envs.reward_rules import RewardRule
from zoo_envs.validation import integer

__all__ = ["CopiesEnv", "Info", "Move", "Observations", "Stack"]

Observations: TypeAlias = "NDArray[Any]"  # int64 [n], or float32 [n, ...]
Info: TypeAlias = dict[str, NDArray[Any]]
_NO_STATE = -1


class Move(NamedTuple):
    """One step of n copies, after which those whose episode ended are reset.

    Attributes:
        arrived: the states before any reset, [n, ...].
        rewards: float64[n].
        terminations: bool[n].
        truncations: bool[n].
        ended: bool[n], or None where no episode ended.
        signals: entries of the infos that belong to the transitions, [n, ...] each.
        rule_info: entries of the reward rule before any reset, [n, ...] each.
    """

    arrived: NDArray[Any]
    rewards: NDArray[np.float64]
    terminations: NDArray[np.bool_]
    truncations: NDArray[np.bool_]
    ended: NDArray[np.bool_] | None
    signals: Info
    rule_info: Info


class CopiesEnv(VectorEnv[Any, Any, NDArray[Any]]):
    """`num_envs` independent copies stepped by array operations; a state is one number, or a row of several.

    Autoreset mode SAME_STEP: where an episode ends, the observation returned is the first of the next one,
    the last one is in ``infos["final_obs"]`` and its info in ``infos["final_info"]``, laid out as in
    `gymnasium.vector.SyncVectorEnv`. One difference: signals of the step just taken are in ``infos`` for every
    copy, so that the last signal of an episode is where all others are.

    The arrays of the copies' states, named in `STATE_ARRAYS`, are changed in place only, so that `Stack` can bind
    them together.
    """

    STATE_ARRAYS: ClassVar[tuple[str, ...]] = ("_state",)
    _rule: RewardRule | None = None

    def __init__(self, num_envs: int, observation: spaces.Space[Any], action: spaces.Space[Any]) -> None:
        """Hold `num_envs` copies with the spaces `observation` and `action` each.

        Raises:
            ValueError: `num_envs` is not an integer of at least 1.
        """
        self.num_envs = integer("num_envs", num_envs, 1)
        self.single_observation_space = observation
        self.single_action_space = action
        self.observation_space = batch_space(observation, self.num_envs)
        self.action_space = batch_space(action, self.num_envs)
        self._num_actions = int(action.n) if isinstance(action, spaces.Discrete) else 0
        self._stacked: tuple[CopiesEnv, ...] = ()  # where this holds all copies of a stack: its members
        self._state: NDArray[Any] = np.full(self.num_envs, _NO_STATE, dtype=np.int64)

    @classmethod
    def stacked(cls, members: Sequence[Self]) -> Any:
        """Bind `members` of this class with equal numbers of copies: see `Stack`.

        Returns:
            An object whose ``step(actions)`` steps all members by one array operation, or None where the members
            differ in more than their random streams.
        """
        first = members[0]
        alike = all(member._differs_only_in_seed(first) for member in members)
        return Stack(members) if alike else None

    def step(
        self, actions: NDArray[np.integer[Any]]
    ) -> tuple[Observations, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Take one transition in every copy, and start anew those whose episode ended.

        Returns:
            observations [n, ...], rewards float64[n], terminations bool[n], truncations bool[n], infos.

        Raises:
            ResetNeeded: `reset` was never called.
            ValueError: `actions` are not n integers in [0, A-1], or not n finite vectors where the actions are a Box.
        """
        move = self._advance(actions)
        infos: dict[str, Any] = {} if move.ended is None else self._final(move, move.ended)
        self._put_info(infos, move.signals)
        self._put_info(infos, move.rule_info if move.ended is None else self._rule_info())
        return self._observe(self._state), move.rewards, move.terminations, move.truncations, infos

    @abstractmethod
    def _advance(self, actions: NDArray[np.integer[Any]]) -> Move:
        """Step every copy."""

    @abstractmethod
    def _differs_only_in_seed(self, other: Any) -> bool:
        """Return whether `other` differs from this environment in its random stream at most."""

    @abstractmethod
    def _observe(self, state: NDArray[Any]) -> Observations:
        """Return the observations of `state` [n, ...]; a new array."""

    def _never_reset(self) -> NDArray[np.bool_]:
        """Return which copies were never reset, bool[n]."""
        return self._state < 0

    def _current(self) -> NDArray[Any]:
        if self._never_reset()[0]:
            raise ResetNeeded("call reset() first: the environment has no state yet")
        return self._state

    def _rule_info(self) -> Info:
        return {} if self._rule is None else self._rule.info()

    def _put_info(self, infos: dict[str, Any], values: Info) -> None:
        """Put `values`, which hold for every copy, into `infos` with their masks."""
        for key, value in values.items():
            infos[key], infos[f"_{key}"] = value, np.ones(self.num_envs, dtype=np.bool_)

    def _checked(self, actions: object) -> NDArray[Any]:
        """Return the actions, int64[n], or finite numbers [n, ...] where the action space is a Box."""
        array = np.asarray(actions)
        if not self._num_actions:
            shape = (self.num_envs, *(self.single_action_space.shape or ()))
            if array.shape != shape or array.dtype.kind not in "iuf" or not np.isfinite(array).all():
                raise ValueError(f"actions must be finite numbers of shape {shape}, got {array!r}")
            return array
        if array.shape != (self.num_envs,) or array.dtype.kind not in "iu":
            raise ValueError(
                f"actions must be {self.num_envs} integers, got {array.dtype} of shape {list(array.shape)}"
            )
        array = array.astype(np.int64, copy=False)
        # Seen as unsigned a negative number is huge, so one reduction checks both ends.
        if np.maximum.reduce(array.view(np.uint64)) >= self._num_actions:
            bad = np.flatnonzero((array < 0) | (array >= self._num_actions))[0]
            raise ValueError(f"actions must lie in [0, {self._num_actions - 1}], got {array[bad]} for copy {bad}")
        return array

    def _final(self, move: Move, ended: NDArray[np.bool_]) -> dict[str, Any]:
        """Return "final_obs" and "final_info" with their masks, laid out as by SyncVectorEnv."""
        last = self._observe(move.arrived[ended])
        final_obs = np.full(self.num_envs, None, dtype=object)
        # An int per ended copy, or an array: what the environment of one copy returns. Arrays must go in one by one.
        for i, observation in zip(np.flatnonzero(ended), last.tolist() if last.ndim == 1 else last, strict=True):
            final_obs[i] = observation
        final_info: dict[str, Any] = {}
        for key, value in (move.signals | move.rule_info).items():
            kept = np.zeros_like(value)
            kept[ended] = value[ended]
            final_info[key], final_info[f"_{key}"] = kept, ended.copy()
        return {
            "final_obs": final_obs,
            "_final_obs": ended.copy(),
            "final_info": final_info,
            "_final_info": ended.copy(),
        }


class Stack:
    """M members of B copies each; row m*B + b is copy b of member m.

    The members' arrays become views into those of the stack, so stepping, resetting or restoring a member goes on
    working, and is seen here. Steps equal, bit for bit, those of the members one by one.
    """

    def __init__(self, members: Sequence[CopiesEnv]) -> None:
        """Bind `members`, which differ in their random streams at most."""
        # All copies together are an environment like each member, except that it draws from several streams.
        self._all_copies = copy.copy(members[0])
        self._all_copies.num_envs = sum(member.num_envs for member in members)
        self._all_copies._stacked = tuple(members)
        for name in self._all_copies.STATE_ARRAYS:
            joined, parts = _joined([getattr(member, name) for member in members])
            setattr(self._all_copies, name, joined)
            for member, part in zip(members, parts, strict=True):
                setattr(member, name, part)
        rules = [member._rule for member in members if member._rule is not None]
        if rules:
            self._all_copies._rule = copy.copy(rules[0])
            self._all_copies._rule.memory = {}
            for name in rules[0].memory:
                self._all_copies._rule.memory[name], parts = _joined([rule.memory[name] for rule in rules])
                for rule, part in zip(rules, parts, strict=True):
                    rule.memory[name] = part

    def step(
        self, actions: NDArray[np.integer[Any]]
    ) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Take one transition in every copy of every member, and start anew those whose episode ended.

        Args:
            actions: integers [M*B].

        Returns:
            As ``step`` of a vector environment of M*B copies, but the infos hold "arrived" [M*B, ...], the
            observations before any reset, and no "final_obs", "final_info" or masks.

        Raises:
            ResetNeeded: a member was never reset.
            ValueError: `actions` are not M*B integers in [0, A-1].
        """
        all_copies = self._all_copies
        if all_copies._never_reset().any():
            raise ResetNeeded("call reset() of every member first: one has no state yet")
        move = all_copies._advance(actions)
        rule_info = move.rule_info if move.ended is None else all_copies._rule_info()
        infos = {"arrived": all_copies._observe(move.arrived), **move.signals, **rule_info}
        return all_copies._observe(all_copies._state), move.rewards, move.terminations, move.truncations, infos


def _joined(parts: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], list[NDArray[Any]]]:
    """Return the concatenation of `parts`, and the views of it that take their places."""
    joined = np.concatenate(parts)
    return joined, np.split(joined, len(parts))
