"""``mdl-c-sac``: stable-baselines3's SAC with the divergence from a default policy in place of entropy (MDL-C).

The actor's actions are tanh(u) with u normal, and so are the default's: tanh is one-to-one, so that the divergence of
the actions is that of the normal variables, in closed form.
"""

from __future__ import annotations

import dataclasses
from typing import Any, cast

import numpy as np
import torch
from stable_baselines3 import SAC
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.type_aliases import TrainFreq
from stable_baselines3.common.utils import polyak_update
from torch import Tensor
from zoo_rpo.distributions import DiagonalGaussian
from zoo_sb3.agent import OffPolicy

from zoo import Context, Metrics, State
from zoo_mdl_c.offpolicy.config import OffPolicyOptions
from zoo_mdl_c.offpolicy.course import Course
from zoo_mdl_c.offpolicy.sac_config import MDLCSACConfig

__all__ = ["MDLCSAC", "DefaultSAC"]


class DefaultSAC(SAC):
    """SB3's SAC with the penalty alpha KL(pi_theta, pi_w) in place of the entropy bonus; see ``train``."""

    course: Course

    def __init__(self, *args: Any, **options: Any) -> None:
        own = {field.name: options.pop(field.name) for field in dataclasses.fields(OffPolicyOptions)}
        self.alpha: float = own["alpha"]
        super().__init__(*args, **options)

    def train(self, gradient_steps: int, batch_size: int = 64) -> None:
        """Gradient steps on replayed transitions.

        target = r + gamma (1 - terminal) (min_i Q_i(s', a') - alpha KL(pi(.|s'), pi_w(.|s'))),  a' ~ pi(.|s')
        actor:  alpha KL(pi(.|s), pi_w(.|s)) - min_i Q_i(s, a),  a ~ pi(.|s)
        """
        self.policy.set_training_mode(True)
        self._update_learning_rate([self.actor.optimizer, self.critic.optimizer])
        metrics: list[dict[str, float]] = []
        for _ in range(gradient_steps):
            data = cast(ReplayBuffer, self.replay_buffer).sample(batch_size, env=self._vec_normalize_env)
            with torch.no_grad():
                next_actions, _ = self.actor.action_log_prob(data.next_observations)
                q = torch.cat(self.critic_target(data.next_observations, next_actions), dim=1).min(1, keepdim=True)[0]
                value = q - self.alpha * self._kl(data.next_observations)[0][:, None]
                target = data.rewards + (1 - data.dones) * self.gamma * value
            values = self.critic(data.observations, data.actions)
            critic_loss = torch.stack([(value - target).square().mean() for value in values]).sum() / 2
            _descend(self.critic.optimizer, critic_loss)
            actions, _ = self.actor.action_log_prob(data.observations)
            q = torch.cat(self.critic(data.observations, actions), dim=1).min(1)[0]
            kl, parameters = self._kl(data.observations)
            actor_loss = (self.alpha * kl - q).mean()
            _descend(self.actor.optimizer, actor_loss)
            polyak_update(self.critic.parameters(), self.critic_target.parameters(), self.tau)
            seen = data.observations.flatten(1).cpu().numpy().astype(np.float32)
            metrics.append(
                {
                    "critic_loss": float(critic_loss.detach()),
                    "actor_loss": float(actor_loss.detach()),
                    "kl": float(kl.detach().mean()),
                    **self.course.observe(seen, parameters.detach().cpu().numpy().astype(np.float32)),
                }
            )
        self._n_updates += gradient_steps
        self.logger.record("train/n_updates", self._n_updates)
        for name, number in metrics[-1].items():
            self.logger.record(f"train/{name}", number)

    def _kl(self, obs: Any) -> tuple[Tensor, Tensor]:
        """KL(pi_theta, pi_w) [B], and the parameters of pi_theta [B, 2 D]; the default is not differentiated."""
        parameters = self.parameters_of(obs)
        default = torch.from_numpy(self.course.default.parameters(obs.flatten(1).cpu().numpy().astype(np.float32)))
        return DiagonalGaussian(parameters).kl(DiagonalGaussian(default.to(parameters.device))), parameters

    def parameters_of(self, obs: Any) -> Tensor:
        """Mean and log standard deviation, before tanh, of the actor's actions [B, 2 D]."""
        mean, log_std, _ = self.actor.get_action_dist_params(obs)
        return torch.cat([mean, log_std], dim=1)


