"""deep-lambda: it finds the exact lambda features of a chain, resumes, and refuses what it cannot do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from zoo_successor.deep.config import DeepLambdaConfig
from zoo_successor.deep.representation import DeepLambda

from zoo import Context, Transitions
from zoo.errors import InterfaceError
from zoo.testing import check_representation

N, GAMMA, LAM = 5, 0.8, 0.4
OBS = np.random.default_rng(3).random((N, 3)).astype(np.float32)
P = np.random.default_rng(4).dirichlet(np.ones(N), size=N)
END = N - 1
"""arriving here ends the episode; the visit counts"""


class Points(gymnasium.vector.VectorEnv[Any, Any, Any]):
    """The spaces of a chain seen through points in the unit cube."""

    num_envs = 1
    single_observation_space = gymnasium.spaces.Box(0, 1, (3,), np.float32)
    single_action_space = gymnasium.spaces.Discrete(1)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def build(**options: Any) -> DeepLambda:
    config = DeepLambdaConfig(**{"lam": LAM, "gamma": GAMMA, "hidden": (64, 64)} | options)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return DeepLambda(Context(env=Points(), seed=0, rng=np.random.default_rng(0)), config)


def transitions(rng: np.random.Generator, rows: int = 256) -> Transitions:
    s = rng.integers(END, size=rows)
    following = (rng.random((rows, 1)) > P[s].cumsum(-1)[:, :-1]).sum(-1)
    return Transitions(
        obs=OBS[s], action=np.zeros(rows), reward=np.zeros(rows), next_obs=OBS[following],
        terminated=following == END, truncated=np.zeros(rows, dtype=bool),
    )  # fmt: skip


def test_features_are_the_exact_ones() -> None:
    representation, rng = build(tau=0.05, batch_size=128), np.random.default_rng(0)
    for _ in range(400):
        metrics = representation.update(transitions(rng))
    inner = P.copy()
    inner[END] = 0.0
    exact = np.stack(
        [np.linalg.solve(np.eye(N) - GAMMA * np.diag(1 - (1 - LAM) * x) @ inner, x) for x in OBS.T.astype(float)], 1
    )
    found = representation.features(OBS)
    assert found.shape == (N, representation.dim)
    assert found[:END] == pytest.approx(exact[:END], abs=0.08)
    assert np.abs(exact[:END] - OBS[:END]).max() > 0.5  # so that the test can fail
    assert metrics["feature/largest"] == pytest.approx(found[:END].max(), abs=0.08)


def test_resume_is_exact() -> None:
    one, rng = build(), np.random.default_rng(1)
    batches = [transitions(rng, 100) for _ in range(4)]
    for batch in batches[:2]:
        one.update(batch)
    other = build()
    other.load_state(one.state())
    other.ctx.rng.bit_generator.state = one.ctx.rng.bit_generator.state
    assert [one.update(batch) for batch in batches[2:]] == [other.update(batch) for batch in batches[2:]]
    assert np.array_equal(one.features(OBS), other.features(OBS))


def test_actions_are_refused() -> None:
    with pytest.raises(InterfaceError, match="expected no action"):
        build().features(OBS, np.zeros(N))


def test_discrete_observations_are_refused() -> None:
    env = gymnasium.make_vec("FrozenLake-v1", num_envs=1, vectorization_mode="sync")
    with pytest.raises(InterfaceError, match="deep-lambda expected a Box space"):
        DeepLambda(Context(env=env, seed=0, rng=np.random.default_rng(0)), DeepLambdaConfig())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lam": 2.0}, "lambda is 2.0: expected a number between 0 and 1"),
        ({"hidden": (0,)}, r"hidden is \(0,\): expected layers of 1 unit or more"),
        ({"tau": 0.0}, "tau is 0.0: expected a number above 0, at most 1"),
        ({"batch_size": 0}, "batch_size is 0: expected 1 or more"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DeepLambdaConfig(**options)


def test_conforms() -> None:
    check_representation("deep-lambda", "Pendulum-v1", config={"hidden": [8]})
