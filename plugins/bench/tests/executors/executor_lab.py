"""A plugin for tests of executors: an algorithm that kills the process that started its own, once."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo import Algorithm, hookimpl


@hookimpl
def zoo_register(zoo):
    zoo.algorithm("orphan", "executor_lab:Orphan", config="executor_lab:Config", summary="for tests", steps=100)


@dataclass(frozen=True, kw_only=True)
class Config:
    note: str = ""
    """a directory: where it has a file "armed", the first run at step 50 kills, and renames the file"""
    sleep: float = 0.0
    """seconds of each update"""


class Orphan(Algorithm):
    """Draws a number at each update, so that runs which went on from a checkpoint show whether they went on right."""

    def update(self):
        self.env_steps += 10
        time.sleep(self.config.sleep)
        if self.env_steps == 50:
            armed = Path(self.config.note) / "armed"
            with contextlib.suppress(FileNotFoundError):
                armed.rename(armed.with_name("killed"))
                os.kill(os.getppid(), signal.SIGKILL)
        return {"drawn": float(self.ctx.rng.random())}

    def act(self, obs, *, greedy=True):
        return np.zeros(len(obs), dtype=np.int64)

    def state(self):
        return {}

    def load_state(self, state):
        """All there is, the core keeps."""
