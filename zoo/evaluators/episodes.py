"""Playing whole episodes with every step accounted for, and leaving the player as it was."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.api import Algorithm, EvalContext
from zoo.errors import InterfaceError
from zoo.seeding import capture_torch, restore_torch
from zoo.training.rollout import MAX_LENGTH
from zoo.training.vector import Recorder

COPIES = 100
"""environments stepped side by side at most"""


@dataclass(frozen=True, eq=False)
class Played:
    """E complete episodes; K is the number of constraints."""

    returns: NDArray[np.float64]
    """undiscounted sum of rewards, ``[E]``"""
    discounted: NDArray[np.float64]
    """``sum_t gamma^t r_t``, ``[E]``"""
    signals: NDArray[np.float64]
    """undiscounted sums of the constraint signals, ``[E, K]``"""
    discounted_signals: NDArray[np.float64]
    """``sum_t gamma^t c_t``, ``[E, K]``"""
    lengths: NDArray[np.int64]
    """steps, ``[E]``"""
    terminated: NDArray[np.bool_]
    """ended in a terminal state, ``[E]``"""
    truncated: NDArray[np.bool_]
    """ended by the environment's time limit, ``[E]``; where neither, the evaluation itself stopped waiting"""

    def notes(self) -> list[str]:
        """Sentences on episodes that did not end by themselves."""
        total, found = len(self.lengths), []
        limited = int((self.truncated & ~self.terminated).sum())
        if limited:
            found.append(f"{limited} of {total} episodes ended at the environment's time limit.")
        cut = int((~self.truncated & ~self.terminated).sum())
        if cut:
            longest = int(self.lengths.max())
            found.append(f"{cut} of {total} episodes were cut after {longest} steps and count as they stood.")
        return found

    def ending(self, index: int) -> str:
        """How one episode ended."""
        return "terminated" if self.terminated[index] else "time limit" if self.truncated[index] else "cut"


def play(algorithm: Algorithm[Any], ctx: EvalContext, episodes: int, *, greedy: bool, gamma: float = 1.0) -> Played:
    """Play ``episodes`` fresh episodes, at most ``COPIES`` at a time.

    Each copy plays the same number of episodes, so that short ones are not over-represented.

    Raises:
        InterfaceError: the context builds no environments.
    """
    if ctx.make_env is None:
        raise InterfaceError("this evaluator plays episodes: expected a context with make_env.")
    env = ctx.make_env(min(episodes, COPIES))
    recorder = env if isinstance(env, Recorder) else Recorder(env, ctx.problem.constraints)
    try:
        with unchanged(algorithm):
            rounds = [
                _one_round(algorithm, recorder, greedy, gamma) for _ in range(math.ceil(episodes / recorder.num_envs))
            ]
    finally:
        recorder.close()
    joined = [np.concatenate([getattr(part, f.name) for part in rounds])[:episodes] for f in fields(Played)]
    return Played(*joined)


def _one_round(algorithm: Algorithm[Any], env: Recorder, greedy: bool, gamma: float) -> Played:
    """One episode in each copy; copies that are done are stepped along and ignored."""
    B, K = env.num_envs, len(env.constraints.names) if env.constraints else 0
    played = Played(
        np.zeros(B), np.zeros(B), np.zeros((B, K)), np.zeros((B, K)),
        np.zeros(B, dtype=np.int64), np.zeros(B, dtype=bool), np.zeros(B, dtype=bool),
    )  # fmt: skip
    running = np.ones(B, dtype=bool)
    weight = 1.0
    obs, _ = env.reset()
    for _ in range(MAX_LENGTH):
        obs, reward, terminated, truncated, infos = env.step(algorithm.act(obs, greedy=greedy))
        gained = np.where(running, np.asarray(reward, dtype=np.float64), 0.0)
        played.returns[:] += gained
        played.discounted[:] += weight * gained
        if K:
            signals = np.where(running[:, None], np.asarray(infos["constraints"], dtype=np.float64), 0.0)
            played.signals[:] += signals
            played.discounted_signals[:] += weight * signals
        played.lengths[:] += running
        played.terminated[:] |= running & terminated
        played.truncated[:] |= running & truncated
        running &= ~(terminated | truncated)
        if not running.any():
            break
        weight *= gamma
    env.drain()
    return played


@contextmanager
def unchanged(algorithm: Algorithm[Any]) -> Iterator[None]:
    """Put the algorithm (whose ``act`` may draw random numbers) and torch's generator back afterwards."""
    torch, state, steps = capture_torch(), algorithm.state(), algorithm.env_steps
    try:
        yield
    finally:
        algorithm.load_state(state)
        algorithm.env_steps = steps
        restore_torch(torch)
