"""Many episodes for an evaluator, with the algorithm restored afterwards."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import numpy as np

from zoo.api import Algorithm, EvalContext
from zoo.errors import InterfaceError
from zoo.seeding import keeping_torch
from zoo.training.environments.make_env import Recorder
from zoo.training.evaluate_policy import PlayedEpisodes, play_round

COPIES = 100
"""most environments stepped at once"""


def play(
    algorithm: Algorithm[Any], ctx: EvalContext, episodes: int, *, greedy: bool, gamma: float = 1.0
) -> PlayedEpisodes:
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
                play_round(algorithm, recorder, greedy=greedy, gamma=gamma)
                for _ in range(math.ceil(episodes / recorder.num_envs))
            ]
    finally:
        recorder.close()
    joined = [np.concatenate([getattr(part, f.name) for part in rounds])[:episodes] for f in fields(PlayedEpisodes)]
    return PlayedEpisodes(*joined)


@contextmanager
def unchanged(algorithm: Algorithm[Any]) -> Iterator[None]:
    """Put the algorithm (whose ``act`` may draw random numbers) and torch's generator back afterwards."""
    state, steps = algorithm.state(), algorithm.env_steps
    with keeping_torch():
        try:
            yield
        finally:
            algorithm.load_state(state)
            algorithm.env_steps = steps
