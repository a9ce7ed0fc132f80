"""Collect T steps of B environment copies for each of S members (seeds).

Only the actor is evaluated while acting; values, log probabilities and advantages are computed once, afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoo import InterfaceError
from zoo_onpolicy.distributions import Distribution
from zoo_onpolicy.networks import Network
from zoo_onpolicy.normalisation.running import ObservationNorm
from zoo_onpolicy.observations import ObservationEncoder

if TYPE_CHECKING:
    from zoo import Stack

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


@dataclass(eq=False, kw_only=True)
class Rollout:
    """T steps of B copies for S members, with K constraint signals; a member's transition has the number t * B + b."""

    obs: NDArray[Any]
    """encoded, int64[S, T, B] or float32[S, T, B, D]"""
    last_obs: NDArray[Any]
    """observations after the last step, encoded, [S, B, ...]"""
    outputs: Floats
    """outputs of the actor, [S, T, B, W]"""
    actions: NDArray[Any]
    """as sampled from the distribution, before any clipping, int64[S, T, B] or float32[S, T, B, D]"""
    rewards: Floats
    """the reward and the constraint signals, [S, 1 + K, T, B]"""
    terminated: Bools
    """where an episode ended in a terminal state, [S, T, B]"""
    truncated: Bools
    """where a time limit ended an episode, [S, T, B]"""
    final_obs: NDArray[Any]
    """last observations of the F truncated episodes, in the order of argwhere(truncated & ~terminated), [F, ...]"""
    infos: dict[str, NDArray[Any]]
    """what the objective asked for of each step's infos, [S, T, B, ...]"""
    encoded: Floats = field(init=False)
    """actions as the distribution scores them, [S, T, B, E]; this and what follows is filled in by the learner"""
    log_prob: Floats = field(init=False)
    """log probabilities of the actions, [S, T, B]"""
    signals: Floats = field(init=False)
    """what the value heads predict the sums of, [S, H, T, B]"""
    values: Floats = field(init=False)
    """predictions V(s_t) of the value heads, [S, H, T, B]"""
    next_values: Floats = field(init=False)
    """V(s_{t+1}), 0 where terminal, [S, H, T, B]"""
    advantages: Floats = field(init=False)
    """advantages of the value heads, [S, H, T, B]"""

    @property
    def done(self) -> Bools:
        """Where an episode ended, [S, T, B]."""
        return self.terminated | self.truncated


class Collector:
    """Steps S stacked environments, and keeps the observations from which the next rollout continues.

    Args:
        env: the stacked environments, S members of B copies each.
        encoder: encodes observations.
        distribution: the family of action distributions.
        signals: K, how many constraint signals to record.
        n_steps: T, the steps of a rollout.
        norm: normalises encoded observations; None: they are passed on as they are.
        infos: keys of the infos to record at each step; ``env`` must have been built to pass them on.
    """

    def __init__(
        self,
        env: Stack,
        encoder: ObservationEncoder,
        distribution: Distribution,
        signals: int,
        n_steps: int,
        norm: ObservationNorm | None = None,
        infos: Sequence[str] = (),
    ) -> None:
        self._norm = norm
        self._env, self._encoder, self._distribution = env, encoder, distribution
        self._signals, self._n_steps, self._infos = signals, n_steps, tuple(infos)
        self.obs = np.zeros((len(env), env.num_envs, *encoder.shape), encoder.dtype)
        self.started = np.zeros(len(env), dtype=bool)
        """bool[S]: whether ``obs`` is what a member's environments show now; otherwise they are reset first"""

    def collect(self, network: Network, rngs: Sequence[np.random.Generator]) -> Rollout:
        """Take T steps with the actor of ``network``; member i samples its actions with ``rngs[i]``.

        Raises:
            InterfaceError: the environment has constraints and its infos lack their signals.
        """
        self._reset_members()
        distribution, S, B, T = self._distribution, len(self._env), self._env.num_envs, self._n_steps
        noise = np.stack([distribution.noise(rng, (T, B)) for rng in rngs])
        obs = np.empty((S, T, *self.obs.shape[1:]), self.obs.dtype)
        norm, first = self._norm, self._norm is not None and self._norm.untried
        seen = obs if norm is None else np.empty_like(obs)
        if norm is not None and not first:
            norm.freeze()
        outputs = np.empty((S, T, B, distribution.outputs), np.float32)
        actions = np.empty((S, T, B, *distribution.action_shape), distribution.action_dtype)
        rewards = np.empty((S, 1 + self._signals, T, B), np.float32)
        terminated, truncated = np.empty((S, T, B), bool), np.empty((S, T, B), bool)
        collected: dict[str, list[NDArray[Any]]] = {name: [] for name in self._infos}
        finals: list[tuple[NDArray[np.int64], NDArray[Any]]] = []
        for t in range(T):
            seen[:, t] = shown = self.obs
            if norm is not None:
                if first:
                    norm.moments.update(self.obs)
                    norm.freeze()
                obs[:, t] = shown = norm(self.obs)
            outputs[:, t], sampled = network.sample(shown, distribution, noise[:, t])
            actions[:, t] = sampled
            next_obs, reward, term, trunc, infos = self._env.step(distribution.to_env(sampled))
            rewards[:, 0, t] = reward
            if self._signals:
                rewards[:, 1:, t] = _signals(infos).transpose(0, 2, 1)
            terminated[:, t], truncated[:, t] = term, trunc
            for name, steps in collected.items():
                steps.append(infos[name])
            if trunc.any() and len(cut := np.argwhere(trunc & ~term)):
                rows = np.insert(cut, 1, t, axis=1)
                last = self._encoder(infos["arrived"][cut[:, 0], cut[:, 1]])
                finals.append((rows, last if norm is None else norm.rows(last, cut[:, 0])))
            self.obs = self._encoder(next_obs)
        if norm is not None and not first:
            norm.moments.update(seen.reshape(S, T * B, -1))
        return Rollout(
            obs=obs, last_obs=self.obs if norm is None else norm(self.obs), outputs=outputs, actions=actions,
            rewards=rewards, terminated=terminated, truncated=truncated, final_obs=_in_order(finals, self.obs),
            infos={name: np.stack(steps, axis=1) for name, steps in collected.items()},
        )  # fmt: skip

    def _reset_members(self) -> None:
        for member in np.flatnonzero(~self.started):
            self.obs[member] = self._encoder(self._env.envs[member].reset()[0])
        self.started[:] = True


def _signals(infos: dict[str, Any]) -> Floats:
    if "constraints" not in infos:
        raise InterfaceError('the environment has constraints, but gave no info["constraints"] at this step.')
    signals: Floats = infos["constraints"]
    return signals


def _in_order(finals: list[tuple[NDArray[np.int64], NDArray[Any]]], like: NDArray[Any]) -> NDArray[Any]:
    """The final observations [F, ...], sorted by member, step and copy."""
    if not finals:
        return np.zeros((0, *like.shape[2:]), like.dtype)
    rows, obs = (np.concatenate(parts) for parts in zip(*finals, strict=True))
    return obs[np.lexsort(rows.T[::-1])]
