"""SB3's SAC for rewards that diminish: the critic's target is corrected by lambda features.

With base features phi(s, a) in [0, 1], the reward r ~ phi . w, and f the lambda features of the policy
(docs/methods/successor.md, equations 8 and 10)::

    target_Q = r + gamma (1 - done) (min_i Q_i' + (lam - 1) (phi * f') . w - alpha log pi')
    target_f = phi * (1 + lam gamma f') + gamma (1 - phi) * f',     f' = 0 if done
    loss     = sum_i (MSE(Q_i, target_Q) + lf_wt MSE(f_i, target_f)) / 2

' is the next state with an action of the current policy, in the target networks; f' is that of the critic which
attains the minimum. The actor and the temperature are learned as in SAC (arXiv:1812.05905).
"""

from __future__ import annotations

from typing import Any, ClassVar, cast

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import SAC
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.type_aliases import ReplayBufferSamples
from stable_baselines3.common.utils import polyak_update
from torch import Tensor, nn

from zoo_successor.deep.bandit import ARMS, EpisodeRounds, ExponentialWeights
from zoo_successor.deep.critic import LambdaCritic, LambdaPolicy
from zoo_successor.deep.features import UnitScale, reward_weights


class LambdaSAC(SAC):
    """SAC with lambda features; with ``lam=1`` it is SAC, weight for weight.

    Args:
        args: as for SAC.
        lam: in [0, 1], or "bandit": chosen for each episode from ``ARMS``.
        lf_wt: weight of the features' loss, at least 0.
        ridge: of the regression of the reward on phi; 0: pseudo-inverse.
        bandit_lr: step of the bandit's weights.
        bandit_decay: decay of the bandit's weights.
        bandit_window: feedbacks by which the bandit normalises.
        kwargs: as for SAC.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {"MlpPolicy": LambdaPolicy}
    critic: LambdaCritic
    critic_target: LambdaCritic

    def __init__(
        self,
        *args: Any,
        lam: float | str,
        lf_wt: float,
        ridge: float,
        bandit_lr: float,
        bandit_decay: float,
        bandit_window: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fixed_lam = None if isinstance(lam, str) else lam
        self.lf_wt, self.ridge = lf_wt, ridge
        self.bandit = ExponentialWeights(
            ARMS,
            np.random.default_rng([self.seed or 0, len(ARMS)]),
            lr=bandit_lr,
            decay=bandit_decay,
            window=bandit_window,
        )
        self.rounds = EpisodeRounds(self.n_envs)
        observed = cast(spaces.Box, self.observation_space)
        acted = cast(spaces.Box, self.action_space)
        low, high = (torch.as_tensor(np.ravel(bound)) for bound in (observed.low, observed.high))
        # The replay buffer holds actions scaled to [-1, 1].
        one = torch.ones(int(np.prod(acted.shape)))
        self.base = UnitScale(torch.cat([low, -one]), torch.cat([high, one])).to(self.device)
        self._widens = not bool(self.base.fixed.all())

    @property
    def lam(self) -> float:
        """The lambda of this episode."""
        return self.bandit.value if self.fixed_lam is None else self.fixed_lam

    def _store_transition(
        self,
        replay_buffer: ReplayBuffer,
        buffer_action: np.ndarray[Any, Any],
        new_obs: Any,
        reward: np.ndarray[Any, Any],
        dones: np.ndarray[Any, Any],
        infos: list[dict[str, Any]],
    ) -> None:
        if self._widens:
            obs, actions = (torch.as_tensor(rows, device=self.device) for rows in (self._last_obs, buffer_action))
            self.base.observe_bounds(torch.cat([obs.flatten(1).float(), actions.flatten(1)], dim=1))
        super()._store_transition(replay_buffer, buffer_action, new_obs, reward, dones, infos)
        if self.fixed_lam is None:
            total = self.rounds.add(reward, dones)
            if total is not None:
                self.bandit.end_round(total)

    def train(self, gradient_steps: int, batch_size: int = 64) -> None:
        """Take gradient steps, each on a fresh minibatch: temperature, critics, actor, target networks."""
        self.policy.set_training_mode(True)
        optimizers = [self.actor.optimizer, self.critic.optimizer]
        if self.ent_coef_optimizer is not None:
            optimizers.append(self.ent_coef_optimizer)
        self._update_learning_rate(optimizers)
        rows = []
        for step in range(gradient_steps):
            batch = cast(ReplayBuffer, self.replay_buffer).sample(batch_size)
            if self.use_sde:
                self.actor.reset_noise()
            actions, log_prob = self.actor.action_log_prob(batch.observations)
            log_prob = log_prob.reshape(-1, 1)
            alpha, row = self._temperature_step(log_prob)
            row |= self._critic_step(batch, alpha)
            row |= self._actor_step(batch, actions, log_prob, alpha)
            rows.append(row)
            if step % self.target_update_interval == 0:
                polyak_update(self.critic.parameters(), self.critic_target.parameters(), self.tau)
        self._n_updates += gradient_steps
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")
        self.logger.record("train/lambda", self.lam)
        for name in rows[0]:
            self.logger.record(f"train/{name}", torch.stack([row[name] for row in rows]).mean().item())

    def _temperature_step(self, log_prob: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The alpha as it was before the step, and what to log."""
        if self.ent_coef_optimizer is None or self.log_ent_coef is None:
            return self.ent_coef_tensor, {"ent_coef": self.ent_coef_tensor.detach().reshape(())}
        alpha = self.log_ent_coef.detach().exp()
        loss = -(self.log_ent_coef * (log_prob + cast(float, self.target_entropy)).detach()).mean()
        _descend(self.ent_coef_optimizer, loss)
        return alpha, {"ent_coef": alpha.reshape(()), "ent_coef_loss": loss.detach()}

    def targets(self, batch: ReplayBufferSamples, alpha: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The critics' targets on a minibatch; draws the next actions.

        Returns:
            target_Q [B, 1]; the part of it due to lambda [B, 1]; phi(s, a) [B, D]; f' [B, D], 0 where done.
        """
        with torch.no_grad():
            actions, log_prob = self.actor.action_log_prob(batch.next_observations)
            values, lambda_features = self.critic_target.both(batch.next_observations, actions)
            value, critic = torch.cat(values, dim=1).min(dim=1, keepdim=True)
            next_features = torch.stack(lambda_features, dim=1).take_along_dim(critic.unsqueeze(2), dim=1).squeeze(1)
            phi = self.base(torch.cat([batch.observations.flatten(1).float(), batch.actions], dim=1))
            w = reward_weights(phi, batch.rewards, self.ridge)
            correction = (self.lam - 1) * (phi * next_features @ w).unsqueeze(1)
            discount = batch.discounts if batch.discounts is not None else self.gamma
            value = value + correction - alpha * log_prob.reshape(-1, 1)
            target = batch.rewards + (1 - batch.dones) * discount * value
            return target, (1 - batch.dones) * discount * correction, phi, (1 - batch.dones) * next_features

    def _critic_step(self, batch: ReplayBufferSamples, alpha: Tensor) -> dict[str, Tensor]:
        target, correction, phi, next_features = self.targets(batch, alpha)
        values, lambda_features = self.critic.both(batch.observations, batch.actions)
        value_loss = 0.5 * torch.stack([nn.functional.mse_loss(value, target) for value in values]).sum()
        if self.fixed_lam == 1:
            # Nothing reads the features then, and their loss would change the hidden units that Q shares with them.
            loss = value_loss
            logged = {}
        else:
            feature_loss = (
                0.5
                * torch.stack(
                    [
                        cast(Any, head).loss(f, phi, next_features, self.gamma, self.lam)
                        for head, f in zip(self.critic.heads, lambda_features, strict=True)
                    ]
                ).sum()
            )
            loss = value_loss + self.lf_wt * feature_loss
            logged = {"feature_loss": feature_loss.detach(), "correction": correction.mean()}
        _descend(self.critic.optimizer, loss)
        return {"critic_loss": value_loss.detach(), **logged}

    def _actor_step(
        self, batch: ReplayBufferSamples, actions: Tensor, log_prob: Tensor, alpha: Tensor
    ) -> dict[str, Tensor]:
        value = torch.cat(self.critic(batch.observations, actions), dim=1).min(dim=1, keepdim=True).values
        loss = (alpha * log_prob - value).mean()
        _descend(self.actor.optimizer, loss)
        return {"actor_loss": loss.detach()}

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), "base"]

    def _get_torch_save_params(self) -> tuple[list[str], list[str]]:
        modules, variables = super()._get_torch_save_params()
        return [*modules, "base"], variables


def _descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
