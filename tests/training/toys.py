"""A plugin of small algorithms that misbehave on request; loaded with --plugin by the tests."""

from __future__ import annotations

from dataclasses import dataclass

from zoo import Algorithm, Batch, Outcome, hookimpl

STARTED = []


@hookimpl
def zoo_register(zoo):
    for name, target in {"walk": "Walk", "together": "Together"}.items():
        zoo.algorithm(name, f"toys:{target}", config="toys:Config", summary="a random walk", steps=40)
    zoo.algorithm("final", "toys:Final", config="toys:Config", summary="says when it is done", steps=40)


@dataclass(frozen=True, kw_only=True)
class Config:
    scale: float = 1.0
    """size of a step"""
    nan_at: int = -1
    """update whose metric is a NaN"""
    raise_at: int = -1
    """update that raises"""
    poison_at: int = -1
    """update that puts a NaN into the state"""


class Walk(Algorithm):
    def __init__(self, ctx, config):
        super().__init__(ctx, config)
        self.x = ctx.rng.normal(size=3)
        self.updates = 0
        self.obs, _ = ctx.env.reset()

    def update(self):
        if self.updates == self.config.raise_at:
            raise RuntimeError("the walk\nhas ended")
        self.updates += 1
        self.x = self.x + self.config.scale * self.ctx.rng.normal(size=3)
        noise = self.ctx.stream("noise").normal()
        action = self.ctx.stream("action").integers(self.ctx.num_actions, size=self.ctx.env.num_envs)
        self.obs, reward, *_ = self.ctx.env.step(action)
        self.env_steps += self.ctx.env.num_envs
        if self.updates == self.config.poison_at:
            self.x[1] = float("nan")
        bad = self.updates == self.config.nan_at
        return {"x": float("nan") if bad else float(self.x[0]), "noise": float(noise), "reward": float(reward.mean())}

    def act(self, obs, *, greedy=True):
        return (obs.reshape(len(obs), -1).sum(-1) > 0).astype("int64")

    def state(self):
        return {"x": self.x, "updates": self.updates, "obs": self.obs}

    def load_state(self, state):
        self.x, self.updates, self.obs = state["x"], state["updates"], state["obs"]


class Final(Walk):
    def update(self):
        metrics = super().update()
        done = self.updates >= 7
        self.outcome = Outcome("converged" if self.config.scale == 1.0 else "not_converged", "seven is enough", done)
        return metrics


class Together(Walk):
    @classmethod
    def batch(cls, contexts, config):
        return Pair([cls(ctx, config) for ctx in contexts])


class Pair(Batch):
    def __init__(self, members):
        self.members = members

    def __len__(self):
        return len(self.members)

    def update(self):
        STARTED.append(len(self.members))
        return [member.update() for member in self.members]

    def member(self, index):
        return self.members[index]
