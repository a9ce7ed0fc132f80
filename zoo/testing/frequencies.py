"""An environment against its exact model: what is sampled must be what the arrays say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete
from numpy.typing import NDArray

from zoo.tabular import TabularCMDP
from zoo.testing.contract import Contract
from zoo.training.vector import Recorder, lookup

STEPS = 3000
"""transitions sampled of each form; 6 standard errors leave a false alarm less likely than 1e-8 a test"""
SIGMAS = 6.0
ENOUGH = 40
"""visits from which on a deviation of every single sample in one direction exceeds 6 standard errors"""
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Sample:
    """T transitions as state-action rows s*A + a, successors, rewards and signals; and n first states."""

    rows: Ints
    following: Ints
    rewards: Floats
    signals: Floats
    first: Ints


def check_model(contract: Contract, env: gymnasium.Env[Any, Any], vector: Recorder) -> None:
    """``model()`` is a valid CMDP, and both forms sample it where observations are its states.

    Raises:
        AssertionError: naming the state and action where they part.
    """
    with contract.during("model()"):
        model = TabularCMDP.from_model(env.get_wrapper_attr("model")())
        other = TabularCMDP.from_model(lookup(vector.env, "model")())
    contract.require(np.array_equal(model.r, other.r), "model() of its vector form has other rewards")
    space = env.observation_space
    if not (isinstance(space, Discrete) and space.n == model.num_states and space.start == 0):
        env.close()
        vector.close()
        return
    with contract.during("sampling it"):
        single, many = _sample(env, model), _sample_vector(vector, model)
    _compare(contract, "", model, single)
    _compare(contract, "its vector form: ", model, many)


def _sample(env: gymnasium.Env[Any, Any], model: TabularCMDP) -> Sample:
    rng = np.random.default_rng(17)
    actions = rng.integers(model.num_actions, size=STEPS)
    found: list[tuple[int, int, float, Any]] = []
    obs, _ = env.reset(seed=17)
    first = [int(obs)]
    for action in actions.tolist():
        following, reward, terminated, truncated, info = env.step(action)
        found.append((int(obs) * model.num_actions + action, int(following), float(reward), info.get("constraints")))
        obs = following
        if terminated or truncated:
            obs, _ = env.reset()
            first.append(int(obs))
    for _ in range(ENOUGH):
        first.append(int(env.reset()[0]))
    env.close()
    rows, successors, rewards, signals = zip(*found, strict=True)
    return Sample(np.array(rows), np.array(successors), np.array(rewards), _stacked(signals, model), np.array(first))


def _sample_vector(env: Recorder, model: TabularCMDP) -> Sample:
    rng = np.random.default_rng(17)
    rounds = -(-STEPS // env.num_envs)
    rows, successors, rewards, signals = [], [], [], []
    obs, _ = env.reset(seed=17)
    first = [np.array(obs)]
    for _ in range(rounds):
        actions = rng.integers(model.num_actions, size=env.num_envs)
        following, reward, terminated, truncated, infos = env.step(actions)
        arrived, done = np.array(following), terminated | truncated
        if done.any():
            arrived[done] = [int(last) for last in infos["final_obs"][done]]
            first.append(following[done])
        rows.append(np.asarray(obs) * model.num_actions + actions)
        successors.append(arrived)
        rewards.append(reward)
        signals += list(infos["constraints"]) if model.num_constraints else [None] * env.num_envs
        obs = following
    env.close()
    return Sample(
        np.concatenate(rows), np.concatenate(successors), np.concatenate(rewards), _stacked(signals, model),
        np.concatenate(first),
    )  # fmt: skip


def _stacked(signals: Any, model: TabularCMDP) -> Floats:
    if not model.num_constraints:
        return np.zeros((len(signals), 0))
    return np.stack([np.asarray(signal, dtype=np.float64) for signal in signals])


def _compare(contract: Contract, form: str, model: TabularCMDP, sample: Sample) -> None:
    A = model.num_actions
    start = _unlikely(np.bincount(sample.first, minlength=model.num_states)[None], model.rho[None])
    contract.require(start is None, f"{form}first states do not follow rho of model(), at state {start and start[1]}")
    counts = np.zeros(model.kernel.shape)
    np.add.at(counts, (sample.rows, sample.following), 1.0)
    found = _unlikely(counts, model.kernel.toarray())
    if found is not None:
        row, successor = found
        raise contract.fail(
            f"{form}state {row // A}, action {row % A} led to state {successor} in {counts[row, successor]:.0f} of "
            f"{counts[row].sum():.0f} steps; model() has probability {model.kernel[row, successor]:.6g}"
        )
    _means(contract, f"{form}reward", A, sample.rows, sample.rewards - model.r.ravel()[sample.rows])
    for index, name in enumerate(model.names):
        deviations = sample.signals[:, index] - model.c[index].ravel()[sample.rows]
        _means(contract, f"{form}signal {name!r}", A, sample.rows, deviations)


def _unlikely(counts: NDArray[Any], probability: Floats) -> tuple[int, int] | None:
    """Row and column of a count that is impossible or ``SIGMAS`` standard errors off (and by 4 at least)."""
    visits = counts.sum(axis=1, keepdims=True)
    error = np.sqrt(visits * probability * (1 - probability))
    off = np.abs(counts - visits * probability) > SIGMAS * error + 4.0 * (error > 0) + 1e-9
    off |= (probability == 0) & (counts > 0)
    if not off.any():
        return None
    row, column = np.argwhere(off)[0]
    return int(row), int(column)


def _means(contract: Contract, what: str, A: int, rows: Ints, deviations: Floats) -> None:
    """Deviations from the model must average to zero in every state-action, as far as its visits can tell."""
    count = np.bincount(rows)
    total, squares = np.bincount(rows, deviations), np.bincount(rows, deviations**2)
    off = (count >= ENOUGH) & (np.abs(total) > SIGMAS * np.sqrt(squares) + 1e-5 * count)
    # Where nothing is random, one visit tells.
    constant = np.abs(squares * count - total**2) <= 1e-9 * (1.0 + squares * count)
    if constant.all():
        off |= np.abs(total) > 1e-5 * count * (1.0 + np.abs(deviations).max())
    if off.any():
        row = int(np.argmax(off))
        raise contract.fail(
            f"{what} in state {row // A}, action {row % A} is {total[row] / count[row]:+.6g} from that of model(), "
            f"on average over {count[row]} steps"
        )
