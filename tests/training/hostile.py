"""A plugin of algorithms that break the contract, each in a way of its own; loaded with --plugin by the tests."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from zoo import Algorithm, Outcome, hookimpl


class Odd(BaseException):
    pass


@dataclass(frozen=True, kw_only=True)
class Config:
    way: str = ""
    """what is done"""
    at: int = 3
    """update, or seed, where it is done"""


WAYS = {
    "raise": lambda: 1 / 0, "exit": lambda: sys.exit(0), "odd": lambda: (_ for _ in ()).throw(Odd("odd")),
    "exit1": lambda: sys.exit("bye"), "generator": lambda: (_ for _ in ()).throw(GeneratorExit()),
}  # fmt: skip


class Hostile(Algorithm):
    def __init__(self, ctx, config):
        super().__init__(ctx, config)
        self.updates = 0
        self.do("init")
        if config.way == "init-some" and ctx.rng.random() < 0.5:
            raise RuntimeError("not this one")

    def do(self, where):
        place, _, how = self.config.way.partition("-")
        if place == where and how in WAYS:
            WAYS[how]()

    def update(self):
        self.updates += 1
        bad = self.updates >= self.config.at
        if bad:
            self.do("update")
        way = self.config.way
        if not (bad and way in ("stands", "back", "text-steps")):
            self.env_steps += 1
        if bad and way == "back":
            self.env_steps -= 2
        if bad and way == "text-steps":
            self.env_steps = "many"
        if bad and way == "outcome":
            self.outcome = "done"
        if bad and way == "final":
            self.outcome = Outcome("converged", "enough", True)
        metrics = {
            "none": None, "list": [1.0], "text": {"x": "1.0"}, "step": {"step": 1.0}, "wall": {"wall": 1.0},
            "dollar": {"$x": 1.0}, "empty": {"": 1.0}, "number-name": {3: 1.0}, "control": {"a\x1bb": 1.0},
            "array": {"x": np.ones(2)}, "one": {"x": np.ones(1)}, "complex": {"x": 1j}, "nothing": {"x": None},
            "inf": {"x": float("inf")}, "huge": {"x": 10**400}, "bytes": {"x": b"1"},
        }  # fmt: skip
        return metrics[way] if bad and way in metrics else {"x": np.float32(1.0), "n": np.int64(2), "flag": True}

    def act(self, obs, *, greedy=True):
        self.do("act")
        if self.config.way == "act-shape":
            return np.zeros((len(obs), 7))
        return np.zeros(len(obs), dtype=np.int64)

    def state(self):
        self.do("state")
        return {"updates": self.updates}

    def load_state(self, state):
        self.do("load")
        self.updates = state["updates"]


@hookimpl
def zoo_register(zoo):
    zoo.algorithm("hostile", "hostile:Hostile", config="hostile:Config", summary="breaks the contract", steps=40)
