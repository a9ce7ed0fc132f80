"""lambda-ac: it learns where rewards diminish, remembers while acting, resumes, and conforms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from zoo_successor.deep.actor_critic import LambdaActorCritic
from zoo_successor.deep.config import LambdaACConfig

from zoo import Context, DiminishingRewards, Problem
from zoo.errors import InterfaceError
from zoo.testing import check_algorithm

LIMIT, SIDE, START = 20, 3, 4


class Room(VectorEnv[Any, Any, Any]):
    """A 3 x 3 room, from its middle, 20 steps; two corners pay 1 and .5 on arrival, half as much each time."""

    def __init__(self, copies: int) -> None:
        self.metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}
        self.num_envs = copies
        self.single_observation_space, self.single_action_space = spaces.Discrete(9), spaces.Discrete(5, start=1)

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        self.cell, self.steps = np.full(self.num_envs, START), 0
        self.left = np.tile(np.array([1.0, 0, 0, 0, 0, 0, 0, 0, 0.5]), (self.num_envs, 1))
        return self.cell.copy(), {}

    def step(self, actions: Any) -> tuple[Any, ...]:
        move = np.array([[-1, 0], [0, 1], [1, 0], [0, -1], [0, 0]])[np.asarray(actions) - 1]
        place = np.clip(np.stack(np.divmod(self.cell, SIDE), -1) + move, 0, SIDE - 1)
        self.cell = place @ np.array([SIDE, 1])
        rows = np.arange(self.num_envs)
        reward = self.left[rows, self.cell]
        self.left[rows, self.cell] *= 0.5
        self.steps += 1
        obs, info = self.cell.copy(), {}
        truncated = np.full(self.num_envs, self.steps == LIMIT)
        if self.steps == LIMIT:
            info["final_obs"] = obs
            obs, _ = self.reset()
        return obs, reward, np.zeros(self.num_envs, dtype=bool), truncated, info


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def build(env: Any = None, **options: Any) -> LambdaActorCritic:
    env = env if env is not None else Room(16)
    config = LambdaACConfig(**{"lam": 0.5, "lstm": 32, "hidden": 32, "learning_rate": 3e-3} | options)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return LambdaActorCritic(Context(env=env, seed=0, rng=np.random.default_rng(0)), config)


def mean_return(algorithm: LambdaActorCritic) -> float:
    env = Room(200)
    obs, _ = env.reset()
    algorithm.forget()
    total = 0.0
    for _ in range(LIMIT):
        obs, reward, *_ = env.step(algorithm.act(obs, greedy=False))
        total += reward.mean()
    return total


def test_it_learns() -> None:
    """The most that can be had is nearly 3; the untrained policy has about 1.4."""
    algorithm = build(Room(32), sequence=10)
    before = mean_return(algorithm)
    while algorithm.env_steps < 12_000:
        metrics = algorithm.update()
        assert all(np.isfinite(value) for value in metrics.values())
    assert mean_return(algorithm) > before + 0.4


@pytest.mark.parametrize(("paid", "lam"), [("arrival", 0.5), ("departure", 0.0)])
def test_critic_converges_to_the_closed_form(paid: str, lam: float) -> None:
    """A frozen uniform policy on a ring; the rewards w stay, so that only the correction makes V = Phi w."""
    n, gamma, w = 4, 0.8, np.array([1.0, 0.0, 0.5, -0.5])

    class Ring(Room):
        def __init__(self) -> None:
            super().__init__(32)
            self.single_observation_space, self.single_action_space = spaces.Discrete(n), spaces.Discrete(2)

        def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
            self.cell = np.arange(32) % n
            return self.cell.copy(), {}

        def step(self, actions: Any) -> tuple[Any, ...]:
            before, self.cell = self.cell, (self.cell + 1 + np.asarray(actions)) % n
            never = np.zeros(32, dtype=bool)
            return self.cell.copy(), w[self.cell if paid == "arrival" else before], never, never, {}

    algorithm = build(
        Ring(), paid=paid, lam=lam, gamma=gamma, td_lambda=0.0, lf_wt=10.0, learning_rate=1e-2, max_grad_norm=100.0,
        sequence=6,
    )  # fmt: skip
    for parameter in algorithm.actor.parameters():
        parameter.data.zero_()
    algorithm.actor.requires_grad_(False)
    P = (np.roll(np.eye(n), 1, axis=1) + np.roll(np.eye(n), 2, axis=1)) / 2
    M = np.linalg.inv(np.eye(n) - gamma * P)
    exact = M / (lam + (1 - lam) * M.diagonal())
    for _ in range(150):
        algorithm.update()
    with torch.no_grad():
        value, f = algorithm.critic(torch.arange(n))
    expected = P @ exact if paid == "arrival" else exact
    assert f.numpy() == pytest.approx(expected, abs=0.12)
    assert value.numpy() == pytest.approx(expected @ w, abs=0.1)
    assert np.abs(expected @ w - (P @ M if paid == "arrival" else M) @ w).max() > 0.3  # without it, V would be this


@pytest.mark.parametrize("terminated", [True, False])
def test_an_episode_of_one_step(terminated: bool) -> None:
    """From 0 to 1 and back to the start: what is learned of 0 is about 1, and ends there only if it terminates."""

    class Step(Room):
        def __init__(self) -> None:
            super().__init__(16)
            self.single_observation_space, self.single_action_space = spaces.Discrete(2), spaces.Discrete(1)

        def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
            return np.zeros(16, dtype=np.int64), {}

        def step(self, actions: Any) -> tuple[Any, ...]:
            ends, info = np.ones(16, dtype=bool), {"final_obs": np.ones(16, dtype=np.int64)}
            return np.zeros(16, dtype=np.int64), np.ones(16), ends & terminated, ends & (not terminated), info

    algorithm = build(Step(), gamma=0.9, lam=0.5, lf_wt=10.0, learning_rate=1e-2, sequence=1)
    for _ in range(150):
        algorithm.update()
    with torch.no_grad():
        value, f = algorithm.critic(torch.arange(2))
    again = 0.0 if terminated else 0.9 * f[1, 1].item()
    assert f[0].numpy() == pytest.approx([0.0 if terminated else 0.9 * f[1, 0].item(), 1 + 0.5 * again], abs=0.1)
    expected = 1 + (0.0 if terminated else 0.9 * value[1].item() - 0.5 * again)
    assert value[0].item() == pytest.approx(expected, abs=0.1)


def test_an_update_forgets_what_was_acted() -> None:
    algorithm = build()
    algorithm.act(np.array([3]))
    algorithm.update()
    assert algorithm._acting is None


def test_memory_in_training_ends_with_the_episode() -> None:
    algorithm = build(sequence=LIMIT)
    algorithm.update()
    fresh = algorithm.actor.empty_memory(16)
    assert all(torch.equal(part, zero) for part, zero in zip(algorithm._memory, fresh, strict=True))
    algorithm = build(sequence=LIMIT - 1)
    algorithm.update()
    assert all(part.abs().sum() > 0 for part in algorithm._memory)


def test_acting_remembers_and_forgets_by_row() -> None:
    algorithm = build()
    algorithm.update()

    def preferences() -> torch.Tensor:
        algorithm.act(np.array([3, 3]))
        assert algorithm._acting is not None
        return algorithm._acting[0].clone()

    first, second = preferences(), preferences()
    assert torch.equal(first[0], first[1])
    assert not torch.equal(first, second)
    algorithm.forget(np.array([True, False]))
    third = preferences()
    assert torch.allclose(third[0], first[0])
    assert not torch.allclose(third[1], first[1])
    algorithm.forget()
    assert torch.equal(preferences(), first)
    algorithm.act(np.array([3, 3, 3]))
    assert torch.equal(preferences(), first)


def test_lambda_is_the_environments_unless_it_is_given() -> None:
    rewards = DiminishingRewards(base=np.zeros(9), lam=np.linspace(0, 1, 9), count_start=False)

    def lam(problem: Problem, **options: Any) -> list[float]:
        context = Context(env=Room(1), seed=0, rng=np.random.default_rng(0), problem=problem)
        return LambdaActorCritic(context, LambdaACConfig(**options))._lam.tolist()

    assert lam(Problem(diminishing=rewards)) == pytest.approx(np.linspace(0, 1, 9))
    assert lam(Problem(diminishing=rewards), lam=0.25) == [0.25] * 9
    assert lam(Problem()) == [1.0] * 9


def test_restart_begins_fresh_episodes() -> None:
    algorithm = build(sequence=7)
    algorithm.update()
    algorithm.restart()
    algorithm.update()
    assert algorithm.ctx.env.steps == 7


def test_other_spaces_are_refused() -> None:
    env = gymnasium.make_vec("CartPole-v1", num_envs=1, vectorization_mode="sync")
    with pytest.raises(InterfaceError, match="expects two Discrete spaces"):
        build(env)


def test_a_state_of_other_options_is_refused() -> None:
    with pytest.raises(InterfaceError, match="not of lambda-ac with these options"):
        build(lstm=16).load_state(build().state())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lam": -0.1}, "lambda is -0.1: expected a number between 0 and 1"),
        ({"gamma": 1.1}, "gamma is 1.1: expected a number between 0 and 1"),
        ({"td_lambda": float("nan")}, "td_lambda is nan: expected a number between 0 and 1"),
        ({"lf_wt": -1.0}, "lf_wt is -1.0: expected 0 or more"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0: expected a number above 0"),
        ({"sequence": 0}, "sequence is 0: expected 1 or more"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LambdaACConfig(**options)


def test_conforms() -> None:
    check_algorithm("lambda-ac", "hazard-grid", num_envs=2, config={"lstm": 8, "hidden": 8})
