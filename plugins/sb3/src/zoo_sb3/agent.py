"""SB3's learning loops, one update at a time.

``update`` runs the body of SB3's ``learn`` loop, so that the weights are those that ``learn`` would give,
bit for bit. Short iterations (A2C's five steps, DQN's four) are taken several at a time, so that zoo's loop
around them costs little.
"""

from __future__ import annotations

import math
import time
from abc import abstractmethod
from collections import deque
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.type_aliases import TrainFreq

from zoo import Algorithm, Context, InterfaceError, Metrics, State
from zoo_sb3.build import build
from zoo_sb3.state import capture, restore
from zoo_sb3.streams import GlobalStreams
from zoo_sb3.torch_policy import greedy_policy
from zoo_sb3.vecenv import GymnasiumVecEnv

TARGET_STEPS_PER_UPDATE = 128
"""environment steps of one update: iterations are added until there are so many"""


class SB3Algorithm(Algorithm[Any]):
    """The base of all learners: building the model, updating, acting, saving its state.

    Raises:
        InterfaceError: the environment does not suit the learner.
        UsageError: SB3 refuses the options.
    """

    learner: ClassVar[type[BaseAlgorithm]]
    """SB3's class"""

    def __init__(self, ctx: Context, config: Any) -> None:
        super().__init__(ctx, config)
        self._env = GymnasiumVecEnv(ctx.env)
        self._streams = GlobalStreams(ctx.seed, self._env.action_space, ctx.device)
        # Sampling actions in ``act`` must not change what is learned: it has random streams of its own.
        act_seed = int(ctx.stream("act").integers(2**31))
        self._acting = GlobalStreams(act_seed, self._env.action_space, ctx.device)
        self._memory: Any = None
        self._memory_batch = 0
        with self._streams.active():
            self.model = build(self.learner, config, self._env, ctx.seed, ctx.device)
        self._callback = self._begin()

    def _begin(self) -> BaseCallback:
        """Set up what ``learn`` sets up before its loop; the environment is reset by the first update."""
        model = self.model
        model.set_logger(Logger(folder=None, output_formats=[]))
        model._total_timesteps = self.ctx.budget
        model.start_time = time.time_ns()
        model.ep_info_buffer, model.ep_success_buffer = deque(maxlen=1), deque(maxlen=1)
        callback = model._init_callback(None)
        callback.on_training_start({}, {})
        return callback

    def update(self) -> Metrics:
        """Run one SB3 iteration, or as many as make ``TARGET_STEPS_PER_UPDATE`` environment steps; after the
        first, none starts past the budget.

        Returns:
            The values that SB3 logged last, as "loss/..." and "train/...".

        Raises:
            InterfaceError: the budget is not positive.
        """
        model, budget = self.model, self.ctx.budget
        if budget <= 0:
            raise InterfaceError(f"the budget is {budget}: expected the environment steps of the whole run.")
        until = min(model.num_timesteps + TARGET_STEPS_PER_UPDATE, budget)
        with self._streams.active():
            if model._last_obs is None:
                model._last_obs = cast(Any, self._env_of(model).reset())
                model._last_episode_starts = np.ones(model.n_envs, dtype=bool)
            self._iterate()
            while model.num_timesteps < until and not self._update_is_over():
                self._iterate()
        self.env_steps = model.num_timesteps
        self.forget()
        return self._metrics()

    @abstractmethod
    def _iterate(self) -> None:
        """The body of the loop in SB3's ``learn``."""

    def _update_is_over(self) -> bool:
        """Whether this update ends now, although it has not yet made ``CHUNK`` steps."""
        return False

    @staticmethod
    def _env_of(model: BaseAlgorithm) -> Any:
        """The environment as SB3 wrapped it (images are transposed)."""
        return model.env

    def _metrics(self) -> Metrics:
        logged = dict(self.model.logger.name_to_value)
        self.model.logger.dump()
        metrics = {}
        for key, value in logged.items():
            name = key.rpartition("/")[2]
            number = float(value)
            if name == "loss" or name.endswith("_loss"):
                # Logged even if it is not finite: the training loop then ends the run.
                metrics[f"loss/{name.removesuffix('_loss') if name != 'loss' else 'total'}"] = number
            elif math.isfinite(number):
                # The explained variance is undefined while all returns are equal.
                metrics[f"train/{name}"] = number
        return metrics

    def act(self, obs: Any, *, greedy: bool = True) -> NDArray[Any]:
        """Actions [B, ...] within the action space's bounds for observations [B, ...].

        A recurrent policy keeps a hidden state for each row between calls. It is reset when B changes, after
        ``update`` and ``load_state``, and by ``forget``.
        """
        batch = len(next(iter(obs.values())) if isinstance(obs, dict) else obs)
        if batch != self._memory_batch:
            self.forget()
            self._memory_batch = batch
        if greedy:
            actions, self._memory = self.model.predict(obs, self._memory, deterministic=True)
        else:
            with self._acting.active():
                actions, self._memory = self.model.predict(obs, self._memory, deterministic=False)
        return np.asarray(actions)

    def policy_module(self) -> Any:
        """What ``act`` does greedily as a ``torch.nn.Module``; None where the policy has a memory."""
        return greedy_policy(self.model, self.ctx.env.single_action_space)

    def forget(self, ended: NDArray[np.bool_] | None = None) -> None:
        """Reset the hidden state of ``act`` in the rows where ``ended`` (bool[B]) is true; None: in all rows."""
        if ended is None or self._memory is None:
            self._memory = None
        else:
            for part in self._memory:
                part[:, ended] = 0.0

    def restart(self) -> None:
        """Abandon the current episodes: the next update begins with ``env.reset()``."""
        self.model._last_obs = None

    def state(self) -> State:
        """Everything that the next update depends on, except the environment; memories of ``act`` begin anew."""
        return {
            "model": capture(self.model),
            "streams": self._streams.state(),
            "acting": self._acting.state(),
        }

    def load_state(self, state: State) -> None:
        """Continue from ``state``.

        Raises:
            InterfaceError: it was saved by another algorithm, or with other options or another number of copies.
        """
        try:
            restore(self.model, state["model"])
            self._streams.load_state(state["streams"])
            self._acting.load_state(state["acting"])
        except (AttributeError, KeyError, RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InterfaceError(
                f"this state was not saved by {type(self).__name__} with these options and copies: {reason}"
            ) from error
        self.env_steps = self.model.num_timesteps
        self.forget()


class OnPolicy(SB3Algorithm):
    """Learners that collect a rollout with the present policy, then train on it."""

    def _iterate(self) -> None:
        model = cast(OnPolicyAlgorithm, self.model)
        env = self._env_of(model)
        model.collect_rollouts(env, self._callback, model.rollout_buffer, n_rollout_steps=model.n_steps)
        model._update_current_progress_remaining(model.num_timesteps, model._total_timesteps)
        model.train()


class OffPolicy(SB3Algorithm):
    """Learners with a replay buffer: a few environment steps, then a few gradient steps."""

    def _iterate(self) -> None:
        model = cast(OffPolicyAlgorithm, self.model)
        rollout = model.collect_rollouts(
            self._env_of(model),
            self._callback,
            cast(TrainFreq, model.train_freq),
            cast(ReplayBuffer, model.replay_buffer),
            model.action_noise,
            model.learning_starts,
            log_interval=None,
        )
        if model.num_timesteps > model.learning_starts:
            steps = model.gradient_steps if model.gradient_steps >= 0 else rollout.episode_timesteps
            if steps > 0:
                model.train(batch_size=model.batch_size, gradient_steps=steps)
