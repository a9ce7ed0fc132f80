"""Collecting T steps of B copies for each of S members, with the actor alone; the rest is computed once afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoo import InterfaceError
from zoo_onpolicy.distributions import Distribution
from zoo_onpolicy.networks import Network
from zoo_onpolicy.observations import Encoder

if TYPE_CHECKING:
    from zoo import Stack

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


@dataclass(eq=False, kw_only=True)
class Rollout:
    """What was collected. K signals follow the reward; a transition of a member has the number t * B + b."""

    obs: NDArray[Any]
    """encoded, int64[S, T, B] or float32[S, T, B, D]"""
    last_obs: NDArray[Any]
    """of after the last step, [S, B, ...]"""
    outputs: Floats
    """of the actor, [S, T, B, W]"""
    actions: NDArray[Any]
    """as the distribution made them, int64[S, T, B] or float32[S, T, B, D]"""
    rewards: Floats
    """the reward and the constraint signals, [S, 1 + K, T, B]"""
    terminated: Bools
    """[S, T, B]"""
    truncated: Bools
    """[S, T, B]"""
    final_obs: NDArray[Any]
    """of the F episodes cut by a time limit, in the order of argwhere(truncated & ~terminated), [F, ...]"""
    infos: dict[str, NDArray[Any]]
    """what the objective asked for of each step's infos, [S, T, B, ...]"""
    encoded: Floats = field(init=False)
    """actions as the distribution scores them, [S, T, B, E]; this and what follows is filled in by the learner"""
    log_prob: Floats = field(init=False)
    """of the actions, [S, T, B]"""
    signals: Floats = field(init=False)
    """what the value heads predict the sums of, [S, H, T, B]"""
    values: Floats = field(init=False)
    """of the heads, [S, H, T, B]"""
    following: Floats = field(init=False)
    """values of the states arrived in, 0 where terminal, [S, H, T, B]"""
    advantages: Floats = field(init=False)
    """of the heads, [S, H, T, B]"""

    @property
    def done(self) -> Bools:
        """Where an episode ended, [S, T, B]."""
        return self.terminated | self.truncated


class Collector:
    """Steps S stacked environments and keeps the observation to go on from.

    Args:
        env: S members of B copies.
        encoder: of observations.
        distribution: of actions.
        signals: K, how many constraint signals to record.
        n_steps: T.
        infos: names of what to record of each step's infos; ``env`` was built to pass them on.
    """

    def __init__(
        self,
        env: Stack,
        encoder: Encoder,
        distribution: Distribution,
        signals: int,
        n_steps: int,
        infos: Sequence[str] = (),
    ) -> None:
        self._env, self._encoder, self._distribution = env, encoder, distribution
        self._signals, self._n_steps, self._infos = signals, n_steps, tuple(infos)
        self.obs = np.zeros((len(env), env.num_envs, *encoder.shape), np.int64 if encoder.table else np.float32)
        self.fresh = np.zeros(len(env), dtype=bool)
        """members whose ``obs`` is where their environment is; the others are reset first"""

    def collect(self, network: Network, rngs: Sequence[np.random.Generator]) -> Rollout:
        """T steps with the actor of ``network``; member i draws from ``rngs[i]``.

        Raises:
            InterfaceError: the environment has constraints and its infos lack their signals.
        """
        self._begin()
        distribution, S, B, T = self._distribution, len(self._env), self._env.num_envs, self._n_steps
        noise = np.stack([distribution.noise(rng, (T, B)) for rng in rngs])
        obs = np.empty((S, T, *self.obs.shape[1:]), self.obs.dtype)
        outputs = np.empty((S, T, B, distribution.outputs), np.float32)
        actions = np.empty((S, T, B, *distribution.action_shape), distribution.action_dtype)
        rewards = np.empty((S, 1 + self._signals, T, B), np.float32)
        terminated, truncated = np.empty((S, T, B), bool), np.empty((S, T, B), bool)
        collected: dict[str, list[NDArray[Any]]] = {name: [] for name in self._infos}
        finals: list[tuple[NDArray[np.int64], NDArray[Any]]] = []
        for t in range(T):
            obs[:, t] = self.obs
            outputs[:, t] = out = network.act(self.obs)
            actions[:, t] = taken = distribution.sample(out, noise[:, t])
            following, reward, term, trunc, infos = self._env.step(distribution.to_env(taken))
            rewards[:, 0, t] = reward
            if self._signals:
                rewards[:, 1:, t] = _signals(infos).transpose(0, 2, 1)
            terminated[:, t], truncated[:, t] = term, trunc
            for name, steps in collected.items():
                steps.append(infos[name])
            if trunc.any() and len(where := np.argwhere(trunc & ~term)):
                rows = np.insert(where, 1, t, axis=1)
                finals.append((rows, self._encoder(infos["arrived"][where[:, 0], where[:, 1]])))
            self.obs = self._encoder(following)
        return Rollout(
            obs=obs, last_obs=self.obs, outputs=outputs, actions=actions, rewards=rewards, terminated=terminated,
            truncated=truncated, final_obs=_in_order(finals, self.obs),
            infos={name: np.stack(steps, axis=1) for name, steps in collected.items()},
        )  # fmt: skip

    def _begin(self) -> None:
        for member in np.flatnonzero(~self.fresh):
            self.obs[member] = self._encoder(self._env.envs[member].reset()[0])
        self.fresh[:] = True


def _signals(infos: dict[str, Any]) -> Floats:
    if "constraints" not in infos:
        raise InterfaceError('the environment has constraints and gave no info["constraints"] at this step.')
    signals: Floats = infos["constraints"]
    return signals


def _in_order(finals: list[tuple[NDArray[np.int64], NDArray[Any]]], like: NDArray[Any]) -> NDArray[Any]:
    """The final observations sorted by member, step and copy."""
    if not finals:
        return np.zeros((0, *like.shape[2:]), like.dtype)
    rows, obs = (np.concatenate(parts) for parts in zip(*finals, strict=True))
    return obs[np.lexsort(rows.T[::-1])]