class MDLCSAC(OffPolicy):
    """One task after another; actor, critics and replay are reset for each, the default policy is kept."""

    learner = DefaultSAC

    def __init__(self, ctx: Context, config: MDLCSACConfig) -> None:
        super().__init__(ctx, config)
        space = ctx.env.single_observation_space
        size = int(np.prod(space.shape or ()))
        outputs = 2 * int(np.prod(ctx.env.single_action_space.shape or ()))
        self.course = Course(ctx, config, size, outputs, DiagonalGaussian)
        self._model.course = self.course
        self._callback = Counting(self.course)
        self._callback.init_callback(self.model)

    @property
    def _model(self) -> DefaultSAC:
        return cast(DefaultSAC, self.model)

    @property
    def default(self) -> Any:
        """The default policy."""
        return self.course.default

    def update(self) -> Metrics:
        """An update of SAC, which ends early at the end of a task; then the default learns from the task."""
        if self._model._last_obs is None:
            self._model._last_obs = np.array(self.course.reset())
            self._model._last_episode_starts = np.ones(self._model.n_envs, dtype=bool)
        metrics = {**super().update(), **self.course.report()}
        if self.course.task_is_over:
            with self._streams.active():
                metrics |= self.course.end_task(self._parameters)
                self._new_control()
        return metrics

    def _update_is_over(self) -> bool:
        return self.course.task_is_over

    def _parameters(self, obs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        shape = self._model.observation_space.shape or ()
        with torch.no_grad():
            tensor = torch.as_tensor(obs.reshape(-1, *shape), device=self._model.device)
            return self._model.parameters_of(tensor).cpu().numpy().astype(np.float32)

    def _new_control(self) -> None:
        """New weights and an empty replay buffer; the counters of the run continue."""
        model = self._model
        policy: Any = model.policy_class(
            model.observation_space, model.action_space, model.lr_schedule, **model.policy_kwargs
        )
        model.policy = policy.to(model.device)
        model._create_aliases()
        cast(ReplayBuffer, model.replay_buffer).reset()
        model._last_obs = None

    def _iterate(self) -> None:
        model = self._model
        rollout = model.collect_rollouts(
            self._env_of(model),
            self._callback,
            cast(TrainFreq, model.train_freq),
            cast(ReplayBuffer, model.replay_buffer),
            model.action_noise,
            model.num_timesteps - self.course.steps_of_task + model.learning_starts,
            log_interval=None,
        )
        if self.course.steps_of_task > model.learning_starts:
            steps = model.gradient_steps if model.gradient_steps >= 0 else rollout.episode_timesteps
            if steps > 0:
                model.train(batch_size=model.batch_size, gradient_steps=steps)

    def state(self) -> State:
        """The state of SAC, and that of the tasks and the default policy."""
        return {**super().state(), "course": self.course.state()}

    def load_state(self, state: State) -> None:
        """Continue from ``state``."""
        super().load_state(state)
        self.course.load_state(state["course"])


class Counting(BaseCallback):
    """A callback that counts every vector step in the sequence of tasks."""

    def __init__(self, course: Course) -> None:
        super().__init__()
        self._course = course

    def _on_step(self) -> bool:
        self._course.count(np.asarray(self.locals["rewards"]), np.asarray(self.locals["dones"]))
        return True


def _descend(optimiser: torch.optim.Optimizer, loss: Any) -> None:
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
