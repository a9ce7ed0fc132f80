"""What the policy of reload-ppo is told to follow: never less reward, whatever the multipliers did last."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from zoo_reload.ppo.agent import ReloadPPO
from zoo_reload.ppo.config import ReloadPPOConfig

from zoo.api import ConstraintSpec, Context, Problem
from zoo.training.environments.make_env import Recorder

EPISODE = ConstraintSpec(names=("cost",), thresholds=np.array([25.0]), senses=("<=",), unit="episode", discounted=False)


class Costly(gymnasium.Env):
    """Action 1 costs 1, of 25 allowed in an episode of 200 steps; a first uniform policy pays 100."""

    observation_space, action_space = gymnasium.spaces.Box(-1, 1, (1,)), gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.t += 1
        info = {"constraints": np.array([action], np.float32)}
        return np.zeros(1, np.float32), float(action), False, self.t >= 200, info


def costly(**options):
    env = Recorder(gymnasium.vector.SyncVectorEnv([Costly] * 4, autoreset_mode=AutoresetMode.SAME_STEP), EPISODE)
    env.reset(seed=0)
    context = Context(
        env=env, seed=0, rng=np.random.default_rng(0), budget=80_000, problem=Problem(constraints=EPISODE)
    )
    settings = {"n_steps": 200, "batch_size": 800, "n_epochs": 1, **options}
    return ReloadPPO(context, ReloadPPOConfig(**settings))


@pytest.mark.parametrize("lr_mu", [0.1, 20.0])
def test_after_a_large_step_of_a_multiplier_the_policy_still_follows_more_reward(lr_mu):
    """One unit of advantage of the reward alone, of now and of before alike, is never turned into less."""
    run = costly(lr_mu=lr_mu)
    for _ in range(5):
        before = run.multipliers()["cost"]
        run.update()
        heads = run.objective._mixture.shape[1] // 2
        reward = np.zeros((1, 2 * heads, 1), np.float32)
        reward[:, [0, heads]] = 1.0
        followed = float(run.objective.mix(reward, np.zeros((1, 1), np.int64))[0, 0])
        assert followed == pytest.approx(1 / (1 + before), rel=1e-6)
    assert run.multipliers()["cost"] > 0
