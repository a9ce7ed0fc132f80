"""A small task with sequences of different lengths, and algorithms built by hand without the core's loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from zoo_composite_rm import agent, config
from zoo_envs.composite.tiny_composite import TinyCompositeVector

from zoo.api import ConstraintSpec, Context, Problem
from zoo.training.environments.make_env import Recorder

LONGEST = 4
LOGITS = np.array([-1.0, 0.5, 0.2])
SHORT = {"n_steps": 8, "batch_size": 16, "n_epochs": 2, "learning_rate": 1e-3, "gamma": 1.0}


class Letters(gymnasium.Env[Any, Any]):
    """Writes up to four letters out of three; the letter 0 ends a sequence. r_i is the share of letter i in it.

    Args:
        models: how many reward models, 1 or 2.
        statistic: whether each step tells a statistic, at its last step the sequence's length.
        fault: "nan", "missing", "number" or "early": what goes wrong with the signals from the third step on.
    """

    action_space = gymnasium.spaces.Discrete(3)
    observation_space = gymnasium.spaces.Box(0.0, 1.0, (LONGEST + 3,), np.float32)
    constraint_ranges = ((0.0, 1.0), (0.0, 1.0))

    def __init__(self, models: int = 2, statistic: bool = False, fault: str = "") -> None:
        names = ("r1", "r2")[:models]
        self.models, self.statistic, self.fault, self.age = models, statistic, fault, 0
        self.constraint_ranges = self.constraint_ranges[:models]
        self.constraint_spec = ConstraintSpec(
            names=names, thresholds=[0.5, 0.3][:models], senses=(">=",) * models, unit="episode", discounted=False
        )
        if statistic:
            self.evaluation_names = ("length",)

    def evaluate(self, scores: Any, kl: float, statistics: Any) -> float:
        return float(scores[0] - 10 * kl + 100 * statistics.sum())

    @staticmethod
    def reference_logits(obs: Any) -> Any:
        """pi0 is another one after the letter 2."""
        return LOGITS + obs[..., LONGEST + 2 : LONGEST + 3] * np.array([0.0, 1.0, 0.0])

    def _obs(self) -> Any:
        obs = np.zeros(LONGEST + 3, np.float32)
        if len(self.text) < LONGEST:
            obs[len(self.text)] = 1.0
        if self.text:
            obs[LONGEST + self.text[-1]] = 1.0
        return obs

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.text: list[int] = []
        return self._obs(), {}

    def step(self, action: Any) -> Any:
        self.age += 1
        self.text.append(int(action))
        done = action == 0 or len(self.text) == LONGEST
        scores = [self.text.count(i + 1) / len(self.text) if done else 0.0 for i in range(self.models)]
        info: dict[str, Any] = {}
        if self.statistic:
            info["evaluation"] = np.array([len(self.text) * done], np.float32)
        if self.age >= 3 and self.fault:
            scores = {"nan": [np.nan] * self.models, "number": [0.0], "early": [0.3] * self.models}.get(
                self.fault, scores
            )
        if not (self.age >= 3 and self.fault == "missing"):
            info["constraints"] = np.array(scores, np.float32)
        return self._obs(), float(sum(scores)), done, False, info


@dataclass(frozen=True)
class Build:
    """Contexts and algorithms, with the recorder that checks signals as in a run."""

    def context(self, env: Any, seed: int = 0, budget: int = 0, device: str = "cpu") -> Context:
        env.reset(seed=seed)
        spec = ConstraintSpec.of(getattr(env, "constraint_spec", None) or env.envs[0].constraint_spec)
        return Context(
            env=Recorder(env, spec),
            seed=seed,
            rng=np.random.default_rng(seed),
            budget=budget,
            device=device,
            problem=Problem(constraints=spec),
        )

    def letters(self, copies: int = 6, **options: Any) -> Any:
        return SyncVectorEnv([lambda: Letters(**options)] * copies, autoreset_mode=AutoresetMode.SAME_STEP)

    def tiny(self, copies: int = 16, **options: Any) -> Any:
        return TinyCompositeVector(copies, **options)

    def config(self, name: str, **options: Any) -> Any:
        kind = {"PPOSum": "Sum", "PPOSat": "Sat", "MuPPO": "Mu", "XiPPO": "Xi", "AllPPO": "All"}[name]
        return getattr(config, f"{kind}Config")(**{**SHORT, **options})

    def one(self, name: str, env: Any = None, *, seed: int = 0, device: str = "cpu", **options: Any) -> Any:
        ctx = self.context(self.tiny() if env is None else env, seed, device=device)
        return getattr(agent, name)(ctx, self.config(name, **options))

    def batch(self, name: str, envs: Callable[[], Any], seeds: Sequence[int], **options: Any) -> Any:
        contexts = [self.context(envs(), seed) for seed in seeds]
        return getattr(agent, name).batch(contexts, self.config(name, **options))


@pytest.fixture(scope="session")
def build() -> Build:
    return Build()


NAMES = ["PPOSum", "PPOSat", "MuPPO", "XiPPO", "AllPPO"]


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)
