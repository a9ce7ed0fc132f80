"""Runs that were stored by earlier versions of reload-ppo are read, and go on."""

from __future__ import annotations

import numpy as np
import pytest
from zoo_reload.ppo.agent import ReloadPPO


def as_stored_before(run):
    """The state as it was stored before signals had units and policies action values."""
    state = {name: value for name, value in run.state().items() if name != "mixer"}
    mixer = {name: v for name, v in run.state()["mixer"].items() if name not in ("scale", "action_values")}
    return {**state, "mixer": {**mixer, "critic": run.state()["weights"]}}


@pytest.mark.parametrize("optimism", ["none", "both"])
def test_runs_that_were_stored_before_go_on(costly, optimism):
    """Bit for bit without optimism, which was labelled ppo-lagrangian; else after one plain step of the policy."""
    run = costly(ReloadPPO, optimism=optimism, lr_mu=0.5)
    for _ in range(3):
        run.update()
    resumed = costly(ReloadPPO, optimism=optimism, lr_mu=0.5)
    resumed.load_state(as_stored_before(run))
    assert resumed.multipliers() == run.multipliers() != {"cost": 0.0}
    resumed.ctx.env.reset(seed=5)
    run.ctx.env.reset(seed=5)
    resumed.ctx.rng.bit_generator.state = run.ctx.rng.bit_generator.state
    for algorithm in (run, resumed):
        algorithm.restart()
    rows = [[algorithm.update() for _ in range(2)] for algorithm in (run, resumed)]
    assert rows[0][0]["value/reward"] == rows[1][0]["value/reward"]
    if optimism == "none":
        assert rows[0] == rows[1]
    assert all(np.isfinite(value) for value in rows[1][1].values())
