"""Stacked environments against the same environments alone (``zoo.Stackable``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from typing import Any

import numpy as np

from zoo.api import State
from zoo.testing.compare import copied, difference
from zoo.testing.contract import Contract
from zoo.training.environments.make_env import Recorder
from zoo.training.environments.stack import Stack, stack
from zoo.training.environments.step import arrived

STEPS = 60
MEMBERS, COPIES = 3, 3
Actions = Sequence[Sequence[Any]]


def check_stack(contract: Contract, vector: Callable[[int], Recorder]) -> None:
    """Where the vector form offers ``stacked``, members step together bit for bit as they do alone.

    That holds from the start, after a member has stepped and been reset alone, and after all of them were put back.
    """
    with ExitStack() as opened:
        made = [opened.enter_context(closing(vector(COPIES))) for _ in range(2 * MEMBERS)]
        alone, together = made[:MEMBERS], made[MEMBERS:]
        if not callable(getattr(type(together[0].env), "stacked", None)):
            return
        for group in (alone, together):
            for seed, env in enumerate(group):
                env.reset(seed=seed)
        with contract.during("stacked()"):
            whole = stack(together)
        contract.require(whole.together, "stacked() declines members that differ only in their seeds")
        actions = _actions(alone[0])
        _compare(contract, "stacked, it differs", alone, whole, actions)
        saved = [copied(env.capture()) for env in alone]
        for group in (alone, together):
            with contract.during("stepping a stacked member alone"):
                for row in actions[:5]:
                    group[1].step(row[1])
                group[0].reset(seed=77)
        _compare(
            contract, "stacked, it differs after a member was stepped and another reset alone", alone, whole, actions
        )
        with contract.during("set_state() of a stacked member"):
            exact = [env.restore(copied(state)) for env, state in zip(together, saved, strict=True)]
        if all(exact):
            for env, state in zip(alone, saved, strict=True):
                env.restore(copied(state))
            _compare(contract, "stacked, it differs after it was put back", alone, whole, actions)


def _actions(env: Recorder) -> Actions:
    env.action_space.seed(11)
    return [[env.action_space.sample() for _ in range(MEMBERS)] for _ in range(STEPS)]


def _compare(contract: Contract, broken: str, alone: Sequence[Recorder], whole: Stack, actions: Actions) -> None:
    with contract.during("playing it alone"):
        expected = [_play(env, [row[index] for row in actions]) for index, env in enumerate(alone)]
    with contract.during("step() of stacked members"):
        problem = _play_together(whole, actions)
    for index in range(MEMBERS):
        where = difference(expected[index], problem[index])
        contract.require(not where, f"{broken}: member {index}: {where}")


def _play(env: Recorder, actions: Sequence[Any]) -> State:
    heard = []
    for action in actions:
        obs, reward, terminated, truncated, infos = env.step(action)
        row = {"obs": obs, "reward": reward, "terminated": terminated, "truncated": truncated}
        row |= {"arrived": arrived(obs, infos), "constraints": infos.get("constraints") if env.constraints else None}
        heard.append(row)
    return _told(env, heard)


def _play_together(whole: Stack, actions: Actions) -> list[State]:
    heard: list[list[dict[str, Any]]] = [[] for _ in whole.envs]
    for row in actions:
        *parts, infos = whole.step(np.stack(row))
        named = dict(zip(("obs", "reward", "terminated", "truncated"), parts, strict=True))
        named |= {"arrived": infos["arrived"], "constraints": infos.get("constraints")}
        for index, own in enumerate(heard):
            own.append({name: None if value is None else value[index] for name, value in named.items()})
    return [_told(env, own) for env, own in zip(whole.envs, heard, strict=True) if isinstance(env, Recorder)]


def _told(env: Recorder, heard: list[dict[str, Any]]) -> State:
    """What happened, the episodes that ended, and where it all stands now."""
    episodes = [[episode.total, episode.length, episode.constraints] for episode in env.drain()]
    return copied({"step": heard, "episode": episodes, "state": env.capture()})
