"""How the constraints' signals reach SB3's learner: past its adapter, which drops them, into the replay buffer."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.type_aliases import ReplayBufferSamples

from zoo import InterfaceError
from zoo_reload.sampling.constraints import Constraints


class Signals(gymnasium.vector.VectorWrapper[Any, Any, Any, Any, Any]):
    """Keeps what the last step returned.

    Args:
        env: the copies.
        constraints: those of the problem.
    """

    def __init__(self, env: Any, constraints: Constraints) -> None:
        super().__init__(env)
        self.constraints = constraints
        self.last: NDArray[np.float32] = np.zeros((1 + len(constraints.names), env.num_envs), np.float32)
        """reward and signals of the last step, [1 + N, B]"""
        self.ends: NDArray[np.bool_] = np.zeros((2, env.num_envs), dtype=bool)
        """where it ended an episode in a terminal state, and by a time limit, [2, B]"""

    def step(self, actions: Any) -> Any:
        """As the environment's.

        Raises:
            InterfaceError: there are constraints, and no signals.
        """
        result = self.env.step(actions)
        _, reward, terminated, truncated, infos = result
        self.last[0] = reward
        if len(self.last) > 1:
            if "constraints" not in infos:
                raise InterfaceError('the environment has constraints, but gave no info["constraints"] at this step.')
            self.last[1:] = np.asarray(infos["constraints"]).T
        self.ends[0], self.ends[1] = terminated, truncated
        return result


class SignalBuffer(ReplayBuffer):
    """A replay buffer whose rewards are rows of reward and signals, [capacity, B, 1 + N].

    Args:
        args: as for ReplayBuffer.
        heads: 1 + N.
        kwargs: as for ReplayBuffer.
    """

    def __init__(self, *args: Any, heads: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rewards = np.zeros((self.buffer_size, self.n_envs, heads), dtype=np.float32)

    def _get_samples(self, batch_inds: NDArray[np.int64], env: Any = None) -> ReplayBufferSamples:
        """A minibatch; its rewards are [M, 1 + N]."""
        copies = np.random.randint(0, high=self.n_envs, size=(len(batch_inds),))  # noqa: NPY002  (SB3's stream)
        done = self.dones[batch_inds, copies] * (1 - self.timeouts[batch_inds, copies])
        return ReplayBufferSamples(
            self._tensor(self.observations, batch_inds, copies),
            self._tensor(self.actions, batch_inds, copies),
            self._tensor(self.next_observations, batch_inds, copies),
            self.to_torch(done.reshape(-1, 1)),
            self._tensor(self.rewards, batch_inds, copies),
        )

    def _tensor(self, array: NDArray[Any], rows: NDArray[np.int64], copies: NDArray[np.int64]) -> torch.Tensor:
        return self.to_torch(array[rows, copies])
