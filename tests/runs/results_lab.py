"""A plugin for tests: the two-state problem with policies that never change, and evaluators of every temper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zoo import Algorithm, Evaluator, Report, Representation, hookimpl

GAMMA = 0.9


@hookimpl
def zoo_register(zoo):
    for name, target in (("fixed", "Fixed"), ("sampled", "Sampled")):
        zoo.algorithm(
            name, f"results_lab:{target}", config="results_lab:Config", summary="a policy that stays as it is"
        )
    zoo.representation("ones", "results_lab:Ones", config="results_lab:NoConfig", summary="one feature, always 1")
    offers = {"action": "discrete", "observation": "discrete", "constraints": True, "tabular": True}
    zoo.environment("lab", "results_lab:make_lab", config="results_lab:LabConfig", summary="two states", offers=offers)
    zoo.environment("plain", "results_lab:make_plain", summary="two states without constraints")
    for name, subject in (
        ("size", "file"),
        ("features", "representation"),
        ("broken", "algorithm"),
        ("endless", "algorithm"),
    ):
        zoo.evaluator(
            name, f"results_lab:{name.title()}", config="results_lab:NoConfig", summary="for tests", subject=subject
        )


@dataclass(frozen=True, kw_only=True)
class Config:
    stay: float = 0.5
    """probability of staying in state 0"""
    mu: float = 1.0
    """the multiplier it claims"""


@dataclass(frozen=True, kw_only=True)
class LabConfig:
    theta: float = 0.5
    """threshold"""


@dataclass(frozen=True, kw_only=True)
class NoConfig:
    """No options."""


class Sampled(Algorithm):
    """Logs a residual that falls tenfold every 100 steps, from a start that depends on the seed."""

    def __init__(self, ctx, config):
        super().__init__(ctx, config)
        self.start = 1.0 + ctx.rng.random()

    def update(self):
        self.env_steps += 10
        err = self.start * 10 ** (-self.env_steps / 100)
        return {
            "err": err,
            "kkt": err,
            "value/reward": 0.5 - err,
            "optimum/reward": 0.5,
            "multiplier/utility": 1.0 + err,
        }

    def act(self, obs, *, greedy=True):
        import numpy as np

        switch = self.ctx.rng.random(len(obs)) >= self.config.stay
        return np.where((np.asarray(obs) == 0) & switch, 1, 0)

    def multipliers(self):
        return {"utility": self.config.mu}

    def state(self):
        return {"start": self.start, "rng": self.ctx.rng.bit_generator.state}

    def load_state(self, state):
        self.start = state["start"]
        self.ctx.rng.bit_generator.state = state["rng"]


class Fixed(Sampled):
    def policy(self):
        import numpy as np

        return np.array([[self.config.stay, 1 - self.config.stay], [1.0, 0.0]])


def make_lab(theta=0.5):
    return _two_states(theta)


def make_plain():
    return _two_states(None)


def _two_states(theta: float | None) -> Any:
    """State 0 pays for staying; the utility counts every other step. 50 steps, start in state 0."""
    import gymnasium
    import numpy as np

    from zoo.api import ConstraintSpec
    from zoo.tabular import TabularCMDP

    class TwoStates(gymnasium.Env):
        observation_space = gymnasium.spaces.Discrete(2)
        action_space = gymnasium.spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.at, self.clock = 0, 0
            return 0, {}

        def step(self, action):
            reward = float(self.at == 0 and action == 0)
            utility = float((self.at == 0) == (action == 1))
            self.at, self.clock = self.at ^ int(action), self.clock + 1
            info = {} if theta is None else {"constraints": np.array([utility], dtype=np.float32)}
            return self.at, reward, False, self.clock == 50, info

    if theta is None:
        return TwoStates()

    class Lab(TwoStates):
        constraint_spec = ConstraintSpec(("utility",), np.array([theta]), (">=",))

        def model(self):
            P = np.stack([np.eye(2), np.eye(2)[::-1]], axis=1)
            r = np.array([[1.0, 0.0], [0.0, 0.0]])
            c = np.array([[[0.0, 1.0], [1.0, 0.0]]])
            return TabularCMDP(
                P=P,
                r=r,
                gamma=GAMMA,
                rho=np.array([1.0, 0.0]),
                c=c,
                b=np.array([theta]),
                senses=(">=",),
                names=("utility",),
            )

    return Lab()


class Size(Evaluator):
    def evaluate(self, subject, ctx):
        return Report(scores={"bytes": subject.stat().st_size}, rows=[{"name": subject.name}])


class Ones(Representation):
    dim = 1

    def update(self, batch):
        return {"loss": 1.0}

    def features(self, obs, action=None):
        import numpy as np

        return np.ones((len(obs), 1))

    def state(self):
        return {}

    def load_state(self, state):
        """Nothing is learned."""


class Features(Evaluator):
    def evaluate(self, subject, ctx):
        env = ctx.make_env(3)
        obs, _ = env.reset()
        return Report(scores={"sum": subject.features(obs).sum(), "dim": subject.dim})


class Broken(Evaluator):
    def evaluate(self, subject, ctx):
        return 1 / 0


class Endless(Evaluator):
    def evaluate(self, subject, ctx):
        return Report(scores={"far": float("inf")})
