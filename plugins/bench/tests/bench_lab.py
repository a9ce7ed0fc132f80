"""A plugin for tests of sweeps: algorithms that train, fail and die, and evaluators that judge or break."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from zoo import Algorithm, Evaluator, Report, hookimpl


@hookimpl
def zoo_register(zoo):
    for name, target in (("walker", "Walker"), ("raiser", "Raiser"), ("mortal", "Mortal")):
        zoo.algorithm(name, f"bench_lab:{target}", config="bench_lab:Config", summary="for tests", steps=100)
    for name in ("final", "breaking"):
        zoo.evaluator(
            name, f"bench_lab:{name.title()}", config="bench_lab:Judging", summary="for tests", subject="algorithm"
        )
    zoo.evaluator("drawn", "bench_lab:Drawn", config="bench_lab:Drawing", summary="for tests", subject="algorithm")
    zoo.evaluator("lines", "bench_lab:Lines", config="bench_lab:Counting", summary="for tests", subject="file")


@hookimpl
def zoo_derived():
    return {"doubled": "bench_lab:doubled", "crooked": "bench_lab:crooked"}


@dataclass(frozen=True, kw_only=True)
class Inner:
    width: int = 3
    """columns"""
    depth: tuple[int, ...] = (1, 2)
    """rows"""


@dataclass(frozen=True, kw_only=True)
class Config:
    height: float = 1.0
    """what it logs"""
    sleep: float = 0.0
    """seconds of each update"""
    bold: bool = True
    """a flag"""
    maybe: bool | None = None
    """a flag that may be unset"""
    note: str = ""
    """where it leaves marks: a directory"""
    lives: int = 0
    """how many processes may die of it"""
    inner: Inner = field(default_factory=Inner)


@dataclass(frozen=True, kw_only=True)
class Judging:
    bonus: float = 0.0
    """added to the score"""


@dataclass(frozen=True, kw_only=True)
class Counting:
    key: str = ""
    """a second file"""
    weight: float = 1.0
    """of each line"""
    note: str = ""
    """where it leaves marks: a directory"""


class Walker(Algorithm):
    """Logs height + seed / 10 every 10 steps, and counts its updates in a file for each seed."""

    def update(self):
        self.env_steps += 10
        time.sleep(self.config.sleep)
        if self.config.note:
            with (Path(self.config.note) / f"updates-{self.ctx.seed}").open("a") as file:
                file.write(f"{os.getpid()} {self.env_steps}\n")
        return {"err": self.config.height / self.env_steps}

    def act(self, obs, *, greedy=True):
        return np.zeros(len(obs), dtype=np.int64)

    def state(self):
        return {}

    def load_state(self, state):
        """Nothing is learned."""


class Raiser(Walker):
    def update(self):
        if self.env_steps >= 50:
            raise ValueError("the ground gave way")
        return super().update()


class Mortal(Walker):
    """Kills its own process at step 50, as often as it has lives; the marks it leaves are its memory."""

    def update(self):
        if self.env_steps >= 50:
            marks = list(Path(self.config.note).glob("death-*"))
            if len(marks) < self.config.lives:
                (Path(self.config.note) / f"death-{len(marks)}").write_text(str(os.getpid()))
                os.kill(os.getpid(), signal.SIGKILL)
        return super().update()


class Final(Evaluator):
    def evaluate(self, subject, ctx):
        return Report(scores={"steps": subject.env_steps + self.config.bonus})


class Lines(Evaluator):
    """Counts the lines of a file and of its key; leaves a mark for each time, and dies of a file that says "bad"."""

    def evaluate(self, subject, ctx):
        lines = subject.read_text().splitlines()
        with (Path(self.config.note) / f"judged-{subject.stem}").open("a") as file:
            file.write("once\n")
        if "bad" in lines:
            raise ValueError("a bad line")
        known = Path(self.config.key).read_text().splitlines() if self.config.key else []
        return Report(scores={"lines": self.config.weight * len(lines), "known": len(known)})


class Breaking(Evaluator):
    def evaluate(self, subject, ctx):
        return 1 / 0


def doubled(run, of, *, times=2.0):
    return run.last[of] * times


def crooked(run, of):
    return 1 / 0


@dataclass(frozen=True, kw_only=True)
class Drawing:
    value: float = 1.0
    """what every draw gives"""
    width: float | None = None
    """of the interval that it tells, to each side"""


class Drawn(Evaluator):
    """Says that it sampled what is always the same number."""

    def evaluate(self, subject, ctx):
        value, width = self.config.value, self.config.width
        ends = None if width is None else (value - width, value + width)
        return Report(scores={"value": value, "seed": ctx.seed}, sampled={"value": ends, "seed": None})
