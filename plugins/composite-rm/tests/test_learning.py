"""Which algorithms overoptimise, and which stay at the proxy point (docs/methods/composite-rm.md, section 10)."""

from __future__ import annotations

import numpy as np
import pytest

PRESET = {"n_steps": 8, "batch_size": 256, "n_epochs": 5, "learning_rate": 1e-3, "gamma": 1.0}


@pytest.mark.parametrize("name", ["MuPPO", "XiPPO"])
def test_projected_multipliers_end_at_the_joint_proxy_point(build, name):
    """Three eighths of the preset's updates."""
    run = build.one(name, build.tiny(128), seed=10, **PRESET)
    rows = [run.update() for _ in range(30)][-14:]
    mean = {key: np.mean([row[key] for row in rows]) for key in rows[0]}
    assert abs(mean["value/r1"] - 0.4555) <= 0.03 and abs(mean["value/r2"] - 0.4429) <= 0.03
    assert mean["evaluation/estimate"] >= 0.87
    exact = build.tiny().oracle().project((mean["value/r1"], mean["value/r2"]))[1]
    assert mean["kl"] == pytest.approx(exact.kl, rel=0.25)
    # At the optimum mu_i / alpha is the exact multiplier: 6.3 and 6.7, of which alpha = 0.2 leaves 1.26 and 1.34.
    assert mean["multiplier/r1"] == pytest.approx(1.26, abs=0.2)
    assert mean["multiplier/r2"] == pytest.approx(1.34, abs=0.2)


def test_the_plain_sum_overoptimises(build):
    run = build.one("PPOSum", build.tiny(128), kl_coef=0.0, **PRESET)
    rows = [run.update() for _ in range(15)]
    estimates = [row["evaluation/estimate"] for row in rows]
    exact = build.tiny().oracle().evaluate(run.logits)
    assert exact.r1 > 0.95 and exact.r2 > 0.95
    assert exact.U < 0
    assert max(estimates) - exact.U >= 1.0
