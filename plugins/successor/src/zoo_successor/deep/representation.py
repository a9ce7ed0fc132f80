"""deep-lambda: lambda features of box observations, learned by a network."""

from __future__ import annotations

import copy
import itertools
from typing import Any, ClassVar

import numpy as np
import torch
from gymnasium.spaces import Box
from numpy.typing import NDArray
from torch import Tensor, nn

from zoo import Context, InterfaceError, Metrics, Representation, State, Transitions
from zoo_successor.deep.config import DeepLambdaConfig
from zoo_successor.deep.features import UnitScale
from zoo_successor.deep.head import LambdaHead
from zoo_successor.deep.torch_state import adam_state, load_adam, load_module, module_state


class DeepLambda(Representation[DeepLambdaConfig]):
    """f(s) >= 0 of the policy that collects, one number for each dimension of the flattened observation.

    Base features are the observation scaled to [0, 1] (see ``UnitScale``); f is learned by TD(0) against a slowly
    moving copy (docs/methods/successor.md, sections 4 and 5). A terminal state counts its one visit: f = phi there.

    Raises:
        InterfaceError: the observations are no Box.
    """

    capabilities: ClassVar[frozenset[str]] = frozenset({"td", "features", "deep"})

    def __init__(self, ctx: Context, config: DeepLambdaConfig) -> None:
        super().__init__(ctx, config)
        space = ctx.env.single_observation_space
        if not isinstance(space, Box):
            raise InterfaceError(f"the observations are {space}: deep-lambda expected a Box space.")
        self.dim = ctx.obs_dim
        low, high = (torch.as_tensor(np.asarray(bound, dtype=np.float32)) for bound in (space.low, space.high))
        self._base = UnitScale(low, high).to(ctx.device)
        self._head = LambdaHead(*_mlp(self.dim, config.hidden), self.dim).to(ctx.device)
        self._target = copy.deepcopy(self._head).requires_grad_(False)
        self._optimizer = torch.optim.Adam(self._head.parameters(), lr=config.learning_rate)

    def update(self, batch: Transitions) -> Metrics:
        """Learn from B transitions, in minibatches; returns the mean loss and the largest feature of the batch."""
        config, rng = self.config, self.ctx.rng
        obs, next_features = self._tensor(batch.obs), self._tensor(batch.next_obs)
        terminated = torch.as_tensor(np.asarray(batch.terminated), device=self.ctx.device).unsqueeze(1)
        self._base.observe_bounds(torch.cat([obs, next_features]))
        losses = []
        for _ in range(config.epochs):
            order = torch.as_tensor(rng.permutation(len(obs)), device=self.ctx.device)
            for rows in torch.split(order, config.batch_size):
                losses.append(self._step(obs[rows], next_features[rows], terminated[rows]))
        with torch.no_grad():
            largest = self._head(self._base(obs)).max()
        return {"loss/feature": torch.stack(losses).mean().item(), "feature/largest": largest.item()}

    def _step(self, obs: Tensor, next_features: Tensor, terminated: Tensor) -> Tensor:
        config = self.config
        phi, phi_next = self._base(obs), self._base(next_features)
        f_next = torch.where(terminated, phi_next, self._target(phi_next))
        loss = self._head.loss(self._head(phi), phi, f_next, config.gamma, config.lam)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        with torch.no_grad():
            for slow, fast in zip(self._target.parameters(), self._head.parameters(), strict=True):
                slow.lerp_(fast, config.tau)
        return loss.detach()

    def features(self, obs: Any, action: Any = None) -> NDArray[np.float32]:
        """f(s) as float32 [B, dim].

        Raises:
            InterfaceError: actions are given: the features are of states.
        """
        if action is not None:
            raise InterfaceError("deep-lambda has features of states: expected no action.")
        with torch.no_grad():
            features: NDArray[np.float32] = self._head(self._base(self._tensor(obs))).cpu().numpy()
        return features

    def _tensor(self, obs: Any) -> Tensor:
        flat = np.asarray(obs, dtype=np.float32).reshape(len(obs), self.dim)
        return torch.as_tensor(flat, device=self.ctx.device)

    def state(self) -> State:
        """Networks, optimiser and the bounds seen."""
        return {
            "base": module_state(self._base),
            "head": module_state(self._head),
            "target": module_state(self._target),
            "optimizer": adam_state(self._optimizer),
        }

    def load_state(self, state: State) -> None:
        """Continue from ``state``."""
        load_module(self._base, state["base"])
        load_module(self._head, state["head"])
        load_module(self._target, state["target"])
        load_adam(self._optimizer, state["optimizer"])


def _mlp(inputs: int, hidden: tuple[int, ...]) -> tuple[nn.Sequential, int]:
    """ReLU layers, and how many units the last one has."""
    sizes = (inputs, *hidden)
    layers = [layer for pair in itertools.pairwise(sizes) for layer in (nn.Linear(*pair), nn.ReLU())]
    return nn.Sequential(*layers), sizes[-1]
