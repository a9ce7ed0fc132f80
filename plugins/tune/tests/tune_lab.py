"""An algorithm whose return is known: highest where x = 0.3 and n = 12; it may be slow, and may fail."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from zoo import Algorithm, hookimpl


@hookimpl
def zoo_register(zoo):
    zoo.algorithm("hill", "tune_lab:Hill", config="tune_lab:Config", summary="for tests", steps=100)


@dataclass(frozen=True, kw_only=True)
class Config:
    x: float = 0.05
    """where it stands"""
    n: int = 4
    """how often"""
    kind: str = "plain"
    """what it is called"""
    sleep: float = 0.0
    """seconds of each update"""


class Hill(Algorithm):
    def update(self):
        self.env_steps += 10
        time.sleep(self.config.sleep)
        if self.config.x > 0.45:
            raise ValueError("too far out")
        height = -abs(np.log(self.config.x / 0.3)) - abs(np.log(self.config.n / 12)) - 0.001 * (self.ctx.seed % 7)
        return {"height": height * 100 / self.env_steps}

    def act(self, obs, *, greedy=True):
        return np.zeros(len(obs), dtype=np.int64)

    def state(self):
        return {}

    def load_state(self, state):
        """Nothing is learned."""
