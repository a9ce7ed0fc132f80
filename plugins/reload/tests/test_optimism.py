"""What the policy of reload-ppo is told to follow: never less reward, whatever the multipliers did last."""

from __future__ import annotations

import numpy as np
import pytest
from zoo_reload.ppo.agent import ReloadPPO


@pytest.mark.parametrize("lr_mu", [0.1, 20.0])
def test_after_a_large_step_of_a_multiplier_the_policy_still_follows_more_reward(costly, lr_mu):
    """One unit of advantage of the reward alone, of now and of before alike, is never turned into less."""
    run = costly(ReloadPPO, lr_mu=lr_mu)
    for _ in range(5):
        before = run.multipliers()["cost"]
        run.update()
        heads = run.objective._mixture.shape[1] // 2
        reward = np.zeros((1, 2 * heads, 1), np.float32)
        reward[:, [0, heads]] = 1.0
        followed = float(run.objective.mix(reward, np.zeros((1, 1), np.int64))[0, 0])
        assert followed == pytest.approx(1 / (1 + before), rel=1e-6)
    assert run.multipliers()["cost"] > 0
