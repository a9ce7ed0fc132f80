"""An environment against its exact model: what is sampled must be what the arrays say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete
from numpy.typing import NDArray

from zoo.api import DiminishingRewards
from zoo.tabular import TabularCMDP
from zoo.testing.contract import Contract
from zoo.training.environments.make_env import Recorder, problem_of
from zoo.training.environments.step import arrived

STEPS = 3000
"""transitions sampled of each form; 6 standard errors leave a false alarm less likely than 1e-8 a test"""
SIGMAS = 6.0
MIN_VISITS = 40
"""visits from which on a deviation of every single sample in one direction exceeds 6 standard errors"""
MIN_VISITS_CONSTANT = 1000
"""visits from which on a reward of probability 0.02 that never came is less likely than 1e-8"""
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Sample:
    """T transitions as state-action rows s*A + a, successors, rewards and signals; and n first states.

    ``paid`` is the part of each reward that the visits so far decide, 0 where rewards do not diminish.
    """

    rows: Ints
    successors: Ints
    rewards: Floats
    visit_rewards: Floats
    terminated: NDArray[np.bool_]
    signals: Floats
    first: Ints


class VisitCounter:
    """The counts of diminishing rewards, int64[copies, S], kept beside the environment that is judged."""

    def __init__(self, spec: DiminishingRewards, copies: int) -> None:
        self._spec = spec
        self._counts = np.zeros((copies, spec.num_states), dtype=np.int64)

    def start_episodes(self, copies: Ints, states: Ints) -> None:
        """New episodes of these copies, in these states."""
        self._counts[copies] = 0
        self._counts[copies, states] = int(self._spec.count_start)

    def count_arrivals(self, states: Ints) -> Floats:
        """What arriving in these states pays, one for each copy; they are counted."""
        copies = np.arange(len(states))
        visit_rewards = self._spec.base[states] * self._spec.lam[states] ** self._counts[copies, states]
        self._counts[copies, states] += 1
        return visit_rewards


def check_model(contract: Contract, env: gymnasium.Env[Any, Any], vector: Recorder) -> None:
    """``model()`` is a valid CMDP, and both forms sample it where observations are its states.

    Raises:
        AssertionError: naming the state and action where they part.
    """
    with contract.during("model()"):
        other = problem_of(vector).tabular
        # gymnasium's environments that list their transitions have no method of their own.
        model = TabularCMDP.from_model(env.get_wrapper_attr("model")()) if env.has_wrapper_attr("model") else other
    contract.require(np.array_equal(model.r, other.r), "model() of its vector form has other rewards")
    space = env.observation_space
    if not (isinstance(space, Discrete) and space.n == model.num_states and space.start == 0):
        env.close()
        vector.close()
        return
    spec = problem_of(vector).diminishing or DiminishingRewards(np.zeros(model.num_states), np.ones(model.num_states))
    with contract.during("sampling it"):
        single, many = _sample(env, model, spec), _sample_vector(vector, model, spec)
    _compare(contract, "", model, spec, single)
    _compare(contract, "its vector form: ", model, spec, many)


def _sample(env: gymnasium.Env[Any, Any], model: TabularCMDP, spec: DiminishingRewards) -> Sample:
    rng = np.random.default_rng(17)
    actions = rng.integers(model.num_actions, size=STEPS)
    visits, only = VisitCounter(spec, 1), np.zeros(1, dtype=np.int64)
    samples: list[tuple[Any, ...]] = []
    obs, _ = env.reset(seed=17)
    first = [int(obs)]
    visits.start_episodes(only, np.array([int(obs)]))
    for action in actions.tolist():
        successor, reward, terminated, truncated, info = env.step(action)
        visit_reward = visits.count_arrivals(np.array([int(successor)]))[0]
        row = int(obs) * model.num_actions + action
        samples.append((row, int(successor), float(reward), visit_reward, bool(terminated), info.get("constraints")))
        obs = successor
        if terminated or truncated:
            obs, _ = env.reset()
            first.append(int(obs))
            visits.start_episodes(only, np.array([int(obs)]))
    for _ in range(MIN_VISITS):
        first.append(int(env.reset()[0]))
    env.close()
    *columns, signals = zip(*samples, strict=True)
    rows, successors, rewards, visit_rewards, ended = map(np.array, columns)
    return Sample(rows, successors, rewards, visit_rewards, ended, _stacked(signals, model), np.array(first))


def _sample_vector(env: Recorder, model: TabularCMDP, spec: DiminishingRewards) -> Sample:
    rng = np.random.default_rng(17)
    rounds = -(-STEPS // env.num_envs)
    visits = VisitCounter(spec, env.num_envs)
    trace: list[tuple[Any, ...]] = []
    signals: list[Any] = []
    obs, _ = env.reset(seed=17)
    first = [np.array(obs)]
    visits.start_episodes(np.arange(env.num_envs), np.array(obs))
    for _ in range(rounds):
        actions = rng.integers(model.num_actions, size=env.num_envs)
        successors, reward, terminated, truncated, infos = env.step(actions)
        last, done = arrived(successors, infos), terminated | truncated
        trace.append(
            (np.asarray(obs) * model.num_actions + actions, last, reward, visits.count_arrivals(last), terminated)
        )
        if done.any():
            first.append(successors[done])
            visits.start_episodes(np.flatnonzero(done), successors[done])
        signals += list(infos["constraints"]) if model.num_constraints else [None] * env.num_envs
        obs = successors
    env.close()
    rows, successors, rewards, visit_rewards, ended = (np.concatenate(column) for column in zip(*trace, strict=True))
    return Sample(rows, successors, rewards, visit_rewards, ended, _stacked(signals, model), np.concatenate(first))


def _stacked(signals: Any, model: TabularCMDP) -> Floats:
    if not model.num_constraints:
        return np.zeros((len(signals), 0))
    return np.stack([np.asarray(signal, dtype=np.float64) for signal in signals])


def _compare(contract: Contract, form: str, model: TabularCMDP, spec: DiminishingRewards, sample: Sample) -> None:
    A = model.num_actions
    start = _improbable_count(np.bincount(sample.first, minlength=model.num_states)[None], model.rho[None])
    contract.require(start is None, f"{form}first states do not follow rho of model(), at state {start and start[1]}")
    counts = np.zeros(model.kernel.shape)
    np.add.at(counts, (sample.rows, sample.successors), 1.0)
    problem = _improbable_count(counts, model.kernel.toarray())
    if problem is not None:
        row, successor = problem
        raise contract.fail(
            f"{form}state {row // A}, action {row % A} led to state {successor} in {counts[row, successor]:.0f} of "
            f"{counts[row].sum():.0f} steps; model() has probability {model.kernel[row, successor]:.6g}"
        )
    # What the visits decide is compared with the rule itself, so only the rest is left to the averages of the model.
    rest = model.r.ravel() - model.kernel @ spec.base
    deterministic = np.asarray((model.kernel > 0).sum(axis=1)).reshape(model.r.shape) == 1
    deviations = sample.rewards - sample.visit_rewards - rest[sample.rows]
    scale = max(_largest(sample.rewards), _largest(model.r))
    _check_means(contract, f"{form}reward", deterministic, sample.rows, deviations, scale)
    off = np.flatnonzero(sample.terminated != model.terminal[sample.successors])
    if off.size and model.terminal.any():
        state, ended = sample.successors[off[0]], sample.terminated[off[0]]
        how = "ended in" if ended else "went on from"
        raise contract.fail(f"{form}an episode {how} state {state}, against `terminal` of model()")
    for index, name in enumerate(model.names):
        deviations = sample.signals[:, index] - model.c[index].ravel()[sample.rows]
        scale = max(_largest(sample.signals[:, index]), _largest(model.c[index]))
        _check_means(contract, f"{form}signal {name!r}", deterministic, sample.rows, deviations, scale)


def _largest(x: Floats) -> float:
    return float(np.abs(x).max(initial=0.0))


def _improbable_count(counts: NDArray[Any], probability: Floats) -> tuple[int, int] | None:
    """Row and column of a count that is impossible or ``SIGMAS`` standard errors off (and by 4 at least)."""
    visits = counts.sum(axis=1, keepdims=True)
    error = np.sqrt(visits * probability * (1 - probability))
    off = np.abs(counts - visits * probability) > SIGMAS * error + 4.0 * (error > 0) + 1e-9
    off |= (probability == 0) & (counts > 0)
    if not off.any():
        return None
    row, column = np.argwhere(off)[0]
    return int(row), int(column)


def _check_means(
    contract: Contract, what: str, deterministic: NDArray[np.bool_], rows: Ints, deviations: Floats, scale: float
) -> None:
    """Deviations from the model must average to zero in every state-action, as far as its visits can tell.

    ``deterministic`` [S, A] says where only one successor is possible: elsewhere a reward may depend on it. ``scale``
    is the largest reward or signal: what is below 1e-5 of it is rounding, in whatever unit it comes.
    """
    count = np.bincount(rows, minlength=deterministic.size)
    total, squares = (np.bincount(rows, values, deterministic.size) for values in (deviations, deviations**2))
    constant = np.abs(squares * count - total**2) <= 1e-9 * (scale**2 + squares * count)
    # Samples that are all alike do not show how far they may be off: what is rare and large may not have come yet.
    needed = np.where(constant & ~deterministic.ravel(), MIN_VISITS_CONSTANT, MIN_VISITS)
    off = (count >= needed) & (np.abs(total) > SIGMAS * np.sqrt(squares) + 1e-5 * scale * count)
    # Where nothing is random, one visit tells.
    if constant[deterministic.ravel()].all():
        off |= deterministic.ravel() & (np.abs(total) > 1e-5 * scale * count)
    if off.any():
        row = int(np.argmax(off))
        state, action = divmod(row, deterministic.shape[1])
        raise contract.fail(
            f"{what} in state {state}, action {action} is {total[row] / count[row]:+.6g} from that of model(), "
            f"on average over {count[row]} steps"
        )
