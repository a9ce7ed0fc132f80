"""SB3's SAC on the Lagrangian of a constrained problem, with ReLOAD's optimism (docs/methods/reload.md, section 6).

With critics Q_j of the reward (entropy included) and of each signal, w = (1, -s_1 mu_1, ..., -s_N mu_N) and ' for the
target networks and the multipliers before their last step, which stand for iteration k - 1::

    L_k      = min over the twins of sum_j w_kj Q_j(s, a)
    L_{k-1}  = min over the twins of sum_j w'_j Q'_j(s, a)
    actor    : maximise (2 L_k - L_{k-1} - alpha log pi(a|s)) / (1 + sum |mu_i|)
    target_j = r_j + gamma (1 - done) (Q'_j - alpha log pi [j = reward])(s', a'),   Q' of the twin with the lower L
    mu_{k+1} = clip(mu_k + lr_mu (2 g_k - g_{k-1})),   g_k of the episodes that ended since the last step

Without optimism, and without constraints, it is SAC (arXiv:1812.05905), weight for weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

import numpy as np
import torch
from stable_baselines3 import SAC
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.type_aliases import ReplayBufferSamples
from stable_baselines3.common.utils import polyak_update
from torch import Tensor

from zoo_reload.core import Floats
from zoo_reload.sac.critic import SignalCritic, SignalPolicy
from zoo_reload.sac.signals import SignalBuffer, Signals
from zoo_reload.sampling.measurements import Measurements, Values
from zoo_reload.sampling.multipliers import Projected


class ConstrainedSAC(SAC):
    """SAC under constraints.

    Args:
        args: as for SAC.
        env: SB3's view of ``Signals``.
        thresholds: used before, for the constraints of ``env``.
        lr_mu: step size of the multipliers.
        cap: see SACLagrangianConfig.
        kappa: weight of the violations in the penalised return.
        tol: see SACLagrangianConfig.
        optimism: which player is optimistic.
        kwargs: as for SAC.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {"MlpPolicy": SignalPolicy}
    critic: SignalCritic
    critic_target: SignalCritic

    def __init__(
        self,
        policy: str,
        env: Any,
        *,
        thresholds: Mapping[str, float],
        lr_mu: float | tuple[float, float],
        cap: float,
        kappa: float,
        tol: float,
        optimism: str = "none",
        policy_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.source: Signals = env.env
        constraints = self.source.constraints
        N = len(constraints.names)
        super().__init__(
            policy,
            env,
            policy_kwargs={**(policy_kwargs or {}), "heads": 1 + N},
            replay_buffer_class=SignalBuffer,
            replay_buffer_kwargs={"heads": 1 + N},
            **kwargs,
        )
        self.measurements = Measurements(1, self.n_envs, constraints, kappa, tol)
        self.kind = Projected(constraints.sign, constraints.equality, cap)
        self._lr_mu = lr_mu if isinstance(lr_mu, tuple) else (lr_mu, lr_mu)
        self._optimistic_actor = optimism in ("both", "policy")
        self._optimistic_multiplier = optimism in ("both", "multiplier")
        self.x: Floats = np.zeros((1, N))
        """mu_k in units of the largest signal, [1, N]"""
        self._before: Floats = np.zeros((1, N))
        """mu_{k-1}, [1, N]"""
        self._gradient: Floats | None = None
        """g_{k-1}, [1, N]; None: there was no step yet"""
        self._largest: Floats = np.zeros(N)
        """largest |c_i| so far, which is the unit of the signal once learning starts"""
        self._steps: list[np.ndarray[Any, Any]] = []
        self._ends: list[np.ndarray[Any, Any]] = []
        self._use_weights()

    def _use_weights(self) -> None:
        """Make tensors of the weights after the multipliers have changed."""
        sign = self.measurements.constraints.sign

        def row(x: Floats) -> Tensor:
            weights = np.concatenate([[1.0], -sign * x[0]])
            return torch.as_tensor(weights, dtype=torch.float32, device=self.device)

        self._w, self._w_before = row(self.x), row(self._before)
        self._size = float(1 + np.abs(self.x).sum())

    def _store_transition(
        self,
        replay_buffer: ReplayBuffer,
        buffer_action: np.ndarray[Any, Any],
        new_obs: Any,
        reward: np.ndarray[Any, Any],
        dones: np.ndarray[Any, Any],
        infos: list[dict[str, Any]],
    ) -> None:
        signals = self.source.last
        self._largest = np.maximum(self._largest, np.abs(signals[1:]).max(axis=1, initial=0.0))
        self._steps.append(signals.copy())
        self._ends.append(self.source.ends.copy())
        super()._store_transition(replay_buffer, buffer_action, new_obs, signals.T, dones, infos)

    def measured(self) -> Values:
        """The values of the episodes that ended since the last call."""
        signals = np.stack(self._steps, axis=1)[None]
        terminated, truncated = np.stack(self._ends, axis=1)
        self._steps.clear()
        self._ends.clear()
        return self.measurements.add(signals, terminated[None], truncated[None])

    def multiplier_step(self, values: Values) -> None:
        """mu_{k+1} = clip(mu_k + lr_mu (2 g_k - g_{k-1})), where an episode ended and the policy learns already."""
        if not values.known[0] or self.num_timesteps <= self.learning_starts:
            return
        g = values.g
        optimistic = self._optimistic_multiplier and self._gradient is not None
        ascent = 2 * g - self._gradient if optimistic and self._gradient is not None else g
        share = min(self.num_timesteps / max(self._total_timesteps, 1), 1.0)
        rate = self._lr_mu[0] + share * (self._lr_mu[1] - self._lr_mu[0])
        self._before, self._gradient = self.x, g
        self.x = self.kind.clip(self.x + rate * ascent)
        self._use_weights()

    def train(self, gradient_steps: int, batch_size: int = 64) -> None:
        """Take gradient steps, each on a fresh minibatch: temperature, critics, actor, target networks."""
        self.measurements.scale.see(self._largest[None, :, None, None])
        unit = np.concatenate([[1.0], self.measurements.scale.unit[0]])
        units = torch.as_tensor(unit, dtype=torch.float32, device=self.device)
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
            alpha, row = self._temperature_step(log_prob)
            row["critic_loss"] = self._critic_step(batch, batch.rewards / units, alpha)
            row["actor_loss"] = self._actor_step(batch.observations, actions, log_prob.reshape(-1, 1), alpha)
            rows.append(row)
            if step % self.target_update_interval == 0:
                polyak_update(self.critic.parameters(), self.critic_target.parameters(), self.tau)
        self._n_updates += gradient_steps
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")
        for name in rows[0]:
            self.logger.record(f"train/{name}", float(torch.stack([row[name] for row in rows]).mean()))

    def _temperature_step(self, log_prob: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The alpha as it was before the step, and what to log."""
        if self.ent_coef_optimizer is None or self.log_ent_coef is None:
            return self.ent_coef_tensor, {"ent_coef": self.ent_coef_tensor.detach().reshape(())}
        alpha = self.log_ent_coef.detach().exp()
        loss = -(self.log_ent_coef * (log_prob + cast(float, self.target_entropy)).detach()).mean()
        _descend(self.ent_coef_optimizer, loss)
        return alpha, {"ent_coef": alpha.reshape(()), "ent_coef_loss": loss.detach()}

    def targets(self, batch: ReplayBufferSamples, signals: Tensor, alpha: Tensor) -> Tensor:
        """target_j of the module's docstring for ``signals`` [M, 1 + N] in their units; draws the next actions."""
        with torch.no_grad():
            actions, log_prob = self.actor.action_log_prob(batch.next_observations)
            twins = torch.stack(self.critic_target(batch.next_observations, actions))
            lower = (twins @ self._w).argmin(dim=0)
            following = twins.gather(0, lower[None, :, None].expand(1, -1, twins.shape[2]))[0]
            following[:, 0] -= alpha * log_prob
            return signals + (1 - batch.dones) * self.gamma * following

    def _critic_step(self, batch: ReplayBufferSamples, signals: Tensor, alpha: Tensor) -> Tensor:
        target = self.targets(batch, signals, alpha)
        predicted = self.critic(batch.observations, batch.actions)
        # The sum over heads of each one's mean square.
        errors = [torch.nn.functional.mse_loss(q, target) for q in predicted]
        loss = 0.5 * target.shape[1] * torch.stack(errors).sum()
        _descend(self.critic.optimizer, loss)
        return loss.detach()

    def lagrangian(self, critic: SignalCritic, obs: Any, actions: Tensor, w: Tensor) -> Tensor:
        """Min over the twins of sum_j w_j Q_j, [M, 1]."""
        return (torch.stack(critic(obs, actions)) @ w).min(dim=0).values[:, None]

    def _actor_step(self, obs: Any, actions: Tensor, log_prob: Tensor, alpha: Tensor) -> Tensor:
        L = self.lagrangian(self.critic, obs, actions, self._w)
        if self._optimistic_actor:
            L = 2 * L - self.lagrangian(self.critic_target, obs, actions, self._w_before)
        loss = ((alpha * log_prob - L) / self._size).mean()
        _descend(self.actor.optimizer, loss)
        return loss.detach()

    def constrained_state(self) -> dict[str, Any]:
        """What the constraints add to the model's own state."""
        state: dict[str, Any] = {
            **self.measurements.state(0),
            "x": self.x.copy(),
            "before": self._before.copy(),
            "largest": self._largest.copy(),
        }
        return state if self._gradient is None else {**state, "gradient": self._gradient.copy()}

    def load_constrained_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""
        self.measurements.load_state(0, state)
        self.x, self._before = np.array(state["x"]), np.array(state["before"])
        self._largest = np.array(state["largest"])
        self._gradient = np.array(state["gradient"]) if "gradient" in state else None
        self._use_weights()


def _descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
