"""The kit on real environments, what is imported, presets, and whether anything is learned."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from zoo_envs.control.cart_pole import CartPoleVector
from zoo_onpolicy.backend import on_device

from zoo.errors import UsageError
from zoo.testing import check_algorithm

SHORT = {"n_steps": 16, "batch_size": 24, "n_epochs": 2}


@pytest.mark.parametrize(
    ("env", "copies", "options"),
    [
        ("cart-pole", 4, {"target_kl": 1e-3, "learning_rate": (0.003, 0.0)}),
        ("Pendulum-v1", 2, {"clip_range_vf": 0.2}),
        ("hazard-grid", 4, {"reference_kl": 0.1, "learning_rate": 0.05}),
        ("hazard-grid", 2, {"network": {"kind": "mlp"}, "adv_norm": "each"}),
    ],
)
def test_conformance(env, copies, options):
    check_algorithm("ppo-native", env, steps=16 * copies * 4, config={**SHORT, **options}, num_envs=copies)


def test_on_the_processor_torch_is_never_imported_and_elsewhere_its_absence_is_told():
    code = (
        "import sys, numpy\n"
        "sys.modules['torch'] = None\n"
        "import zoo_onpolicy.agent\n"
        "from zoo_onpolicy.backend import on_device\n"
        "on_device(numpy.zeros(2), 'cpu')\n"
        "try:\n"
        "    on_device(numpy.zeros(2), 'cuda')\n"
        "except Exception as error:\n"
        "    assert type(error).__name__ == 'UsageError' and 'needs torch' in str(error), error\n"
        "else:\n"
        "    raise SystemExit('no error')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_device_that_is_not_there_is_one_sentence():
    with pytest.raises(UsageError, match=r"device 'quantum' cannot be used: [^\n]*\.$"):
        on_device(np.zeros(2), "quantum")


def test_cart_pole_is_solved(build):
    run = build.solo(
        CartPoleVector, copies=8, budget=30_000, n_steps=32, batch_size=256, n_epochs=20, gamma=0.98, gae_lambda=0.8,
        learning_rate=(1e-3, 0.0), clip_range=(0.2, 0.0),
    )  # fmt: skip
    while run.env_steps < 30_000:
        run.update()
    total, _ = run.ctx.episode_return(run.act)
    assert total > 450


def test_a_table_learns_the_way_to_the_reward(build, chain):
    run = build.solo(chain, copies=8, learning_rate=0.1, n_steps=32, batch_size=64, n_epochs=4)
    for _ in range(15):
        run.update()
    np.testing.assert_array_equal(run.act(np.arange(3)), [1, 1, 1])
    assert run.learner.network.parameters.views["table"][0, 2, 2] > 0.7
