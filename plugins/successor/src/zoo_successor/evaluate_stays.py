"""Evaluator: for how long an agent stays where rewards wear off."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo import Algorithm, EvalContext, Evaluator, Report, UsageError
from zoo_successor.config import StaysConfig
from zoo_successor.learning.td import Bools, Floats, Ints


class Stays(Evaluator[StaysConfig]):
    """One greedy episode in each of many copies: how many rewards are taken in a row where nothing was taken before.

    A stay is a run of arrivals in one state that pays. Scores: ``harvests``, the mean length of the first stay in a
    state, over states and episodes; ``patches``, states that paid in an episode; ``return`` and ``discounted``, of the
    environment's rewards. One row for each episode.

    Raises:
        UsageError: the subject does not act on states, or the rewards do not diminish.
    """

    def evaluate(self, subject: Any, ctx: EvalContext) -> Report:
        """Judge ``subject`` without changing it."""
        own = ctx.problem.diminishing
        if not isinstance(subject, Algorithm) or own is None or ctx.make_env is None:
            raise UsageError("stays judges algorithms on environments whose rewards diminish, such as two-rooms.")
        E = self.config.episodes
        envs = ctx.make_env(E)
        obs, _ = envs.reset()
        subject.forget()
        seen = FirstStays.none(E, own.num_states)
        returns, discounted, running = np.zeros(E), np.zeros(E), np.ones(E, dtype=bool)
        gamma, t = ctx.problem.tabular.gamma, 0
        while running.any():
            obs, reward, terminated, truncated, infos = envs.step(subject.act(obs))
            ended = terminated | truncated
            arrived = np.where(ended, _last(infos, obs), obs).astype(np.int64)
            seen.arrive(arrived, running & (own.base[arrived] > 0))
            returns += running * reward
            discounted += running * gamma**t * reward
            subject.forget(ended)
            running &= ~ended
            t += 1
        envs.close()
        subject.forget()
        harvests = [row[row > 0].mean() if row.any() else 0.0 for row in seen.lengths]
        scores = {
            "harvests": float(np.mean(harvests)),
            "patches": float((seen.lengths > 0).sum(axis=1).mean()),
            "return": float(returns.mean()),
            "discounted": float(discounted.mean()),
        }
        rows = [{"harvests": float(one), "return": float(total)} for one, total in zip(harvests, returns, strict=True)]
        return Report(scores=scores, rows=rows)


class FirstStays:
    """Lengths of the first stay of each of E copies in each of S states, as they arrive there.

    Args:
        lengths: harvests of the first stay so far, ``[E, S]``.
        there: the state in which each copy is staying, ``[E]``; -1 if in none.
    """

    def __init__(self, lengths: Ints, there: Ints) -> None:
        self.lengths, self.there = lengths, there

    @classmethod
    def none(cls, copies: int, count: int) -> FirstStays:
        """Before any arrival."""
        return cls(np.zeros((copies, count), dtype=np.int64), np.full(copies, -1))

    def arrive(self, arrived: Ints, paid: Bools) -> None:
        """Every copy arrived in ``arrived [E]``, and those of ``paid [E]`` harvested there."""
        copies = np.arange(len(arrived))
        first = (self.lengths[copies, arrived] == 0) | (self.there == arrived)
        self.lengths[copies, arrived] += paid & first
        self.there = np.where(paid & first, arrived, -1)


def _last(infos: Any, obs: Floats) -> Floats:
    """The last observations of the episodes that ended, ``[E]``."""
    if "final_obs" not in infos:
        return obs
    return np.array([now if one is None else one for one, now in zip(infos["final_obs"], obs, strict=True)])
