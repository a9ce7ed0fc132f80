"""Several vector environments of one kind stepped by one array operation, each with its own random stream."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

if TYPE_CHECKING:
    from zoo_envs.copies import CopiesEnv

__all__ = ["Stack"]


class Stack:
    """M members of B copies each; row m*B + b is copy b of member m.

    The members' arrays become views into those of the stack, so stepping, resetting or restoring a member goes on
    working, and is seen here. Steps equal, bit for bit, those of the members one by one.
    """

    def __init__(self, members: Sequence[CopiesEnv]) -> None:
        """Bind `members`, which differ in their random streams at most."""
        # All copies together are an environment like each member, except that it draws from several streams.
        self._whole = copy.copy(members[0])
        self._whole.num_envs = sum(member.num_envs for member in members)
        self._whole._bound = tuple(members)
        for name in self._whole.HELD:
            together, parts = _joined([getattr(member, name) for member in members])
            setattr(self._whole, name, together)
            for member, part in zip(members, parts, strict=True):
                setattr(member, name, part)
        rules = [member._rule for member in members if member._rule is not None]
        if rules:
            self._whole._rule = copy.copy(rules[0])
            self._whole._rule.memory = {}
            for name in rules[0].memory:
                self._whole._rule.memory[name], parts = _joined([rule.memory[name] for rule in rules])
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
        whole = self._whole
        if whole._unbegun().any():
            raise ResetNeeded("call reset() of every member first: one has no state yet")
        move = whole._advance(actions)
        told = move.told if move.ended is None else whole._told()
        infos = {"arrived": whole._observe(move.arrived), **move.signals, **told}
        return whole._observe(whole._state), move.rewards, move.terminations, move.truncations, infos


def _joined(parts: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], list[NDArray[Any]]]:
    """Return the concatenation of `parts`, and the views of it that take their places."""
    whole = np.concatenate(parts)
    return whole, np.split(whole, len(parts))
