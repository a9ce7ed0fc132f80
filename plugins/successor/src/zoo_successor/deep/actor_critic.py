"""lambda-ac: a recurrent actor-critic for rewards that diminish (docs/methods/successor.md, section 5).

The actor is recurrent; the critic is not: V and the lambda features are functions of the state alone, and the
correction of ``diminishing_returns`` accounts for visits. A recurrent critic would learn the diminishing of the
rewards from the rewards themselves, and the correction would count it twice.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from gymnasium.spaces import Discrete
from numpy.typing import NDArray
from torch import Tensor, nn

from zoo import Algorithm, Context, InterfaceError, Metrics, State
from zoo_successor.deep.config import LambdaACConfig
from zoo_successor.deep.networks import LambdaFeatureCritic, Memory, RecurrentActor, detached, keep, stacked
from zoo_successor.deep.returns import diminishing_returns
from zoo_successor.deep.torch_state import adam_state, load_adam, load_module, module_state
from zoo_successor.learning.problem import factor


class Segment(NamedTuple):
    """T steps of B copies, [T, B] each. States are int64; x is the successor state, before any reset."""

    log_probs: Tensor
    """log probabilities [T, B, A], with the gradient through the actor's hidden state"""
    state: Tensor
    action: Tensor
    reward: Tensor
    x: Tensor
    terminated: Tensor
    ended: Tensor


