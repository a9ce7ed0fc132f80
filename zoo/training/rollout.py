"""Running a policy for whole episodes without learning."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.api import Algorithm
from zoo.seeding import capture_torch, restore_torch
from zoo.training.vector import Episode, Recorder

MAX_LENGTH = 100_000
"""steps after which an episode that does not end by itself counts as it stands"""


def run_episodes(algorithm: Algorithm[Any], env: Recorder, *, greedy: bool = True) -> list[Episode]:
    """One episode in each copy of ``env``, so that short episodes are not over-represented.

    torch's global generator is left as it was: evaluating more often must not change what is learned.
    """
    before = capture_torch()
    obs, _ = env.reset()
    env.drain()
    first: list[Episode | None] = [None] * env.num_envs
    for _ in range(MAX_LENGTH):
        obs, _, terminated, truncated, _ = env.step(algorithm.act(obs, greedy=greedy))
        ended = np.flatnonzero(terminated | truncated)
        for index, episode in zip(ended, env.drain(), strict=True):
            if first[index] is None:
                first[index] = episode
        if len(ended) and all(first):
            break
    restore_torch(before)
    return [episode if episode is not None else env.current(index) for index, episode in enumerate(first)]
