"""Whether an environment can be restored exactly: tried out on two copies before a run relies on it.

Nobody can prove from outside that plain attributes are all of an environment's state. So one copy is stepped and
captured, its state is put into another, and both are stepped with the same actions: two names for one generator, state
of the class or the module, and generators of the process make them differ.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.seeding import capture_torch, restore_torch
from zoo.training.environments.env_state import capture_env, restore_env
from zoo.training.environments.make_env import Recorder
from zoo.training.storage import checkpoint

STEPS = 24
"""steps before the capture, and again after it; with both, a fresh episode begins"""
_SECONDS = 1.0
"""time limit after which a slow environment is judged by fewer steps"""
_FEWEST = 3


@dataclass(frozen=True)
class Grade:
    """How a run on an environment resumes.

    Attributes:
        exact: bit for bit; else with fresh episodes.
        notice: a sentence for people; empty if there is nothing to say.
    """

    exact: bool
    notice: str = ""


def grade(make: Callable[[int], Recorder], name: str) -> Grade:
    """Test whether a copy can be restored exactly.

    Args:
        make: builds a copy of the environment from a seed.
        name: what messages call the environment.
    """
    envs: list[Recorder] = []

    def build(seed: int) -> Recorder:
        envs.append(make(seed))
        return envs[-1]

    with _global_generators() as drawn:
        try:
            exact = _same(build)
        except KeyboardInterrupt:
            raise
        except BaseException:  # training will show what is wrong with it, where it is wrong
            exact = False
        finally:
            for env in envs:
                env.close()
    if not drawn:
        return Grade(exact)
    which = f"{name} draws from {' and '.join(drawn)}, which is of the whole process: no seed of zoo decides it"
    resumed = "" if exact else ", and a resumed run begins fresh episodes"
    return Grade(exact, f"{which}{resumed}; self.np_random would be the environment's own.")


def _same(build: Callable[[int], Recorder]) -> bool:
    """Whether a copy goes on as the one whose state was put into it."""
    began = time.monotonic()
    source = build(1)
    space = source.action_space
    space.seed(0)
    for number in range(STEPS):
        source.step(space.sample())
        if number >= _FEWEST and time.monotonic() - began > _SECONDS:
            break
    captured = capture_env(source.env)
    if captured is None:
        return False
    target = build(2)
    for _ in range(_FEWEST):
        target.step(space.sample())
    restore_env(target.env, checkpoint.unpack(*checkpoint.pack(captured)))
    for number in range(2 * STEPS):
        if number == STEPS and not _equal(source.reset()[0], target.reset()[0]):
            return False
        action = space.sample()
        if not _equal(source.step(action)[:4], target.step(action)[:4]):
            return False
        if number >= _FEWEST and time.monotonic() - began > 2 * _SECONDS:
            break
    return True


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, Mapping):
        return a.keys() == b.keys() and all(_equal(a[key], b[key]) for key in a)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(_equal(source, target) for source, target in zip(a, b, strict=True))
    return bool(np.array_equal(a, b))


@contextmanager
def _global_generators() -> Iterator[list[str]]:
    """Names of the generators of the process that were drawn from in the block; they are restored after it."""
    drawn: list[str] = []
    before: Any = random.getstate(), np.random.get_state(legacy=False), capture_torch()  # noqa: NPY002
    try:
        yield drawn
    finally:
        after: Any = random.getstate(), np.random.get_state(legacy=False), capture_torch()  # noqa: NPY002
        if before[0] != after[0]:
            drawn.append("random")
        if not _equal(before[1], after[1]):
            drawn.append("np.random")
        if before[2] is not None and not bool((before[2]["cpu"] == after[2]["cpu"]).all()):
            drawn.append("torch")
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
        if before[2] is not None or "torch" not in sys.modules:
            restore_torch(before[2])