class LambdaActorCritic(Algorithm[LambdaACConfig]):
    """One update is one sequence of all copies and one gradient step.

    Raises:
        InterfaceError: observations or actions are not discrete.
    """

    def __init__(self, ctx: Context, config: LambdaACConfig) -> None:
        super().__init__(ctx, config)
        observed, acted = ctx.env.single_observation_space, ctx.env.single_action_space
        if not (isinstance(observed, Discrete) and isinstance(acted, Discrete)):
            raise InterfaceError(f"the spaces are {observed} and {acted}: lambda-ac expects two Discrete spaces.")
        self._first_state, self._first_action = int(observed.start), int(acted.start)
        states = int(observed.n)
        self._lam = self._tensor(factor(ctx.problem, config.lam, states, default=1.0).astype(np.float32))
        self.actor = RecurrentActor(states, int(acted.n), config.lstm).to(ctx.device)
        self.critic = LambdaFeatureCritic(states, config.hidden).to(ctx.device)
        parameters = [*self.actor.parameters(), *self.critic.parameters()]
        self._optimizer = torch.optim.Adam(parameters, lr=config.learning_rate)
        self._acting_rng = ctx.stream("act")
        self._acting: Memory | None = None
        self._obs: Tensor | None = None
        self._memory = self.actor.empty_memory(ctx.env.num_envs)

    def update(self) -> Metrics:
        """Collect one sequence and learn from it."""
        config = self.config
        segment = self._collect()
        value, f = self.critic(segment.state)
        with torch.no_grad():
            value_x, f_x = self.critic(segment.x)
            counted = segment.x if config.paid == "arrival" else segment.state
            returns = diminishing_returns(
                segment.reward, counted, value_x, f_x, segment.terminated, segment.ended,
                gamma=config.gamma, td_lambda=config.td_lambda, lam=self._lam,
            )  # fmt: skip
        phi = nn.functional.one_hot(counted, self.actor.states).to(f.dtype)
        next_features = f_x * (~segment.terminated).unsqueeze(-1)
        taken = segment.log_probs.gather(-1, segment.action.unsqueeze(-1)).squeeze(-1)
        policy_loss = -(taken * (returns - value.detach())).mean()
        entropy = -(segment.log_probs.exp() * segment.log_probs).sum(-1).mean()
        value_loss = nn.functional.mse_loss(value, returns)
        feature_loss = self.critic.head.loss(f, phi, next_features, config.gamma, self._lam)
        loss = policy_loss - config.ent_coef * entropy + config.vf_coef * value_loss + config.lf_wt * feature_loss
        self._optimizer.zero_grad()
        loss.backward()
        # Clipped separately, so that large errors of the critic do not shorten the actor's steps.
        for part in (self.actor, self.critic):
            nn.utils.clip_grad_norm_(part.parameters(), config.max_grad_norm)
        self._optimizer.step()
        self._memory = detached(self._memory)
        self.env_steps += segment.reward.numel()
        self.forget()
        return {
            "loss/policy": policy_loss.item(),
            "loss/value": value_loss.item(),
            "loss/feature": feature_loss.item(),
            "train/entropy": entropy.item(),
            "train/reward": segment.reward.mean().item(),
        }

    def _collect(self) -> Segment:
        """Take ``config.sequence`` steps; the actor is evaluated once, with its graph kept for the gradient."""
        env = self.ctx.env
        if self._obs is None:
            self._obs = self._states(env.reset()[0])
        rows = []
        for _ in range(self.config.sequence):
            state = self._obs
            log_probs, self._memory = self.actor(state, self._memory)
            action = _sample(log_probs, self.ctx.rng)
            obs, reward, terminated, truncated, infos = env.step(action + self._first_action)
            ended = np.logical_or(terminated, truncated)
            x = np.array(obs)
            if ended.any():
                x[ended] = np.asarray(infos["final_obs"])[ended]
                self._memory = keep(self._memory, self._tensor(~ended))
            self._obs = self._states(obs)
            rows.append(
                (log_probs, state, self._tensor(action), self._tensor(np.array(reward, dtype=np.float32)),
                 self._states(x), self._tensor(np.array(terminated)), self._tensor(ended))
            )  # fmt: skip
        return Segment(*(torch.stack(column) for column in zip(*rows, strict=True)))

    def act(self, obs: Any, *, greedy: bool = True) -> NDArray[np.int64]:
        """Actions int64[B] for states [B]; a hidden state for each row is kept between calls.

        It is reset when B changes, after ``update`` and ``load_state``, and by ``forget``.
        """
        with torch.no_grad():
            states = self._states(obs)
            if self._acting is None or len(self._acting[0]) != len(states):
                self._acting = self.actor.empty_memory(len(states))
            log_probs, self._acting = self.actor(states, self._acting)
        chosen = log_probs.argmax(-1).cpu().numpy() if greedy else _sample(log_probs, self._acting_rng)
        actions: NDArray[np.int64] = chosen + self._first_action
        return actions

    def forget(self, ended: NDArray[np.bool_] | None = None) -> None:
        """Reset the hidden state of ``act`` in the rows where ``ended`` (bool[B]) is true, or in all."""
        if ended is None or self._acting is None:
            self._acting = None
        else:
            self._acting = keep(self._acting, self._tensor(~np.asarray(ended)))

    def restart(self) -> None:
        """Abandon the current episodes: the next update begins with ``env.reset()``."""
        self._obs = None
        self._memory = self.actor.empty_memory(self.ctx.env.num_envs)

    def state(self) -> State:
        """Networks, optimiser, hidden state, present observations, and the random stream of ``act``."""
        return {
            "actor": module_state(self.actor),
            "critic": module_state(self.critic),
            "optimizer": adam_state(self._optimizer),
            "memory": stacked(self._memory),
            "obs": None if self._obs is None else self._obs.cpu().clone(),
            "acting": self._acting_rng.bit_generator.state,
        }

    def load_state(self, state: State) -> None:
        """Continue from ``state``.

        Raises:
            InterfaceError: it is of other options, another environment or another number of copies.
        """
        try:
            load_module(self.actor, state["actor"])
            load_module(self.critic, state["critic"])
            load_adam(self._optimizer, state["optimizer"])
        except (KeyError, RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InterfaceError(f"this state is not of lambda-ac with these options: {reason}") from error
        device = self.ctx.device
        memory = torch.as_tensor(state["memory"]).to(device).clone()
        self._memory = (memory[0], memory[1])
        self._obs = None if state["obs"] is None else torch.as_tensor(state["obs"]).to(device).clone()
        self._acting_rng.bit_generator.state = state["acting"]
        self.forget()

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        return torch.as_tensor(array, device=self.ctx.device)

    def _states(self, obs: Any) -> Tensor:
        return self._tensor(np.asarray(obs, dtype=np.int64) - self._first_state)


def _sample(log_probs: Tensor, rng: np.random.Generator) -> NDArray[np.int64]:
    """One action of each row, by the largest of perturbed preferences (Gumbel)."""
    preferences = log_probs.detach().cpu().numpy()
    chosen: NDArray[np.int64] = (preferences + rng.gumbel(size=preferences.shape)).argmax(-1)
    return chosen
