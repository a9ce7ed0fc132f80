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

    That holds from the start, after a member has stepped and been reset alone, and after all of them were restored.
    """
    with ExitStack() as opened:
        made = [opened.enter_context(closing(vector(COPIES))) for _ in range(2 * MEMBERS)]
        solo, members = made[:MEMBERS], made[MEMBERS:]
        if not callable(getattr(type(members[0].env), "stacked", None)):
            return
        for group in (solo, members):
            for seed, env in enumerate(group):
                env.reset(seed=seed)
        with contract.during("stacked()"):
            stacked_envs = stack(members)
        contract.require(stacked_envs.together, "stacked() declines members that differ only in their seeds")
        actions = _actions(solo[0])
        _compare(contract, "stacked, it differs", solo, stacked_envs, actions)
        saved = [copied(env.capture()) for env in solo]
        for group in (solo, members):
            with contract.during("stepping a stacked member alone"):
                for row in actions[:5]:
                    group[1].step(row[1])
                group[0].reset(seed=77)
        _compare(
            contract,
            "stacked, it differs after a member was stepped and another reset alone",
            solo,
            stacked_envs,
            actions,
        )
        with contract.during("set_state() of a stacked member"):
            exact = [env.restore(copied(state)) for env, state in zip(members, saved, strict=True)]
        if all(exact):
            for env, state in zip(solo, saved, strict=True):
                env.restore(copied(state))
            _compare(contract, "stacked, it differs after it was restored", solo, stacked_envs, actions)


def _actions(env: Recorder) -> Actions:
    env.action_space.seed(11)
    return [[env.action_space.sample() for _ in range(MEMBERS)] for _ in range(STEPS)]


def _compare(contract: Contract, broken: str, solo: Sequence[Recorder], stacked_envs: Stack, actions: Actions) -> None:
    with contract.during("playing it alone"):
        expected = [_play(env, [row[index] for row in actions]) for index, env in enumerate(solo)]
    with contract.during("step() of stacked members"):
        problem = _play_together(stacked_envs, actions)
    for index in range(MEMBERS):
        where = difference(expected[index], problem[index])
        contract.require(not where, f"{broken}: member {index}: {where}")


def _play(env: Recorder, actions: Sequence[Any]) -> State:
    trace = []
    for action in actions:
        obs, reward, terminated, truncated, infos = env.step(action)
        row = {"obs": obs, "reward": reward, "terminated": terminated, "truncated": truncated}
        row |= {"arrived": arrived(obs, infos), "constraints": infos.get("constraints") if env.constraints else None}
        trace.append(row)
    return _trace(env, trace)


def _play_together(stacked_envs: Stack, actions: Actions) -> list[State]:
    trace: list[list[dict[str, Any]]] = [[] for _ in stacked_envs.envs]
    for row in actions:
        *parts, infos = stacked_envs.step(np.stack(row))
        named = dict(zip(("obs", "reward", "terminated", "truncated"), parts, strict=True))
        named |= {"arrived": infos["arrived"], "constraints": infos.get("constraints")}
        for index, own in enumerate(trace):
            own.append({name: None if value is None else value[index] for name, value in named.items()})
    return [_trace(env, own) for env, own in zip(stacked_envs.envs, trace, strict=True) if isinstance(env, Recorder)]


def _trace(env: Recorder, trace: list[dict[str, Any]]) -> State:
    """What happened, the episodes that ended, and where it all stands now."""
    episodes = [[episode.total, episode.length, episode.constraints] for episode in env.drain()]
    return copied({"step": trace, "episode": episodes, "state": env.capture()})
