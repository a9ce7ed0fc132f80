"""Playing whole episodes without learning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.api import Algorithm
from zoo.discovery.registration import describe
from zoo.errors import ZooError
from zoo.training.environments.make_env import Recorder

MAX_LENGTH = 100_000
"""steps after which an episode that does not end by itself counts as it stands"""


@dataclass(frozen=True, eq=False)
class PlayedEpisodes:
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
        total, notes = len(self.lengths), []
        limited = int((self.truncated & ~self.terminated).sum())
        if limited:
            notes.append(f"{limited} of {total} episodes ended at the environment's time limit.")
        cut = int((~self.truncated & ~self.terminated).sum())
        if cut:
            longest = int(self.lengths.max())
            notes.append(f"{cut} of {total} episodes were cut after {longest} steps and count as they stood.")
        return notes

    def ending(self, index: int) -> str:
        """How one episode ended."""
        return "terminated" if self.terminated[index] else "time limit" if self.truncated[index] else "cut"


class ActError(ZooError):
    """An algorithm failed in ``act``: the caller that knows its plugin names it."""


def _act(algorithm: Algorithm[Any], obs: Any, *, greedy: bool) -> Any:
    try:
        return algorithm.act(obs, greedy=greedy)
    except (ZooError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise ActError(f"act() failed: {describe(error)}") from error


def play_round(algorithm: Algorithm[Any], env: Recorder, *, greedy: bool = True, gamma: float = 1.0) -> PlayedEpisodes:
    """One fresh episode in each copy, so that short ones are not over-represented.

    Copies that are done are stepped along and ignored; an episode still going after ``MAX_LENGTH`` steps
    counts as it stands.
    """
    B, K = env.num_envs, len(env.constraints.names) if env.constraints else 0
    played = PlayedEpisodes(
        np.zeros(B), np.zeros(B), np.zeros((B, K)), np.zeros((B, K)),
        np.zeros(B, dtype=np.int64), np.zeros(B, dtype=bool), np.zeros(B, dtype=bool),
    )  # fmt: skip
    running = np.ones(B, dtype=bool)
    weight = 1.0
    obs, _ = env.reset()
    algorithm.forget()
    for _ in range(MAX_LENGTH):
        obs, reward, terminated, truncated, infos = env.step(_act(algorithm, obs, greedy=greedy))
        rewards = np.where(running, np.asarray(reward, dtype=np.float64), 0.0)
        played.returns[:] += rewards
        played.discounted[:] += weight * rewards
        if K:
            signals = np.where(running[:, None], np.asarray(infos["constraints"], dtype=np.float64), 0.0)
            played.signals[:] += signals
            played.discounted_signals[:] += weight * signals
        played.lengths[:] += running
        played.terminated[:] |= running & terminated
        played.truncated[:] |= running & truncated
        ended = terminated | truncated
        running &= ~ended
        if not running.any():
            break
        if ended.any():
            algorithm.forget(ended)
        weight *= gamma
    algorithm.forget()
    env.drain()
    return played
