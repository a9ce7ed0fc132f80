"""RiverSwim, SixArms and ForagingPatches against exact dynamic programming (docs/methods/successor.md)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from zoo_envs.exploration.foraging_patches import ForagingPatches
from zoo_envs.exploration.riverswim import RiverSwim, RiverSwimVector
from zoo_envs.exploration.sixarms import SixArms
from zoo_envs.tabular.model import TabularModel


def finite_horizon(model: TabularModel, steps: int, policy: NDArray[np.float64] | None = None) -> float:
    """Expected undiscounted return of `steps` steps under `policy` [A], or the optimum."""
    V = np.zeros(model.num_states)
    for _ in range(steps):
        Q = model.r + model.P @ V
        V = Q.max(1) if policy is None else Q @ policy
    return float(model.rho @ V)


@pytest.mark.parametrize(
    ("policy", "value"),
    [(None, 3_336_493.8), ([0.0, 1.0], 3_336_493.0), ([1.0, 0.0], 24_992.5), ([0.5, 0.5], 14_435.9)],
    ids=["optimal", "right", "left", "uniform"],
)
def test_returns_of_riverswim(policy: Any, value: float) -> None:
    env = RiverSwim()
    assert env._core.limit == 5000 and env.model().gamma == 0.95
    assert finite_horizon(env.model(), 5000, policy) == pytest.approx(value, abs=0.05)


def test_best_return_of_sixarms() -> None:
    assert finite_horizon(SixArms().model(), 5000) == pytest.approx(29_400_000, rel=1e-9)
    fifth = SixArms(rewards=(50, 133, 300, 800, 1660, 6000)).model()
    assert fifth.r[5].tolist() == [0, 0, 0, 0, 1660, 0]


def test_riverswim_by_hand() -> None:
    m = RiverSwim().model()
    np.testing.assert_array_equal(m.rho, [0, 0.5, 0.5, 0, 0, 0])
    np.testing.assert_array_equal(m.P[:, 0], np.eye(6)[[0, 0, 1, 2, 3, 4]])
    right = [[0.7, 0.3, 0, 0, 0, 0], [0.1, 0.6, 0.3, 0, 0, 0], [0, 0.1, 0.6, 0.3, 0, 0]]
    right += [[0, 0, 0.1, 0.6, 0.3, 0], [0, 0, 0, 0.1, 0.6, 0.3], [0, 0, 0, 0, 0.7, 0.3]]
    np.testing.assert_array_equal(m.P[:, 1], right)
    np.testing.assert_allclose(m.r, [[5, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 3000]])
    published = RiverSwim(variant="published").model()
    np.testing.assert_array_equal(published.P[2, 1], [0, 0.1, 0.2, 0.7, 0, 0])
    np.testing.assert_array_equal(published.P[5, 1], [0, 0, 0, 0, 0.4, 0.6])
    same = np.ones((6, 2), dtype=np.bool_)
    same[[2, 5], 1] = False
    np.testing.assert_array_equal(published.P[same], m.P[same])
    assert published.r[5, 1] == pytest.approx(6000)


def test_the_large_reward_is_for_staying_upstream() -> None:
    env = RiverSwimVector(4000)
    env.reset(seed=0)
    env.set_state(env.get_state() | {"state": np.full(4000, 5)})
    obs, rewards, *_ = env.step(np.ones(4000, dtype=np.int64))
    np.testing.assert_array_equal(rewards, np.where(obs == 5, 10_000.0, 0.0))
    assert abs((obs == 5).mean() - 0.3) < 4 * np.sqrt(0.21 / 4000)


def test_sixarms_by_hand() -> None:
    m = SixArms().model()
    for a, p in enumerate([1, 0.15, 0.1, 0.05, 0.03, 0.01]):
        assert m.P[0, a, a + 1] == p and m.P[0, a, 0] == pytest.approx(1 - p)
    assert m.r[0].tolist() == [0] * 6
    for arm, pay in zip(range(1, 7), [50, 133, 300, 800, 1666, 6000], strict=True):
        for a in range(6):
            keeps = a != 4 if arm == 1 else a == arm - 1
            assert m.P[arm, a, arm if keeps else 0] == 1
            assert m.r[arm, a] == (pay if keeps else 0)


@pytest.mark.parametrize("lam", [0.5, 0.7, 0.9])
def test_best_residence_grows_with_the_journey(lam: float) -> None:
    best = {0.5: [1, 2, 3, 3, 4], 0.7: [2, 3, 4, 5, 7], 0.9: [4, 6, 8, 11, 15]}[lam]
    for travel, harvests in zip((1, 2, 5, 10, 20), best, strict=True):
        env = ForagingPatches(lam=lam, travel=travel, max_episode_steps=None)
        rates = []
        for n in range(1, 31):
            # One patch and the journey after it, played in the environment: it must end in a fresh patch.
            state, total = env.reset(seed=0)[0], 0.0
            for action in [0] * n + [1] * travel:
                state, reward, *_ = env.step(action)
                total += reward
            assert state == 0
            rates.append(total / (n + travel))
        assert 1 + int(np.argmax(np.round(rates, 12))) == harvests


def test_a_patch_runs_empty_and_the_journey_takes_its_time() -> None:
    env = ForagingPatches(reward=8.0, lam=0.5, travel=3, max_harvests=3)
    env.reset(seed=0)
    assert env.model().num_states == 6
    steps = [env.step(action) for action in (0, 0, 0, 0, 1, 0, 1, 0)]
    assert [step[1] for step in steps] == [8, 4, 2, 0, 0, 0, 0, 8]
    assert [step[0] for step in steps] == [1, 2, 3, 3, 4, 5, 0, 1]
    at_once = ForagingPatches(travel=1, max_harvests=2)
    at_once.reset(seed=0)
    assert [at_once.step(action)[0] for action in (0, 1, 0, 0, 1)] == [1, 0, 1, 2, 0]


def test_pictures_of_chains() -> None:
    texts = []
    for env in (
        RiverSwim(render_mode="ansi"),
        SixArms(render_mode="ansi"),
        ForagingPatches(render_mode="ansi", travel=4),
    ):
        env.reset(seed=3)
        env.step(0)
        texts.append(env.render())
    assert texts[0] in ("@....G\n", ".@...G\n")
    assert texts[1] == ".@....G\n"
    assert texts[2] == "G@" + "." * 29 + "\n" + "..." + "#" * 28 + "\n"


@pytest.mark.parametrize(
    ("build", "options", "sentence"),
    [
        (RiverSwim, {"variant": "wild"}, "variant must be one of standard, published, got 'wild'"),
        (RiverSwim, {"right_reward": float("inf")}, "right_reward must be a finite number, got inf"),
        (RiverSwim, {"gamma": 1.0}, r"gamma must be a number in \[0, 1\)"),
        (SixArms, {"rewards": (1.0, 2.0)}, "rewards must have 6 entries, one for each arm, got 2"),
        (SixArms, {"probabilities": (1, 1, 1, 1, 1, 1.5)}, r"probabilities\[5\] must be a number in \[0, 1\], got 1.5"),
        (ForagingPatches, {"travel": 0}, "travel must be an integer of at least 1, got 0"),
        (ForagingPatches, {"max_harvests": 0}, "max_harvests must be an integer of at least 1, got 0"),
        (ForagingPatches, {"lam": 1.1}, r"lam must be a number in \[0, 1\], got 1.1"),
        (ForagingPatches, {"reward": float("nan")}, "reward must be a finite number, got nan"),
    ],
)
def test_refused(build: Any, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        build(**options)
