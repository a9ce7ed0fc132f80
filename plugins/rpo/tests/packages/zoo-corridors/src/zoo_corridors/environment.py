"""A corridor of five cells with a prize at one end; tasks differ in which. Plain gymnasium, by structure alone."""

from dataclasses import dataclass
from types import SimpleNamespace

import gymnasium
import numpy as np

CELLS = 5


@dataclass(frozen=True)
class Prize:
    """Where the prize is."""

    end: str

    @property
    def id(self):
        return f"prize-{self.end}"

    def to_dict(self):
        return {"end": self.end}

    def make(self):
        return Corridor(self)


class Prizes:
    """Left or right, as likely."""

    every = (Prize("left"), Prize("right"))

    def sample(self, rng):
        return self.every[int(rng.integers(2))]

    def sample_many(self, rng, n):
        return [self.sample(rng) for _ in range(n)]

    def tasks(self):
        return iter(self.every)

    def from_dict(self, data):
        return Prize(**data)


class Corridor(gymnasium.Env):
    """One task: cells 0 and 4 end the episode."""

    observation_space = gymnasium.spaces.Discrete(CELLS)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, task):
        self.task = task

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.cell = 1 + int(self.np_random.integers(3))
        return self.cell, {}

    def step(self, action):
        self.cell += 1 if action else -1
        ended = self.cell in (0, CELLS - 1)
        won = self.cell == (0 if self.task.end == "left" else CELLS - 1)
        return self.cell, float(won), ended, False, {}

    def model(self):
        P, r = np.zeros((CELLS, 2, CELLS)), np.zeros((CELLS, 2))
        for cell in range(CELLS):
            for action in (0, 1):
                inner = cell not in (0, CELLS - 1)
                following = cell + (1 if action else -1) if inner else cell
                P[cell, action, following] = 1.0
                r[cell, action] = float(inner and following == (0 if self.task.end == "left" else CELLS - 1))
        terminal = np.array([True, False, False, False, True])
        return SimpleNamespace(
            P=P,
            r=r,
            gamma=0.9,
            rho=np.array([0, 1, 1, 1, 0]) / 3,
            c=np.zeros((0, CELLS, 2)),
            b=np.zeros(0),
            senses=(),
            names=(),
            terminal=terminal,
        )


class Corridors(Corridor):
    """Poses either task."""

    def __init__(self):
        super().__init__(None)
        self.tasks = Prizes()
        self.posed = False

    def reset(self, *, seed=None, options=None):
        obs, _ = super().reset(seed=seed)
        if options is not None and "task" in options:
            self.task, self.posed = options["task"], options["task"] is not None
        if not self.posed:
            self.task = self.tasks.sample(self.np_random)
        return obs, {"task": self.task.id, "task_index": self.tasks.every.index(self.task)}

    model = None

    def get_state(self):
        bits = self.np_random.bit_generator.state
        return {"cell": self.cell, "end": self.task.end, "posed": self.posed, "rng": bits}

    def set_state(self, state):
        self.cell, self.task, self.posed = state["cell"], Prize(state["end"]), state["posed"]
        self.np_random = np.random.Generator(np.random.PCG64())
        self.np_random.bit_generator.state = state["rng"]
