"""stacked: N seeds, each a row of one array; a solo run is a stack of one."""

import os
from pathlib import Path

import numpy as np

from zoo import Algorithm, Batch


def advance(members, value):
    """64 random steps of every member; their averages ``value`` [N, A] move together."""
    counts, sums = np.zeros_like(value), np.zeros_like(value)
    for row, member in enumerate(members):
        env = member.ctx.env
        for _ in range(64 // env.num_envs):
            actions = member.ctx.rng.integers(value.shape[1], size=env.num_envs)
            _, reward, *_ = env.step(actions)
            np.add.at(sums[row], actions, reward)
            np.add.at(counts[row], actions, 1)
        member.env_steps += 64
    value += members[0].config.rate * (sums / np.maximum(counts, 1) - value) * (counts > 0)
    return [{f"value/{a}": v for a, v in enumerate(row)} for row in value]


class Stacked(Algorithm):
    """A bandit that ignores what it sees."""

    def __init__(self, ctx, config, value=None):
        super().__init__(ctx, config)
        self.value = np.zeros((1, ctx.num_actions)) if value is None else value
        ctx.env.reset()

    def update(self):
        """Alone."""
        return advance([self], self.value)[0]

    def act(self, obs, *, greedy=True):
        """The best action so far."""
        return np.full(len(obs), self.value[0].argmax())

    def state(self):
        """The averages."""
        return {"value": self.value}

    def load_state(self, state):
        """In place: the array may be a row of a batch."""
        self.value[:] = state["value"]

    @classmethod
    def batch(cls, contexts, config):
        """Together."""
        return Stack(cls, contexts, config)


class Stack(Batch):
    """Members whose averages are rows of one array."""

    def __init__(self, cls, contexts, config):
        self.value = np.zeros((len(contexts), contexts[0].num_actions))
        self.members = [cls(ctx, config, self.value[i : i + 1]) for i, ctx in enumerate(contexts)]

    def __len__(self):
        return len(self.members)

    def update(self):
        """Together; leaves a trace for a test that asks for one."""
        if "STACKED_TRACE" in os.environ:
            with Path(os.environ["STACKED_TRACE"]).open("a", encoding="utf-8") as file:
                file.write(f"{len(self)}\n")
        return advance(self.members, self.value)

    def member(self, index):
        """One of them."""
        return self.members[index]
