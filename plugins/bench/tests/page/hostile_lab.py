"""A plugin for tests of pages: what it logs, is called with and raises is full of markup, quotes and control codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo import Algorithm, hookimpl

EVIL = (
    "</script><script>window.evil=1</script><img src=x onerror=window.evil=1>"
    "\"'`{{7*7}}${1}\x1b[31mred\u202egnp.exe &amp;"
)
LONG = "long " * 20_000
PRINTABLE = "".join(filter(str.isprintable, EVIL))
METRICS = (PRINTABLE, "__proto__", "constructor", "a/b/err", "eval/return", "toString")
"""Names that a log may have; others fail their run."""


@hookimpl
def zoo_register(zoo):
    zoo.algorithm("evil", "hostile_lab:Evil", config="hostile_lab:Config", summary="for tests", steps=300)


@dataclass(frozen=True, kw_only=True)
class Config:
    words: str = EVIL
    """anything"""
    raises: bool = False
    """whether it ends with an error"""


class Evil(Algorithm):
    def update(self):
        self.env_steps += 1
        if self.config.raises and self.env_steps > 20:
            raise ValueError(EVIL + LONG)
        size = 1e308 if self.env_steps % 2 else -1e-308
        return {name: size if place == 3 else float(self.env_steps % 17) for place, name in enumerate(METRICS)}

    def act(self, obs, *, greedy=True):
        return np.zeros(len(obs), dtype=np.int64)

    def state(self):
        return {}

    def load_state(self, state):
        """Nothing is learned."""
